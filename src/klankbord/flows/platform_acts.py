"""What can be done to a message on its platform beside answering it: like, hide, delete.

agent → wish on the message and a job, one transaction → channel.act, outside any transaction → what became of it, on
the message. Each of these may be asked twice, so a lost answer is asked again; what the platform refuses is shown with
its reason.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from klankbord import channels
from klankbord.contract import Action, ChannelError, Unavailable, Uncertain, Wires
from klankbord.desk import access
from klankbord.desk.conversations.arrivals import withdraw_messages
from klankbord.desk.conversations.cases import record, tell
from klankbord.desk.conversations.models import Message, MessageKind, MessagePart, MessageState
from klankbord.desk.errors import Invalid
from klankbord.desk.organisations.models import Membership, Organisation
from klankbord.desk.wall import organisation

from .accounts import open_account
from .jobs import later
from .sending import change_of
from .wiring import wires as our_wires

WORK = "act"
_THEIRS, _OURS = (Action.LIKE, Action.HIDE, Action.DELETE), (Action.DELETE_OWN,)
_FINAL = frozenset({Action.DELETE, Action.DELETE_OWN})
_ARRIVED = frozenset({MessageState.SENT, MessageState.DELIVERED, MessageState.READ})
_TRIES = 6  # over half an hour
_FIRST_WAIT = timedelta(seconds=30)


def offered(message: Message, kind: str) -> list[Action]:
    """What the channel of this kind lets us do to a message."""
    if not message.external_id or message.deleted_at:
        return []
    if message.kind == MessageKind.INBOUND:
        wanted: Sequence[Action] = _THEIRS
    else:
        wanted = _OURS if message.kind == MessageKind.OUTBOUND and message.state in _ARRIVED else ()
    try:
        can = channels.channel(kind).capabilities.actions
    except channels.UnknownChannel:
        return []
    return [action for action in wanted if action in can]


def is_on(message: Message, action: Action) -> bool:
    """Whether it stands so on the platform, or is wished to."""
    wish: Mapping[str, Any] = message.facts.get("acts", {}).get(action.value, {})
    return bool(wish.get("is_on")) and wish.get("state") != "failed"


def ask(*, message: UUID, action: Action, is_undone: bool, by: Membership, now: datetime) -> Message:
    """Have it done, or undone. Raises Invalid where the channel cannot."""
    access.require(by, "answer")
    access.message_for(by, message)
    found = Message.objects.select_for_update(of=("self",)).select_related("inbox").get(id=message)
    if action not in offered(found, found.inbox.kind) or (is_undone and action in _FINAL):
        raise Invalid
    wish = {"is_on": not is_undone, "state": "waiting", "by": by.name, "at": now.isoformat(), "tries": 0}
    _keep(found, action, wish)
    record(
        [
            {
                "kind": f"message {action.value}" + (" undone" if is_undone else ""),
                "conversation_id": found.conversation_id,
                "message_id": found.id,
                "by_id": by.id,
                "by_kind": "agent",
                "at": now,
                "facts": {},
            }
        ]
    )
    tell([change_of(found, "state")], now=now)
    later(WORK, ids=[found.id])
    return found


def perform(*, organisation_id: UUID, ids: Sequence[UUID], now: datetime, wires: Wires | None = None) -> None:
    """The job: do what is wished of each message. May run twice: what is settled stays."""
    for message_id in ids:
        for action in Action:
            _perform(organisation_id, message_id, action, now, wires or our_wires())


def _perform(organisation_id: UUID, message_id: UUID, action: Action, now: datetime, wires: Wires) -> None:
    with organisation(organisation_id):
        message = Message.objects.select_related("inbox").filter(id=message_id).first()
        wish = message.facts.get("acts", {}).get(action.value) if message else None
        if message is None or not wish or wish["state"] != "waiting" or not message.external_id:
            return
        connected = open_account(message.inbox, Organisation.objects.get(id=organisation_id))
        parts = MessagePart.objects.filter(message_id=message.id).order_by("position")
        targets = [message.external_id, *parts.values_list("external_id", flat=True)]
    trouble: ChannelError | None = None
    try:
        for target in targets:
            connected.channel.act(action, target, connected.account, wires, is_undone=not wish["is_on"])
    except ChannelError as error:
        trouble = error
    with organisation(organisation_id):
        _settle(message_id, action, wish, trouble, now)


def _settle(
    message_id: UUID, action: Action, wish: Mapping[str, Any], trouble: ChannelError | None, now: datetime
) -> None:
    message = Message.objects.select_for_update().get(id=message_id)
    if message.facts.get("acts", {}).get(action.value) != wish:
        return  # somebody wished otherwise meanwhile: that wish has a job of its own
    tries = wish["tries"] + 1
    if isinstance(trouble, Unavailable | Uncertain) and tries < _TRIES:
        _keep(message, action, {**wish, "tries": tries, "reason": trouble.sentence})
        later(WORK, ids=[message.id], wait=_FIRST_WAIT * 2 ** (tries - 1))
    elif trouble is not None:
        _keep(message, action, {**wish, "state": "failed", "reason": trouble.sentence})
    else:
        _keep(message, action, {**wish, "state": "done", "reason": ""})
        if action in _FINAL:
            withdraw_messages({message.id: now})
    tell([change_of(message, "state")], now=now)


def _keep(message: Message, action: Action, wish: Mapping[str, Any]) -> None:
    message.facts = {**message.facts, "acts": {**message.facts.get("acts", {}), action.value: dict(wish)}}
    message.save(update_fields=["facts"])
