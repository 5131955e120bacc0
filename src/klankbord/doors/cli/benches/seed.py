"""A desk with a past: many conversations by a few statements, as the database's owner. For measurements only."""

from __future__ import annotations

from uuid import UUID

import psycopg

_ROWS = """
    CREATE TEMP TABLE seeded AS
    SELECT number, gen_random_uuid() AS conversation, gen_random_uuid() AS contact, gen_random_uuid() AS handle,
           gen_random_uuid() AS thread, now() - make_interval(secs => number * 30) AS at,
           mod(number, 10) < 3 AS is_open
      FROM generate_series(1, %(count)s) AS number;
    INSERT INTO contacts_contact (id, organisation_id, name, language, notes, facts, created_at)
    SELECT contact, %(organisation)s, 'Klant ' || number, '', '', '{}', at FROM seeded;
    INSERT INTO contacts_handle (id, organisation_id, contact_id, kind, realm, external_id, name, username, email,
           phone, avatar_url, profile_url, is_proven, is_reachable, unreachable_reason, facts)
    SELECT handle, %(organisation)s, contact, 'api', '', 'seed-' || number, 'Klant ' || number, '', '', '', '', '',
           false, true, '', '{}' FROM seeded;
    INSERT INTO conversations_conversation (id, organisation_id, number, contact_id, inbox_id, status, title, preview,
           preview_by, visibility, language, priority, waiting_since, is_idle, sort_at, last_message_at,
           last_inbound_at, message_count, has_trouble, created_at)
    SELECT conversation, %(organisation)s, number, contact, %(inbox)s, CASE WHEN is_open THEN 'open' ELSE 'resolved'
           END, '', 'Waar blijft mijn bestelling ' || number || '?', 'contact', 'private', 'nl', 0,
           CASE WHEN is_open THEN at END, NOT is_open, at, at, at,
           CASE WHEN number <= 100 THEN %(each)s ELSE 2 END, false, at FROM seeded;
    INSERT INTO conversations_thread (id, organisation_id, conversation_id, inbox_id, handle_id, place_key, visibility,
           target, title, url, facts, token, is_live, last_inbound_at, last_inbound_id, created_at)
    SELECT thread, %(organisation)s, conversation, %(inbox)s, handle, 'seed-' || number, 'private', 'seed-' || number,
           '', '', '{}', replace(thread::text, '-', ''), true, at, 'seed-' || number || '-1', at FROM seeded;
    INSERT INTO conversations_message (id, organisation_id, conversation_id, thread_id, inbox_id, kind, visibility,
           author_kind, author_name, handle_id, text, html, quoted, at, received_at, external_id, in_reply_to, state,
           state_reason, language, is_automatic, is_history, keeps_open, remarks, also_to, facts)
    SELECT gen_random_uuid(), %(organisation)s, conversation, thread, %(inbox)s, 'inbound', 'private', 'contact',
           'Klant ' || number, handle, 'Waar blijft mijn bestelling ' || number || '? Ik wacht al ' || place
           || ' dagen op het pakket en hoor niets van de bezorger.', '', '', at - make_interval(mins => 20 - place),
           at, 'seed-' || number || '-' || place, '', 'received', '', 'nl', false, false, false, '[]', '[]', '{}'
      FROM seeded, generate_series(1, CASE WHEN number <= 100 THEN %(each)s ELSE 2 END) AS place;
    INSERT INTO conversations_viewcounter (id, organisation_id, inbox_id, team_id, owner_id, status, count)
    SELECT gen_random_uuid(), %(organisation)s, %(inbox)s, '00000000-0000-0000-0000-000000000000',
           '00000000-0000-0000-0000-000000000000', CASE WHEN is_open THEN 'open' ELSE 'resolved' END, count(*)
      FROM seeded GROUP BY is_open;
    INSERT INTO organisations_numberseries (id, organisation_id, name, last)
    VALUES (gen_random_uuid(), %(organisation)s, 'conversation', %(count)s)
"""


def seed(address: str, *, organisation: UUID, inbox: UUID, count: int, each: int) -> None:
    """Conversations numbered from 1, the first hundred with so many messages each, the others with two.

    Three in ten are open and wait.
    """
    values = {"organisation": organisation, "inbox": inbox, "count": count, "each": each}
    with psycopg.connect(address, autocommit=True) as connection:
        with connection.transaction(), psycopg.ClientCursor(connection) as cursor:
            for statement in _ROWS.split(";\n"):
                cursor.execute(statement.encode(), values)
        connection.execute("VACUUM ANALYZE")
