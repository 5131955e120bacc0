"""Who is at the desk, who is looking at a conversation now, and who is typing: short-lived facts, so that two people do
not answer one, and nobody waits for who is not there."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from klankbord.desk import access, rows
from klankbord.desk.conversations.cases import tell
from klankbord.desk.conversations.models import Viewing
from klankbord.desk.errors import Invalid
from klankbord.desk.notices.models import Presence, PresenceState
from klankbord.desk.organisations import queries
from klankbord.desk.organisations.models import Membership, User
from klankbord.desk.wall import current_organisation_id
from klankbord.kernel.ids import uuid7

_COLLEAGUES = rows.Instances(m=Membership, u=User, leave_out={"u.password"})
_SEEN_FOR = timedelta(seconds=30)
_TYPING_FOR = timedelta(seconds=8)
_AWAY_AFTER = timedelta(minutes=10)  # without a sign


def seen(*, conversation: UUID, by: Membership, now: datetime, is_typing: bool = False) -> None:
    """This person has the conversation on screen; said again every quarter minute."""
    found = access.conversation_for(by, conversation)
    before = Viewing.objects.filter(conversation_id=found.id, member=by).first()
    typed_at = now if is_typing else before.typed_at if before else None
    Viewing.objects.update_or_create(
        conversation_id=found.id, member=by, defaults={"seen_at": now, "typed_at": typed_at}
    )
    was_here = before is not None and before.seen_at > now - _SEEN_FOR
    was_typing = before is not None and before.typed_at is not None and before.typed_at > now - _TYPING_FOR
    if not was_here or is_typing != was_typing:
        what = "typing" if is_typing else "viewing"
        tell([{"conversation": found.id, "inbox": found.inbox_id, "thread": None, "what": what}], now=now)


def others(*, conversation: UUID, by: Membership, now: datetime) -> list[tuple[Membership, bool]]:
    """Colleagues who have it on screen, and whether they are typing."""
    found = rows.run(
        f"""SELECT v.typed_at, {_COLLEAGUES.columns} FROM conversations_viewing v
              JOIN organisations_membership m ON m.id = v.member_id
              JOIN organisations_user u ON u.id = m.user_id
             WHERE v.organisation_id = %s AND v.conversation_id = %s AND v.seen_at > %s AND v.member_id <> %s
             ORDER BY v.seen_at""",
        [current_organisation_id(), conversation, now - _SEEN_FOR, by.id],
    )
    return [(_colleague(*_COLLEAGUES.of(each)), bool(typed_at and typed_at > now - _TYPING_FOR))
            for typed_at, *each in found]  # fmt: skip


def be(*, state: str, by: Membership, now: datetime) -> None:
    """Available, busy or away, as they say themselves. Raises Invalid."""
    if state not in PresenceState.values:
        raise Invalid
    Presence.objects.update_or_create(member=by, defaults={"chosen": state, "active_at": now})


def sign_of(*, by: Membership, now: datetime) -> None:
    """They did something just now; said at most once a minute."""
    rows.run(
        "INSERT INTO notices_presence (id, organisation_id, member_id, chosen, active_at) VALUES (%s, %s, %s, %s, %s)"
        " ON CONFLICT (organisation_id, member_id) DO UPDATE SET active_at = EXCLUDED.active_at",
        [uuid7(), current_organisation_id(), by.id, PresenceState.AVAILABLE.value, now],
    )


def states(*, now: datetime) -> dict[UUID, PresenceState]:
    """Of everybody who was ever here; who is missing is away. Busy or available needs a sign of the last minutes."""
    return {
        each.member_id: PresenceState(each.chosen)
        if each.active_at and each.active_at > now - _AWAY_AFTER
        else PresenceState.AWAY
        for each in Presence.objects.all()
    }


def at_the_desk(*, now: datetime) -> list[tuple[Membership, PresenceState]]:
    """Colleagues, those who are here first."""
    found = states(now=now)
    order = list(PresenceState)
    people = [(each, found.get(each.id, PresenceState.AWAY)) for each in queries.colleagues()]
    return sorted(people, key=lambda each: order.index(each[1]))


def _colleague(member: Membership, user: User) -> Membership:
    member.user = user
    return member
