"""An inbox's optional acknowledgement: once per conversation, at most one per person a day, never to machines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from klankbord.contract import AuthorKind
from klankbord.desk.rows import run
from klankbord.desk.wall import current_organisation_id

from .sending import queue_automatic_all

_PAUSE = timedelta(hours=24)
# Locked first, and looked at in a statement of its own: a person who writes to two of our inboxes in the same second
# is answered by one of them. Gathered apart, or the database looks the batch up again for every person it knows.
_WRITERS = """
    WITH writers AS MATERIALIZED (
           SELECT DISTINCT t.handle_id FROM conversations_thread t
             JOIN inboxes_inbox i ON i.organisation_id = t.organisation_id AND i.id = t.inbox_id AND i.acknowledges
            WHERE t.organisation_id = %s AND t.conversation_id = ANY(%s))
    SELECT h.id FROM contacts_handle h JOIN writers ON writers.handle_id = h.id
     WHERE h.organisation_id = %s ORDER BY h.id FOR UPDATE OF h"""
_WANTED = """
    SELECT DISTINCT ON (t.handle_id) t.id, t.handle_id, i.acknowledgement
      FROM conversations_thread t
      JOIN inboxes_inbox i ON i.organisation_id = t.organisation_id AND i.id = t.inbox_id AND i.acknowledges
       AND i.state = 'connected'
      JOIN conversations_message m ON m.organisation_id = t.organisation_id AND m.thread_id = t.id
       AND m.kind = 'inbound' AND NOT m.is_automatic AND NOT m.is_history
      JOIN conversations_conversation c ON c.organisation_id = t.organisation_id AND c.id = t.conversation_id
       AND c.status = 'open'
     WHERE t.organisation_id = %s AND t.conversation_id = ANY(%s) AND t.visibility = 'private'
       AND NOT EXISTS (
           SELECT 1 FROM conversations_thread u
             JOIN conversations_message a ON a.organisation_id = u.organisation_id AND a.thread_id = u.id
              AND a.is_automatic AND a.kind = 'outbound' AND a.at > %s
            WHERE u.organisation_id = t.organisation_id AND u.handle_id = t.handle_id)
     ORDER BY t.handle_id, t.id"""


def acknowledge(opened: Sequence[Mapping[str, Any]], now: datetime) -> None:
    """Queue acknowledgements for new private conversations of inboxes that want them."""
    conversations: list[UUID] = [event["conversation_id"] for event in opened if not event["facts"].get("is_history")]
    if not conversations:
        return
    ours, batch = current_organisation_id(), sorted(conversations)
    if not run(_WRITERS, [ours, batch, ours]):
        return
    wanted = run(_WANTED, [ours, batch, now - _PAUSE])
    texts = {thread_id: text for thread_id, _, text in wanted if text.strip()}
    if texts:
        queue_automatic_all(texts, author_kind=AuthorKind.SYSTEM, now=now)
