"""Files that agents add to a reply before it is sent, and reading any file back for a browser."""

from __future__ import annotations

from datetime import datetime
from typing import BinaryIO
from uuid import UUID

from django.conf import settings
from django.utils.translation import gettext as _

from klankbord.desk import access
from klankbord.desk.conversations.models import Attachment, AttachmentState
from klankbord.desk.errors import Invalid, NotFound
from klankbord.desk.organisations.models import Membership
from klankbord.kernel.ids import uuid7
from klankbord.plumbing.files import NoSuchFileError

from .media import store_bytes
from .store import file_store


def add_upload(*, conversation: UUID, name: str, data: bytes, by: Membership, now: datetime) -> Attachment:
    """Keep a file for this person's next reply. Raises Invalid when it is empty or too large."""
    access.require(by, "answer")
    found = access.conversation_for(by, conversation)
    limit = settings.ENVIRONMENT.max_upload_mb
    if len(data) > limit * 1_000_000:
        raise Invalid(_("This file is too large: %(limit)d MB at most.") % {"limit": limit})
    if not data:
        raise Invalid(_("This file is empty."))
    key, size, content_type, shown = store_bytes(data, name=name)
    kind = content_type.split("/")[0]
    attachment: Attachment = Attachment.objects.create(
        id=uuid7(),
        conversation_id=found.id,
        kind=kind if kind in ("image", "audio", "video") else "file",
        name=shown,
        content_type=content_type,
        size=size,
        key=key,
        state=AttachmentState.READY,
        uploaded_by=by,
        created_at=now,
    )
    return attachment


def remove_upload(*, attachment: UUID, by: Membership) -> None:
    """Drop a file that was not sent; only one's own."""
    found = access.attachment_for(by, attachment)
    if found.message_id is not None:
        raise NotFound
    file_store().delete(str(found.organisation_id), found.key)
    found.delete()


def open_file(*, attachment: UUID, by: Membership) -> tuple[Attachment, BinaryIO]:
    """A file for a person who may see it. Raises NotFound, also when it is not (yet) there."""
    found = access.attachment_for(by, attachment)
    if found.state != AttachmentState.READY or not found.key:
        raise NotFound
    try:
        return found, file_store().open(str(found.organisation_id), found.key)
    except NoSuchFileError as error:
        raise NotFound(_("This file is no longer there.")) from error
