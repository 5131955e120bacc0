"""Echoes: the platform shows us our own message before, or instead of, the answer to our call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from klankbord.contract import Arrived
from klankbord.desk.conversations.arrivals import ExternalKey, KnownMessage
from klankbord.desk.inboxes.models import Outcome
from klankbord.desk.rows import packed, run
from klankbord.desk.wall import current_organisation_id

from .reading import Entry


def adopt_echoes(entries: Sequence[Entry], known: Mapping[ExternalKey, KnownMessage]) -> dict[ExternalKey, UUID]:
    """Give a message of ours that is on its way the id under which it just appeared; gives whose id that is.

    Matched by the key we gave when sending, else by the same words (with the inbox's signature) in the same place.
    Its outbox row goes: what is seen on the platform has arrived, whatever became of the call. A message that waits
    for its next try may have arrived at the last one; one that was never tried has not.
    """
    echoes = [
        (entry, entry.item)
        for entry in entries
        if not entry.outcome
        and isinstance(entry.item, Arrived)
        and entry.item.is_own
        and (entry.inbox_id, entry.item.external_id) not in known
    ]
    if not echoes:
        return {}
    rows = [
        {
            "place": place,
            "inbox_id": entry.inbox_id,
            "place_key": item.place.key,
            "key": uuid_or_none(item.client_key),
            "words": " ".join(item.text.split()),
            "external_id": item.external_id,
            "at": item.at,
        }
        for place, (entry, item) in enumerate(echoes)
    ]
    adopted = run(
        """WITH echo AS (
               SELECT DISTINCT ON (m.id) r.place, m.id, r.external_id, r.at
                 FROM json_to_recordset(%s::json) AS r(place integer, inbox_id uuid, place_key text, key uuid,
                      words text, external_id text, at timestamptz)
                 JOIN conversations_message m ON m.organisation_id = %s AND m.inbox_id = r.inbox_id
                  AND m.kind = 'outbound' AND m.external_id IS NULL
                 JOIN conversations_outbox o ON o.organisation_id = m.organisation_id AND o.id = m.id AND o.attempts > 0
                 JOIN conversations_thread t ON t.organisation_id = m.organisation_id AND t.id = m.thread_id
                 JOIN inboxes_inbox i ON i.organisation_id = m.organisation_id AND i.id = m.inbox_id
                WHERE m.id = r.key OR (r.key IS NULL AND t.place_key = r.place_key AND r.words IN (
                  regexp_replace(btrim(m.text), '\\s+', ' ', 'g'),
                  regexp_replace(btrim(m.text || ' ' || i.signature), '\\s+', ' ', 'g')))
                ORDER BY m.id, r.place),
             gone AS (DELETE FROM conversations_outbox o USING echo WHERE o.organisation_id = %s AND o.id = echo.id)
           UPDATE conversations_message m SET external_id = echo.external_id, state = 'sent', state_at = echo.at,
                  state_reason = ''
             FROM echo WHERE m.organisation_id = %s AND m.id = echo.id RETURNING echo.place, m.id""",
        [packed(rows), *[current_organisation_id()] * 3],
    )
    for place, _ in adopted:
        echoes[place][0].outcome = Outcome.DUPLICATE
    return {(echoes[place][0].inbox_id, echoes[place][1].external_id): message for place, message in adopted}


def uuid_or_none(key: str) -> UUID | None:
    try:
        return UUID(key)
    except ValueError:
        return None
