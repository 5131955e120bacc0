"""Whether a reply can go as it was written: the place, the channel's limits, and what happened meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.utils.translation import gettext as _

from klankbord import channels
from klankbord.contract import Action, Visibility
from klankbord.desk.conversations.models import (
    Attachment,
    AttachmentState,
    Message,
    MessageKind,
    MessageState,
    Thread,
)
from klankbord.desk.errors import BecomesPublic, CannotReply, Invalid, SomebodyAnswered
from klankbord.desk.organisations.models import Membership
from klankbord.desk.rows import run
from klankbord.desk.wall import current_organisation_id
from klankbord.kernel.ids import random_token, uuid7
from klankbord.kernel.text import clean

from .accounts import Connected, open_account
from .closing import closing_of, signed
from .composing import blocked_reason


def check(thread: Thread, text: str, files: Sequence[Attachment], by: Membership) -> None:
    """Everything the platform would refuse is refused here first, with the reason."""
    connected: Connected = open_account(thread.inbox, thread.organisation)
    reason = blocked_reason(thread, connected)
    if reason:
        raise CannotReply(reason)
    if not clean(text).strip() and not files:
        raise Invalid(_("Write something first."))
    capabilities, channel = connected.channel.capabilities, connected.channel
    limit = channel.text_limit(connected.account)
    length = channel.length(signed(clean(text).strip(), closing_of(thread.inbox, by)), connected.account)
    if limit.maximum is not None and length > limit.maximum and not limit.splits:
        raise CannotReply(
            _("%(over)d too many: %(channel)s takes %(limit)d at most.")
            % {"over": length - limit.maximum, "channel": channel.label, "limit": limit.maximum}
        )
    if len(files) > capabilities.media.count:
        raise CannotReply(_("%(channel)s takes %(count)d files at most.")
                          % {"channel": channel.label, "count": capabilities.media.count})  # fmt: skip
    for each in files:
        if capabilities.media.bytes_each and (each.size or 0) > capabilities.media.bytes_each:
            raise CannotReply(
                _("%(name)s is too large: %(channel)s takes files up to %(size)d MB.")
                % {"name": each.name, "channel": channel.label, "size": capabilities.media.bytes_each // 1_000_000}
            )
        if not each.content_type.startswith(capabilities.media.content_types or ("",)):
            raise CannotReply(_("%(channel)s does not take this kind of file.") % {"channel": channel.label})


def refuse_if_answered(thread: Thread, by: Membership, seen_message: UUID | None) -> None:
    """Somebody else's reply that this person cannot have seen: newer (by its time-ordered id) than the newest seen."""
    if seen_message is None:
        return
    newer = Message.objects.filter(
        conversation_id=thread.conversation_id, kind=MessageKind.OUTBOUND, author_kind="agent", id__gt=seen_message
    ).exclude(author=by)
    if newer.exclude(state=MessageState.TAKEN_BACK).exists():
        raise SomebodyAnswered


def refuse_unless_meant(thread: Thread, *, began_in_private: bool) -> None:
    """Words that were begun in private, or that answer what was said there, become public only when somebody says so.

    Raises BecomesPublic.
    """
    if thread.visibility != Visibility.PUBLIC:
        return
    later = run(
        "SELECT 1 FROM conversations_thread WHERE organisation_id = %s AND conversation_id = %s"
        " AND visibility = 'private' AND last_inbound_at > coalesce(%s, '-infinity'::timestamptz) LIMIT 1",
        [current_organisation_id(), thread.conversation_id, thread.last_inbound_at],
    )
    name = thread.handle.name or thread.handle.username
    if later:
        raise BecomesPublic(_("%(name)s wrote in private. This would be there for everybody to read.") % {"name": name})
    if began_in_private:
        raise BecomesPublic


def answered_message(thread: Thread, message: UUID | None) -> Message | None:
    """The one message of the contact that a reply answers, where the channel can point at it. Raises Invalid."""
    if message is None:
        return None
    found: Message | None = Message.objects.filter(
        id=message, thread_id=thread.id, kind=MessageKind.INBOUND, external_id__isnull=False
    ).first()
    if found is None or not channels.channel(thread.inbox.kind).capabilities.answers_one:
        raise Invalid(_("This message cannot be answered by itself."))
    return found


def private_thread(thread: Thread, visibility: str, now: datetime) -> Thread:
    """The private thread beside a public one, in the same case: found or made.

    A place has one live thread, and thereby one lane and one case: what the person answers there arrives in that case.
    Where it belongs to another case of theirs, words of this one would be stored, and answered, over there, while this
    one goes on waiting; a second thread in the same place would break the order. So the agent is sent to that case.
    """
    channel = channels.channel(thread.inbox.kind)
    if visibility != Visibility.PRIVATE or Action.PRIVATE_REPLY not in channel.capabilities.actions:
        raise CannotReply(_("This channel cannot answer a public message in private."))
    place_key = thread.facts.get("private_place_key") or f"private:{thread.handle.external_id}"
    live = Thread.objects.select_related("conversation").filter(inbox_id=thread.inbox_id, is_live=True)
    found: Thread | None = live.filter(place_key=place_key).first()
    if found is not None and found.conversation_id != thread.conversation_id:
        raise CannotReply(
            _("A private conversation with %(name)s runs here already, in %(case)s. Answer there.")
            % {"name": thread.handle.name or thread.handle.username, "case": found.conversation}
        )
    if found is not None:
        return found
    made: Thread = Thread.objects.create(
        id=uuid7(), conversation_id=thread.conversation_id, inbox_id=thread.inbox_id, handle_id=thread.handle_id,
        place_key=place_key, visibility=Visibility.PRIVATE, target=thread.target, title=thread.title, url=thread.url,
        facts=thread.facts, token=random_token(80), created_at=now, last_inbound_id=thread.last_inbound_id,
        last_inbound_at=thread.last_inbound_at,
    )  # fmt: skip
    return made


def own_uploads(attachments: Sequence[UUID], thread: Thread, by: Membership) -> list[Attachment]:
    wanted = sorted(set(attachments))
    if not wanted:
        return []
    files = list(
        Attachment.objects.filter(
            id__in=wanted,
            conversation_id=thread.conversation_id,
            message=None,
            uploaded_by=by,
            state=AttachmentState.READY,
        )
    )
    if len(files) != len(wanted):
        raise Invalid(_("One of the files is no longer there. Add it again."))
    return files
