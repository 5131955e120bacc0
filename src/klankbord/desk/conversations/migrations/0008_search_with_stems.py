"""Searching by stems, senders and filters: another function, the words an organisation uses, and how far the index is.

`@@` is not leakproof, so under row-level security the planner ignores the index; the function runs as the tables'
owner and takes the organisation from the same setting as the wall does. It gives ids only; rows are fetched under
the wall in a second statement. Conditions that are NULL are left out of the plan, which is made anew each time.

Of a word that nobody used the planner believes that it is not rare, and would read the whole history from its newest
end to find none. So the newest part is looked at first: what is common there is read from that end, all else by the
index of words.
"""

from __future__ import annotations

import uuid
from typing import Any

import django.db.models.deletion
from django.db import migrations, models

import klankbord.desk.wall
import klankbord.kernel.ids

MAKE = """
CREATE FUNCTION klankbord_find(words tsquery, inboxes uuid[], newest integer, before_at timestamptz, before_id uuid,
    since timestamptz, until timestamptz, statuses text[], place text, labels uuid[])
RETURNS TABLE (message_id uuid, at timestamptz, id uuid)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = public, pg_temp SET plan_cache_mode = force_custom_plan AS $$
DECLARE
    wanted integer := least(newest, 200);
    recent integer;
BEGIN
    IF words IS NOT NULL THEN
        SELECT count(*) INTO recent
          FROM (SELECT FROM (SELECT s.document
                               FROM conversations_searchdocument s
                              WHERE s.organisation_id = current_setting('klankbord.organisation')::uuid
                                AND s.inbox_id = ANY (inboxes)
                                AND (before_at IS NULL OR (s.at, s.id) < (before_at, before_id))
                                AND (since IS NULL OR s.at >= since)
                                AND (until IS NULL OR s.at < until)
                              ORDER BY s.at DESC, s.id DESC
                              LIMIT 2500) n
                 WHERE n.document @@ words LIMIT wanted) hits;
        IF recent < wanted THEN
            RETURN QUERY
            WITH hits AS MATERIALIZED (
                SELECT s.message_id, s.at, s.id
                  FROM conversations_searchdocument s
                 WHERE s.organisation_id = current_setting('klankbord.organisation')::uuid
                   AND s.inbox_id = ANY (inboxes)
                   AND s.document @@ words
                   AND (before_at IS NULL OR (s.at, s.id) < (before_at, before_id))
                   AND (since IS NULL OR s.at >= since)
                   AND (until IS NULL OR s.at < until))
            SELECT h.message_id, h.at, h.id
              FROM hits h
             WHERE (statuses IS NULL AND place IS NULL AND labels IS NULL) OR EXISTS (
                   SELECT FROM conversations_message m
                     JOIN conversations_conversation c
                       ON c.organisation_id = m.organisation_id AND c.id = m.conversation_id
                    WHERE m.organisation_id = current_setting('klankbord.organisation')::uuid
                      AND m.id = h.message_id
                      AND c.inbox_id = ANY (inboxes)
                      AND (statuses IS NULL OR c.status = ANY (statuses))
                      AND (place IS NULL OR m.visibility = place)
                      AND (labels IS NULL OR EXISTS (
                           SELECT FROM conversations_conversationlabel l
                            WHERE l.organisation_id = c.organisation_id AND l.conversation_id = c.id
                              AND l.label_id = ANY (labels))))
             ORDER BY h.at DESC, h.id DESC
             LIMIT wanted;
            RETURN;
        END IF;
    END IF;
    IF statuses IS NULL AND place IS NULL AND labels IS NULL THEN
        RETURN QUERY
        SELECT s.message_id, s.at, s.id
          FROM conversations_searchdocument s
         WHERE s.organisation_id = current_setting('klankbord.organisation')::uuid
           AND s.inbox_id = ANY (inboxes)
           AND (words IS NULL OR s.document @@ words)
           AND (before_at IS NULL OR (s.at, s.id) < (before_at, before_id))
           AND (since IS NULL OR s.at >= since)
           AND (until IS NULL OR s.at < until)
         ORDER BY s.at DESC, s.id DESC
         LIMIT wanted;
    ELSE
        RETURN QUERY
        SELECT s.message_id, s.at, s.id
          FROM conversations_searchdocument s
          JOIN conversations_message m ON m.organisation_id = s.organisation_id AND m.id = s.message_id
          JOIN conversations_conversation c ON c.organisation_id = m.organisation_id AND c.id = m.conversation_id
         WHERE s.organisation_id = current_setting('klankbord.organisation')::uuid
           AND s.inbox_id = ANY (inboxes)
           AND c.inbox_id = ANY (inboxes)
           AND (words IS NULL OR s.document @@ words)
           AND (before_at IS NULL OR (s.at, s.id) < (before_at, before_id))
           AND (since IS NULL OR s.at >= since)
           AND (until IS NULL OR s.at < until)
           AND (statuses IS NULL OR c.status = ANY (statuses))
           AND (place IS NULL OR m.visibility = place)
           AND (labels IS NULL OR EXISTS (
                SELECT FROM conversations_conversationlabel l
                 WHERE l.organisation_id = c.organisation_id AND l.conversation_id = c.id
                   AND l.label_id = ANY (labels)))
         ORDER BY s.at DESC, s.id DESC
         LIMIT wanted;
    END IF;
END $$;

REVOKE ALL ON FUNCTION klankbord_find(tsquery, uuid[], integer, timestamptz, uuid, timestamptz, timestamptz, text[],
    text, uuid[]) FROM PUBLIC;

DROP FUNCTION klankbord_search(tsquery, uuid[], integer);
"""

