"""Files that come with messages: fetched at once by a job through the guarded egress, sniffed, kept on our side.

The message never waits for its files, and a platform's address is never shown to a browser.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from klankbord.contract import Arrived, ChannelError, Delivery, Media, MediaKind
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
        data, reason = _fetch(attachment, connected, delivery)
        with organisation(organisation_id):
            _keep(attachment, data, reason)
            tell([change_of(attachment.message, "state")], now=now)


def _delivery_of(message: Message) -> Delivery | None:
    rows = run(
        "SELECT body, received_at, headers, query FROM inboxes_delivery WHERE id = %s AND organisation_id = %s",
        [message.delivery_id, current_organisation_id()],
    )
    return Delivery(bytes(rows[0][0]), rows[0][1], headers=rows[0][2], query=rows[0][3]) if rows else None


def _fetch(attachment: Attachment, connected: Connected, delivery: Delivery | None) -> tuple[bytes | None, str]:
    """The bytes, or the reason why they cannot be had."""
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
        return None, error.sentence
    if response.status != 200:
        return None, _("The platform answered with %(status)d.") % {"status": response.status}
    return response.body, ""


def _from_delivery(attachment: Attachment, connected: Connected, delivery: Delivery | None) -> tuple[bytes | None, str]:
    """Files that came inside the delivery (mail): parsed once more, in the same limited way."""
    gone = _("The original message is no longer kept.")
    if delivery is None:
        return None, gone
    wanted = attachment.message.external_id or ""
    [items] = parse_all([(delivery, connected)])
    for item in items if isinstance(items, list) else ():
        if isinstance(item, Arrived) and wanted.startswith(item.external_id):
            media = item.media[attachment.source["place"] : attachment.source["place"] + 1]
            return (media[0].data, "") if media and media[0].data is not None else (None, gone)
    return None, gone


def _keep(attachment: Attachment, data: bytes | None, reason: str) -> None:
    if data is None:
        attachment.state, attachment.reason = AttachmentState.REFUSED, reason
        attachment.save(update_fields=["state", "reason"])
        return
    try:
        stored = store_bytes(data, name=attachment.name)
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
