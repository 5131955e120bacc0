"""What a visitor does: writes, types, leaves an address. A message is durable before the door says so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.utils.translation import gettext, override

from klankbord.channels.webchat.events import StoredFile, message_id_of, write_message
from klankbord.contract import Delivery
from klankbord.desk.contacts.models import Contact, Handle
from klankbord.desk.conversations.cases import tell
from klankbord.desk.conversations.models import Thread
from klankbord.desk.inboxes.deliveries import put
from klankbord.desk.inboxes.models import Visitor, VisitorUpload
from klankbord.desk.organisations.models import Organisation
from klankbord.desk.wall import organisation

from .entering import KIND, Visit

TYPING_FOR = timedelta(seconds=8)


class LostFile(Exception):
    """One of the files is not this visitor's, is gone, or went with another message."""


@dataclass(frozen=True, slots=True)
class Page:
    """Where on the site the visitor asks, as their browser says."""

    url: str = ""
    title: str = ""


def send_message(
    *,
    visit: Visit,
    client_id: str,
    text: str,
    files: Sequence[UUID] = (),
    language: str = "",
    page: Page = Page(),
    now: datetime,
) -> str:
    """Store a message for the intake; gives its id. The same client_id again is the same message, however often.

    Raises LostFile.
    """
    widget = visit.widget
    message_id = message_id_of(visit.visitor, client_id)
    with organisation(widget.organisation_id):
        stored = _claim_files(visit, files, client_id)
        known = Visitor.objects.get(inbox_id=widget.inbox_id, external_id=visit.visitor)
        Visitor.objects.filter(id=known.id).update(seen_at=now, typed_at=None, language=language or known.language)
        body = write_message(
            message_id=message_id,
            visitor=visit.visitor,
            is_proven=visit.is_proven,
            text=text,
            at=now,
            name=known.name or stand_in(known, widget.organisation_id),
            email=known.email,
            language=language or known.language,
            page_url=page.url,
            page_title=page.title,
            files=stored,
        )
        put([(widget.inbox_id, widget.lane, Delivery(body, now))])
    return message_id


def stand_in(visitor: Visitor, organisation_id: UUID) -> str:
    """What agents call somebody who gave no name, in their organisation's language: told apart, but nobody."""
    language = Organisation.objects.values_list("language", flat=True).get(id=organisation_id)
    with override(language):
        return gettext("Visitor %(code)s") % {"code": visitor.external_id[-4:]}


def leave_address(*, visit: Visit, email: str, name: str = "", now: datetime) -> None:
    """Remember where an answer may be mailed. It proves nothing about who they are, and shows nobody anything."""
    widget = visit.widget
    with organisation(widget.organisation_id):
        found = Visitor.objects.filter(inbox_id=widget.inbox_id, external_id=visit.visitor)
        facts = {"email": email} | ({"name": name} if name else {})
        found.update(**facts, seen_at=now)
        handle = Handle.objects.filter(kind=KIND, realm=str(widget.inbox_id), external_id=visit.visitor).first()
        if handle is not None:
            if name:
                Contact.objects.filter(id=handle.contact_id, name=handle.name).update(name=name)
            Handle.objects.filter(id=handle.id).update(**facts)


def typing(*, visit: Visit, is_typing: bool, now: datetime) -> None:
    """Let the agents who look at it see that the visitor is writing; said once per burst."""
    widget = visit.widget
    with organisation(widget.organisation_id):
        known = Visitor.objects.filter(inbox_id=widget.inbox_id, external_id=visit.visitor).first()
        if known is None:
            return
        was_typing = bool(known.typed_at and known.typed_at > now - TYPING_FOR)
        Visitor.objects.filter(id=known.id).update(typed_at=now if is_typing else None, seen_at=now)
        if was_typing != is_typing:
            _tell_agents(visit, now)


def is_visitor_typing(*, conversation: UUID, now: datetime) -> bool:
    """For the agents' screen, inside an open organisation: is a visitor of this conversation writing just now?"""
    places = Thread.objects.filter(conversation_id=conversation, inbox__kind=KIND).values_list("inbox_id", "place_key")
    return any(
        Visitor.objects.filter(inbox_id=inbox, external_id=visitor, typed_at__gt=now - TYPING_FOR).exists()
        for inbox, visitor in places
    )


def _tell_agents(visit: Visit, now: datetime) -> None:
    thread = Thread.objects.filter(inbox_id=visit.widget.inbox_id, place_key=visit.visitor, is_live=True).first()
    if thread is not None:
        change = {"conversation": thread.conversation_id, "inbox": thread.inbox_id, "thread": thread.id}
        tell([{**change, "what": "typing"}], now=now)


def _claim_files(visit: Visit, files: Sequence[UUID], client_id: str) -> list[StoredFile]:
    if not files:
        return []
    own = VisitorUpload.objects.filter(
        id__in=sorted(set(files)),
        inbox_id=visit.widget.inbox_id,
        visitor=visit.visitor,
        sent_as__in=("", client_id),
    )
    found = {each.id: each for each in own.select_for_update()}
    if found.keys() != set(files):
        raise LostFile
    own.update(sent_as=client_id)
    chosen = [found[each] for each in dict.fromkeys(files)]
    return [StoredFile(each.key, each.name, each.content_type, each.size) for each in chosen]
