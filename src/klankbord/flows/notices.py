"""What people of the desk should hear of, and what they do with it.

something happened → `notify` (or one of its kin) → a line in the page, and a mail for who wants a digest
(`digests`). Screens learn of it by the change that caused it; nothing is sent twice.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from klankbord.desk import access
from klankbord.desk.conversations.cases import tell
from klankbord.desk.errors import Invalid
from klankbord.desk.notices.models import Digest, NoticeChoices, NoticeKind
from klankbord.desk.notices.services import Notice, mark_read, settle_mentions, tell_people
from klankbord.desk.organisations.models import Membership
from klankbord.desk.rows import run
from klankbord.desk.wall import current_organisation_id

OPTIONAL = (
    NoticeKind.ANSWERED,
    NoticeKind.ASSIGNED,
    NoticeKind.MENTIONED,
    NoticeKind.FAILED,
    NoticeKind.RETURNED,
)


def notify(
    *,
    kind: NoticeKind,
    conversation: UUID,
    members: Collection[UUID],
    by: Membership | None,
    now: datetime,
    message: UUID | None = None,
    times: int = 1,
) -> None:
    """Tell these people about a conversation; whoever did it is not told. Runs inside `with organisation(id):`."""
    by_id = by.id if by else None
    tell_people(
        [Notice(member, kind, conversation, message, by_id, times) for member in set(members) - {by_id}], now=now
    )


def customers_answered(heard: Sequence[tuple[UUID, UUID, UUID]], *, now: datetime) -> None:
    """Of a batch: owner, conversation and message, where a customer wrote in somebody's conversation."""
    tell_people([Notice(owner, NoticeKind.ANSWERED, case, message) for owner, case, message in heard], now=now)


def replies_failed(messages: Collection[UUID], *, now: datetime) -> None:
    """Their authors must look: these replies did not arrive, or nobody knows. None fails most of the time."""
    if not messages:
        return
    found = run(
        "SELECT author_id, conversation_id, id FROM conversations_message"
        " WHERE organisation_id = %s AND id = ANY(%s) AND author_id IS NOT NULL",
        [current_organisation_id(), sorted(messages)],
    )
    tell_people([Notice(author, NoticeKind.FAILED, case, message) for author, case, message in found], now=now)


def read_notice(*, notice: UUID, by: Membership, now: datetime) -> None:
    mark_read(member=by.id, notice=notice, now=now)


def read_in(*, conversation: UUID, by: Membership, now: datetime) -> None:
    """They have this conversation before them."""
    mark_read(member=by.id, conversation=access.conversation_for(by, conversation).id, now=now)


def read_all(*, by: Membership, now: datetime) -> None:
    mark_read(member=by.id, now=now)


def put_mention_away(*, conversation: UUID, by: Membership, now: datetime) -> None:
    """Nothing to do about it: out of the list of mentions."""
    found = access.conversation_for(by, conversation)
    settle_mentions(conversation=found.id, member=by.id, now=now)
    mark_read(member=by.id, conversation=found.id, now=now)
    tell([{"conversation": found.id, "inbox": found.inbox_id, "thread": None, "what": "state"}], now=now)


def choose(*, by: Membership, wanted: Collection[str], digest: str, has_previews: bool) -> NoticeChoices:
    """wanted: kinds to hear of; what is not asked for, such as a shift that is handed over, is always told."""
    if digest not in Digest.values:
        raise Invalid
    found: NoticeChoices
    found, _made = NoticeChoices.objects.update_or_create(
        member=by,
        defaults={
            "unwanted": [str(kind) for kind in OPTIONAL if kind not in wanted],
            "digest": digest,
            "has_previews": has_previews,
        },
    )
    return found