UNMAKE = """
DROP FUNCTION klankbord_find(tsquery, uuid[], integer, timestamptz, uuid, timestamptz, timestamptz, text[], text,
    uuid[]);

CREATE FUNCTION klankbord_search(words tsquery, inboxes uuid[], newest integer)
RETURNS TABLE (message_id uuid, conversation_id uuid, at timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = public, pg_temp SET plan_cache_mode = force_custom_plan AS $$
BEGIN
    RETURN QUERY
    SELECT s.message_id, s.conversation_id, s.at
      FROM conversations_searchdocument s
     WHERE s.organisation_id = current_setting('klankbord.organisation')::uuid
       AND s.document @@ words
       AND s.inbox_id = ANY (inboxes)
     ORDER BY s.at DESC, s.id DESC
     LIMIT least(newest, 200);
END $$;

REVOKE ALL ON FUNCTION klankbord_search(tsquery, uuid[], integer) FROM PUBLIC;
"""


def _owned() -> list[tuple[str, Any]]:
    return [
        (
            "id",
            models.UUIDField(default=klankbord.kernel.ids.uuid7, editable=False, primary_key=True, serialize=False),
        ),
        (
            "organisation",
            models.ForeignKey(
                db_index=False,
                default=klankbord.desk.wall.current_organisation_id,
                editable=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="organisations.organisation",
            ),
        ),
    ]


class Migration(migrations.Migration):
    dependencies = [("conversations", "0007_saved_views")]
    operations = [
        migrations.CreateModel(
            name="KnownWord",
            fields=[
                *_owned(),
                ("inbox_id", models.UUIDField()),
                ("word", models.CharField(max_length=24)),
                ("head", models.CharField(max_length=2)),
                ("tail", models.CharField(max_length=2)),
                ("count", models.IntegerField()),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
                "indexes": [
                    models.Index(fields=["organisation", "head"], name="known_word_by_head"),
                    models.Index(fields=["organisation", "tail"], name="known_word_by_tail"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("organisation", "inbox_id", "word"), name="known_word_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="IndexProgress",
            fields=[
                *_owned(),
                ("version", models.SmallIntegerField()),
                ("until", models.UUIDField()),
                ("reached", models.UUIDField(default=uuid.UUID("00000000-0000-0000-0000-000000000000"))),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
                "constraints": [models.UniqueConstraint(fields=("organisation",), name="one_index_progress")],
            },
        ),
        migrations.RunSQL(MAKE, UNMAKE),
    ]
