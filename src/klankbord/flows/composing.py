"""What the composer must know before the first letter: where words go, who reads them, how many fit, or why not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from klankbord import channels
from klankbord.contract import Action, Visibility
from klankbord.desk import access, rows
from klankbord.desk.conversations.models import Conversation, Draft, DraftKind, Thread
from klankbord.desk.inboxes.models import InboxState
from klankbord.desk.organisations.models import Membership, User
from klankbord.desk.wall import current_organisation_id

from .accounts import Connected, open_account
from .closing import closing_of, signed
from .platform_words import said

_DRAFTS = rows.Instances(d=Draft, m=Membership, u=User, leave_out={"u.password"})
_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class ComposerMode:
    """One place where a reply can go. unit: a `contract.LengthUnit`; per_link: what any link counts for.

    closing: what is put behind the words (initials, signature). answers_one: whether one message can be pointed at.
    """

    thread_id: UUID
    visibility: str
    channel_label: str
    kind: str
    band_sentence: str
    limit: int | None
    unit: str
    per_link: int | None
    splits: bool
    media_count: int
    media_bytes: int
    media_types: tuple[str, ...]
    window_closes_at: datetime | None
    blocked_reason: str
    warning: str
    has_title: bool
    closing: str = ""
    answers_one: bool = False

    @property
    def is_public(self) -> bool:
        return self.visibility == Visibility.PUBLIC


@dataclass(frozen=True, slots=True)
class Composer:
    """The first mode is the one to offer: where the draft was begun, else where the contact spoke last.

    spoke_last_in: the contact's own last place, whatever a draft says. spoke_last_at: when that was.
    """

    modes: tuple[ComposerMode, ...]
    spoke_last_in: ComposerMode | None
    spoke_last_at: datetime | None
    reply_draft: str
    note_draft: str
    draft_saved_at: datetime | None
    returned: Mapping[str, Any]
    beside: Beside


@dataclass(frozen=True, slots=True)
class Beside:
    """What stands beside one's own words: replies of colleagues that wait for approval, and what they are writing.

    own: this person's reply that waits for approval. Each draft with its `member` and that one's `user`.
    """

    proposals: tuple[Draft, ...]
    own: Draft | None
    drafts: tuple[Draft, ...]

    def __bool__(self) -> bool:
        return bool(self.proposals or self.own or self.drafts)


def composer(
    *, conversation: Conversation, by: Membership, now: datetime, threads: Sequence[Thread] | None = None
) -> Composer:
    """conversation: as `access` gave it to this person. threads: all of it, with inbox and handle, if known already."""
    if threads is None:
        threads = list(Thread.objects.select_related("inbox", "handle").filter(conversation_id=conversation.id))
    threads = sorted(threads, key=lambda thread: (thread.last_inbound_at or _NEVER, thread.created_at), reverse=True)
    modes = [mode for thread in threads for mode in _modes(thread, threads, by)]
    spoke_last_at = threads[0].last_inbound_at if threads else None
    spoke_last_in = modes[0] if spoke_last_at else None
    everybodys = drafts_in(conversation.id)
    drafts = {draft.kind: draft for draft in everybodys if draft.member_id == by.id}
    reply, note = drafts.get("reply"), drafts.get("note")
    if reply is not None and reply.thread_id:
        modes.sort(key=lambda mode: mode.thread_id != reply.thread_id)
    return Composer(
        modes=tuple(modes),
        spoke_last_in=spoke_last_in,
        spoke_last_at=spoke_last_at,
        reply_draft=reply.text if reply else "",
        note_draft=note.text if note else "",
        draft_saved_at=max((draft.saved_at for draft in (reply, note) if draft is not None), default=None),
        returned=reply.facts.get("returned", {}) if reply else {},
        beside=beside(everybodys, by),
    )


def drafts_in(conversation: UUID) -> list[Draft]:
    """Everybody's unsent words, each with who writes them, oldest first."""
    found = rows.run(
        f"""SELECT {_DRAFTS.columns} FROM conversations_draft d
              JOIN organisations_membership m ON m.id = d.member_id
              JOIN organisations_user u ON u.id = m.user_id
             WHERE d.organisation_id = %s AND d.conversation_id = %s ORDER BY d.saved_at, d.id""",
        [current_organisation_id(), conversation],
    )
    return [_draft(*_DRAFTS.of(each)) for each in found]


def _draft(draft: Draft, member: Membership, user: User) -> Draft:
    draft.member, member.user = member, user
    return draft


