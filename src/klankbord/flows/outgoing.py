"""From a stored reply to the contract's words for it."""

from __future__ import annotations

from uuid import UUID

from klankbord.contract import AuthorKind, Outgoing, Person, Upload, Visibility
from klankbord.desk.contacts.models import Handle
from klankbord.desk.conversations.models import Attachment, Message, MessageKind, MessagePart, Thread
from klankbord.kernel.tags import sign_tag

from .accounts import Connected, open_account
from .closing import closing_of, signed
from .store import file_store

_CHAIN = 30  # how many earlier ids go along: mail's References


def outgoing_of(message_id: UUID) -> tuple[Outgoing, Connected]:
    """Runs inside `with organisation(id):`."""
    message: Message = Message.objects.select_related(
        "thread__handle", "thread__inbox", "organisation", "author__user", "author__organisation"
    ).get(id=message_id)
    thread: Thread = message.thread
    connected = open_account(thread.inbox, message.organisation)
    parts = MessagePart.objects.filter(message_id=message.id).order_by("position").values_list("external_id", flat=True)
    author = message.author if message.author_kind == AuthorKind.AGENT else None
    outgoing = Outgoing(
        key=str(message.id),
        text=signed(message.text, closing_of(thread.inbox, author)) if author else message.text,
        visibility=Visibility(message.visibility),
        to=_person(thread.handle),
        place_key=thread.place_key,
        target=thread.target,
        author_kind=AuthorKind(message.author_kind),
        author_name=message.author_name,
        title=thread.title,
        in_reply_to=message.in_reply_to,
        thread_ids=tuple(_chain(thread)),
        reply_tag=sign_tag(thread.token, key=connected.account.reply_key),
        uploads=tuple(_upload(each) for each in Attachment.objects.filter(message_id=message.id).order_by("id")),
        parts_done=tuple(parts),
        is_automatic=message.is_automatic,
        facts=thread.facts,
    )
    return outgoing, connected


def _person(handle: Handle) -> Person:
    return Person(
        external_id=handle.external_id,
        name=handle.name,
        username=handle.username,
        realm=handle.realm,
        email=handle.email,
        phone=handle.phone,
        is_proven=handle.is_proven,
        facts=handle.facts,
    )


def _chain(thread: Thread) -> list[str]:
    ids = (
        Message.objects.filter(thread_id=thread.id, external_id__isnull=False)
        .exclude(kind=MessageKind.NOTE)
        .order_by("-at", "-id")
        .values_list("external_id", flat=True)[:_CHAIN]
    )
    return [each for each in reversed(ids) if each]


def _read(shelf: str, key: str) -> bytes:
    with file_store().open(shelf, key) as file:
        return file.read()


def _upload(attachment: Attachment) -> Upload:
    shelf, key = str(attachment.organisation_id), attachment.key
    return Upload(
        name=attachment.name,
        content_type=attachment.content_type,
        size=attachment.size or 0,
        read=lambda: _read(shelf, key),
        description=attachment.description,
    )
