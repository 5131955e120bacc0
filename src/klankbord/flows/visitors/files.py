"""Files of visitors: stored before the message that carries them, and shown only to those who may see them."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cache
from typing import BinaryIO
from uuid import UUID

from django.db.models import Sum

from klankbord.channels.webchat.adapter import MOST_BYTES, MOST_FILES
from klankbord.desk.conversations.models import Attachment, AttachmentState
from klankbord.desk.inboxes.models import VisitorUpload
from klankbord.desk.organisations.models import Organisation
from klankbord.desk.wall import organisation
from klankbord.plumbing.files import NoSuchFileError, display_name, sniff
from klankbord.plumbing.sandbox import Sandbox, SandboxFailure

from ..store import file_store
from .entering import Visit
from .reading import VISIBLE, LineFile, threads_of

_DAY = timedelta(days=1)
_MOST_A_DAY, _MOST_BYTES_A_DAY = 30, 100_000_000


class NoSuchFile(Exception):
    """There is none, or it is not this visitor's: outsiders cannot tell the two apart."""


class TooManyFiles(Exception):
    """More than one visitor needs in a day, or more than fit in one message while none was sent."""


def add_file(*, visit: Visit, name: str, data: bytes, now: datetime) -> LineFile:
    """Store a file that will go with a message. Raises TooManyFiles, FileTooLargeError.

    Pictures are drawn anew, without where and when they were taken; one that cannot be drawn stays a plain file.
    """
    widget = visit.widget
    with organisation(widget.organisation_id):
        own = VisitorUpload.objects.filter(inbox_id=widget.inbox_id, visitor=visit.visitor, created_at__gt=now - _DAY)
        bytes_today = own.aggregate(sum=Sum("size"))["sum"] or 0
        is_full = own.count() >= _MOST_A_DAY or bytes_today >= _MOST_BYTES_A_DAY
        if is_full or own.filter(sent_as="").count() >= MOST_FILES:
            raise TooManyFiles
        data, content_type = _harmless(data)
        stored = file_store().save(_shelf(widget.organisation_id), [data], limit_bytes=MOST_BYTES)
        upload = VisitorUpload.objects.create(
            inbox_id=widget.inbox_id,
            visitor=visit.visitor,
            key=stored.name,
            name=display_name(name),
            content_type=content_type,
            size=stored.size_bytes,
            created_at=now,
        )
    return LineFile(upload.id, upload.name, upload.content_type, upload.size)


def open_file(*, visit: Visit, attachment: UUID) -> tuple[LineFile, BinaryIO]:
    """A file of a message that the visitor may read. Raises NoSuchFile."""
    with organisation(visit.widget.organisation_id):
        threads = [each.id for each in threads_of(visit)]
        found = (
            Attachment.objects.select_related("message")
            .filter(id=attachment, state=AttachmentState.READY, message__thread_id__in=threads)
            .first()
        )
        if found is None or not type(found.message).objects.filter(VISIBLE, id=found.message_id).exists():
            raise NoSuchFile
        if found.message.deleted_at is not None:
            raise NoSuchFile
        try:
            data = file_store().open(_shelf(visit.widget.organisation_id), found.key)
        except NoSuchFileError:
            raise NoSuchFile from None
    return LineFile(found.id, found.name, found.content_type, found.size or 0), data


def forget_unsent_files(*, now: datetime) -> int:
    """Remove files that were chosen more than a day ago and never sent; gives how many."""
    removed = 0
    for organisation_id in Organisation.objects.order_by("id").values_list("id", flat=True):
        with organisation(organisation_id):
            old = VisitorUpload.objects.filter(created_at__lt=now - _DAY)
            for each in old.filter(sent_as=""):
                removed += file_store().delete(_shelf(organisation_id), each.key)
            old.delete()
    return removed


def _harmless(data: bytes) -> tuple[bytes, str]:
    content_type = sniff(data)
    if not content_type.startswith("image/"):
        return data, content_type
    [drawn] = _drawing().call_each([data])
    if isinstance(drawn, SandboxFailure) or not drawn:
        return data, "application/octet-stream"
    return drawn, content_type


@cache
def _drawing() -> Sandbox:
    """Decoders are large and the bytes are a stranger's, so a limited child does it; one per process, when needed."""
    return Sandbox(
        "klankbord.plumbing.files.images:clean_or_empty", cpu_seconds=5, memory_bytes=500_000_000, wall_seconds=10
    )


def _shelf(organisation_id: UUID) -> str:
    return str(organisation_id)