def beside(drafts: Sequence[Draft], by: Membership) -> Beside:
    """Of all drafts in a conversation, what this person should know of. Notes are nobody else's."""
    proposals = [draft for draft in drafts if draft.kind == DraftKind.PROPOSAL]
    return Beside(
        proposals=tuple(draft for draft in proposals if draft.member_id != by.id),
        own=next((draft for draft in proposals if draft.member_id == by.id), None),
        drafts=tuple(each for each in drafts if each.kind == DraftKind.REPLY and each.member_id != by.id),
    )


def counted_length(*, conversation: UUID, thread: UUID, text: str, by: Membership) -> int:
    """The text's length as the platform of this thread counts it, with what is put behind it."""
    found = access.thread_for(by, conversation, thread)
    connected = open_account(found.inbox, found.organisation)
    return connected.channel.length(signed(text.strip(), closing_of(found.inbox, by)), connected.account)


@cache
def can_point_at(kind: str) -> bool:
    """Whether a reply in a channel of this kind can answer one message in particular."""
    return kind in channels.kinds() and channels.channel(kind).capabilities.answers_one


def blocked_reason(thread: Thread, connected: Connected) -> str:
    """Why nothing can be sent in this thread now, "" when it can."""
    inbox = connected.inbox
    if inbox.state == InboxState.DISCONNECTED:
        return _("%(inbox)s is disconnected.") % {"inbox": inbox.name}
    if inbox.state == InboxState.BROKEN:
        return _("%(inbox)s no longer lets us in: %(reason)s An administrator can reconnect it.") % {
            "inbox": inbox.name,
            "reason": said(inbox.state_reason),
        }
    if not thread.handle.is_reachable:
        return _("%(name)s can no longer be reached here. %(reason)s") % {
            "name": thread.handle.name or thread.handle.username,
            "reason": thread.handle.unreachable_reason,
        }
    closes_at = window_closes_at(thread, connected)
    if closes_at is not None and closes_at <= timezone.now():
        return _("The time in which %(channel)s lets us answer freely is over.") % {"channel": connected.channel.label}
    if thread.facts.get("is_gone"):
        return _("What this would answer is no longer there.")
    return ""


def window_closes_at(thread: Thread, connected: Connected) -> datetime | None:
    """When the reply window of this thread shuts; None: never."""
    duration = connected.channel.capabilities.window.duration
    if duration is None or thread.last_inbound_at is None:
        return None
    return thread.last_inbound_at + duration


def _modes(thread: Thread, threads: Sequence[Thread], by: Membership) -> list[ComposerMode]:
    connected = open_account(thread.inbox, by.organisation)
    modes = [_mode(thread, connected, thread.visibility, by)]
    can_go_private = (
        thread.visibility == Visibility.PUBLIC
        and Action.PRIVATE_REPLY in connected.channel.capabilities.actions
        and not any(each.inbox_id == thread.inbox_id and each.visibility == Visibility.PRIVATE for each in threads)
    )
    if can_go_private:
        modes.append(_mode(thread, connected, Visibility.PRIVATE, by))
    return modes


def _mode(thread: Thread, connected: Connected, visibility: str, by: Membership) -> ComposerMode:
    channel, capabilities = connected.channel, connected.channel.capabilities
    limit = channel.text_limit(connected.account)
    return ComposerMode(
        thread_id=thread.id,
        visibility=str(visibility),
        channel_label=channel.label,
        kind=thread.inbox.kind,
        band_sentence=_band(thread, channel.label, visibility),
        limit=limit.maximum,
        unit=str(limit.unit),
        per_link=limit.per_link,
        splits=limit.splits,
        media_count=capabilities.media.count,
        media_bytes=capabilities.media.bytes_each,
        media_types=capabilities.media.content_types,
        window_closes_at=window_closes_at(thread, connected),
        blocked_reason=blocked_reason(thread, connected),
        warning=_(capabilities.third_parties_may_read)
        if visibility == Visibility.PRIVATE and capabilities.third_parties_may_read
        else "",
        has_title=capabilities.has_title,
        closing=closing_of(thread.inbox, by),
        answers_one=capabilities.answers_one and visibility == thread.visibility,
    )


def _band(thread: Thread, label: str, visibility: str) -> str:
    """Where these words go, in one sentence."""
    name = (thread.handle.name or thread.handle.username).split(" ")[0]
    if visibility == Visibility.PRIVATE:
        return _("via %(channel)s, only %(name)s reads this") % {"channel": label, "name": name or _("the customer")}
    audience = (thread.context or {}).get("audience")
    if audience:
        return _("on %(channel)s, about %(audience)s people see this") % {
            "channel": label,
            "audience": number_format(audience, force_grouping=True),
        }
    return _("on %(channel)s, anyone can read this") % {"channel": label}
