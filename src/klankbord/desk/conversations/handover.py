"""The conversations of somebody who leaves, or of a team that goes: to others, as sets of rows."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from ..organisations.models import Membership
from ..rows import run
from ..wall import current_organisation_id
from .cases import lock_cases, record, store_cases, tell
from .models import Status

_BATCH = 500
_MAY_COME_BACK = (Status.OPEN, Status.PENDING, Status.SNOOZED, Status.RESOLVED)
# Resolved ones too, as long as a new message opens them again: it would be nobody's to see.
_HELD = f"""
    SELECT c.id, c.status FROM conversations_conversation c
      JOIN inboxes_inbox i ON i.organisation_id = c.organisation_id AND i.id = c.inbox_id
     WHERE c.organisation_id = %s AND {{whose}} = %s AND c.status = ANY(ARRAY{[str(each) for each in _MAY_COME_BACK]})
       AND (c.status <> 'resolved' OR c.resolved_at > %s - make_interval(days => i.reopen_days))
     ORDER BY c.id"""


def held_by(*, owner: UUID | None = None, team: UUID | None = None, now: datetime) -> list[tuple[UUID, str]]:
    """Ids and statuses of what a person or a team still has to do with."""
    whose = "c.owner_id" if owner else "c.team_id"
    return run(_HELD.format(whose=whose), [current_organisation_id(), owner or team, now])


def hand_over(
    *, owner: UUID | None = None, team: UUID | None = None, to_owner: UUID | None, to_team: UUID | None,
    by: Membership, now: datetime,
) -> int:  # fmt: skip
    """All that a person (or a team) holds goes to a person, a team, or back to nobody; gives how many.

    A person's conversations keep their team unless another one takes them, a team's keep their owner.
    """
    ids = [conversation for conversation, _status in held_by(owner=owner, team=team, now=now)]
    for start in range(0, len(ids), _BATCH):
        cases = [
            case
            for case in lock_cases(ids[start : start + _BATCH]).values()
            if (case.owner_id == owner if owner else case.team_id == team)
        ]
        for case in cases:
            case.owner_id = to_owner if owner or to_owner else case.owner_id
            case.team_id = to_team if team or to_team else case.team_id
        store_cases(cases)
        record(
            [
                {
                    "kind": "conversation assigned",
                    "conversation_id": case.id,
                    "message_id": None,
                    "by_id": by.id,
                    "by_kind": "agent",
                    "at": now,
                    "facts": {
                        "owner": case.owner_id and str(case.owner_id), "team": case.team_id and str(case.team_id),
                    },
                }
                for case in cases
            ]
        )  # fmt: skip
        tell(
            [{"conversation": case.id, "inbox": case.inbox_id, "thread": None, "what": "state"} for case in cases],
            now=now,
        )
    return len(ids)
