"""Files that come with messages: fetched at once by a job through the guarded egress, sniffed, kept on our side.

The message never waits for its files, and a platform's address is never shown to a browser. A trouble that may pass is
waited out some times, while the message says that the file is being fetched; a plain no is final.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from klankbord.contract import (
    Arrived,
    ChannelError,
    CredentialsRejected,
    Delivery,
    Media,
    MediaKind,
    Unavailable,
    Uncertain,
)
from klankbord.desk.conversations.cases import tell
from klankbord.desk.conversations.models import Attachment, AttachmentState, Message
from klankbord.desk.organisations.models import Organisation
from klankbord.desk.rows import run
from klankbord.desk.wall import current_organisation_id, organisation
from klankbord.plumbing.files import FileTooLargeError, clean_image, display_name, sniff

from .accounts import Connected, open_account
from .jobs import later
from .parsing import parse_all
from .sending import change_of
from .store import file_store
from .wiring import wires

log = logging.getLogger(__name__)

LARGEST_FILE = 25_000_000
_TRIES = 7  # over half an hour: what is ill longer is seen as such, and links of platforms do not live for ever
_FIRST_WAIT = timedelta(seconds=30)
_PLAIN_NO = frozenset({403, 404, 410, 413, 415})  # statuses that say: never
_OUR_NO = frozenset({"address-refused", "bad-request", "redirects", "too-large"})  # codes of what we refuse ourselves


@dataclass(frozen=True, slots=True)
class Fetched:
    """The bytes, or the reason why they cannot be had; may_pass: another try may have them."""

    data: bytes | None = None
    reason: str = ""
    may_pass: bool = False


def fetch_later(events: Sequence[Mapping[str, Any]], now: datetime) -> None:
    """One job for all files of a batch of messages."""
    messages = sorted({event["message_id"] for event in events if event["facts"].get("files")})
    if not messages:
        return
    waiting = run(
        "SELECT id FROM conversations_attachment WHERE organisation_id = %s AND message_id = ANY(%s)"
        " AND state = 'waiting'",
        [current_organisation_id(), messages],
    )
    if waiting:
        later("fetch files", ids=[key for (key,) in waiting])


def fetch_files(*, organisation_id: UUID, ids: Sequence[UUID], now: datetime) -> None:
    """The job: fetch each file, outside any transaction. May run twice: what is there stays."""
    for attachment_id in ids:
        with organisation(organisation_id):
            attachment = Attachment.objects.select_related("message__inbox").filter(id=attachment_id).first()
            if attachment is None or attachment.state != AttachmentState.WAITING:
                continue
            ours = Organisation.objects.get(id=organisation_id)
            connected = open_account(attachment.message.inbox, ours)
            delivery = _delivery_of(attachment.message)
        fetched = _fetch(attachment, connected, delivery)
        with organisation(organisation_id):
            if fetched.may_pass and (tries := attachment.source.get("tries", 0) + 1) < _TRIES:
                attachment.source = {**attachment.source, "tries": tries}
                attachment.save(update_fields=["source"])
                later("fetch files", ids=[attachment.id], wait=_FIRST_WAIT * 2 ** (tries - 1))
                continue
            _keep(attachment, fetched)
            tell([change_of(attachment.message, "state")], now=now)


def _delivery_of(message: Message) -> Delivery | None:
    rows = run(
        "SELECT body, received_at, headers, query FROM inboxes_delivery WHERE id = %s AND organisation_id = %s",
        [message.delivery_id, current_organisation_id()],
    )
    return Delivery(bytes(rows[0][0]), rows[0][1], headers=rows[0][2], query=rows[0][3]) if rows else None


def _fetch(attachment: Attachment, connected: Connected, delivery: Delivery | None) -> Fetched:
    source = attachment.source
    if "place" in source:
        return _from_delivery(attachment, connected, delivery)
    try:
        url = source.get("url", "")
        if source.get("fetch"):
            media = Media(MediaKind(attachment.kind), fetch=source["fetch"], name=attachment.name)
            url = connected.channel.media_url(media, connected.account, wires())
        response = wires().http.request("GET", url, timeout=15.0, max_bytes=LARGEST_FILE)
    except ChannelError as error:
        may_pass = isinstance(error, Unavailable | Uncertain | CredentialsRejected) and error.code not in _OUR_NO
        return Fetched(reason=error.sentence, may_pass=may_pass)
    if response.status != 200:
        reason = _("The platform answered with %(status)d.") % {"status": response.status}
        return Fetched(reason=reason, may_pass=response.status not in _PLAIN_NO)
    return Fetched(response.body)


def _from_delivery(attachment: Attachment, connected: Connected, delivery: Delivery | None) -> Fetched:
    """Files that came inside the delivery (mail): parsed once more, in the same limited way."""
    gone = Fetched(reason=_("The original message is no longer kept."))
    if delivery is None:
        return gone
    wanted = attachment.message.external_id or ""
    [items] = parse_all([(delivery, connected)])
    for item in items if isinstance(items, list) else ():
        if isinstance(item, Arrived) and wanted.startswith(item.external_id):
            media = item.media[attachment.source["place"] : attachment.source["place"] + 1]
            return Fetched(media[0].data) if media and media[0].data is not None else gone
    return gone


def _keep(attachment: Attachment, fetched: Fetched) -> None:
    if fetched.data is None:
        given_up = AttachmentState.MISSING if fetched.may_pass else AttachmentState.REFUSED
        attachment.state, attachment.reason = given_up, fetched.reason
        attachment.save(update_fields=["state", "reason"])
        return
    try:
        stored = store_bytes(fetched.data, name=attachment.name)
    except FileTooLargeError:
        attachment.state, attachment.reason = AttachmentState.REFUSED, _("The file is too large to keep.")
        attachment.save(update_fields=["state", "reason"])
        return
    except OSError:
        log.error("file could not be stored", extra={"attachment": str(attachment.id)})
        attachment.state, attachment.reason = AttachmentState.MISSING, _("The file could not be stored. Try again.")
        attachment.save(update_fields=["state", "reason"])
        return
    attachment.key, attachment.size, attachment.content_type, attachment.name = stored
    attachment.state, attachment.source, attachment.reason = AttachmentState.READY, {}, ""
    attachment.save(update_fields=["key", "size", "content_type", "name", "state", "source", "reason"])


def store_bytes(data: bytes, *, name: str) -> tuple[str, int, str, str]:
    """Keep bytes in the open organisation's shelf: (key, size, sniffed content type, harmless name).

    Pictures are written anew, without where and when they were taken; one that cannot be read stays a plain file.
    """
    content_type = sniff(data)
    if content_type.startswith("image/"):
        cleaned = clean_image(data)
        if cleaned is None:
            content_type = "application/octet-stream"
        else:
            data = cleaned
    stored = file_store().save(str(current_organisation_id()), [data], limit_bytes=LARGEST_FILE)
    return stored.name, stored.size_bytes, content_type, display_name(name)
