"""Files of customers and colleagues, handed out so that nothing in them can act: always as a download, never as a page."""

from __future__ import annotations

import base64
import re
from typing import BinaryIO
from uuid import UUID

import nh3
from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_GET

from klankbord.desk import access
from klankbord.desk.conversations.models import Attachment, AttachmentState, Message
from klankbord.desk.errors import NotFound
from klankbord.flows.store import file_store
from klankbord.kernel.ids import random_token
from klankbord.plumbing.files import NoSuchFileError

from ..desk import member_of
from ..headers import FILE_POLICY, LETTER_POLICY

SHOWN_AS_PICTURE = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
_LONGEST_INLINE_PICTURE = 1_500_000
_CID = re.compile(r'src="cid:([^"]{1,300})"')


@require_GET
def attachment(request: HttpRequest, attachment: UUID) -> HttpResponseBase:
    found = access.attachment_for(member_of(request), attachment)
    if found.state != AttachmentState.READY or not found.key:
        raise NotFound
    try:
        file = _open(found)
    except NoSuchFileError:
        raise NotFound from None
    is_picture = found.content_type in SHOWN_AS_PICTURE
    response = FileResponse(
        file,
        as_attachment=True,
        filename=found.name,
        content_type=found.content_type if is_picture else "application/octet-stream",
    )
    response.headers["Content-Security-Policy"] = FILE_POLICY
    response.headers["Cache-Control"] = "private, max-age=86400, immutable"
    return response


@require_GET
def letter(request: HttpRequest, message: UUID) -> HttpResponse:
    """A message as its sender formatted it, for a sandboxed frame: no scripts, nothing from elsewhere."""
    found = access.message_for(member_of(request), message)
    if not found.html:
        raise NotFound
    nonce = random_token()
    response = render(request, "web/conversation/letter.html", {"html": _harmless(found), "nonce": nonce})
    policy = LETTER_POLICY.replace("style-src 'self'", f"style-src 'nonce-{nonce}'")
    response.headers["Content-Security-Policy"] = policy.replace("img-src 'self'", "img-src data:")
    return response


def _open(attachment: Attachment) -> BinaryIO:
    return file_store().open(str(attachment.organisation_id), attachment.key)


def _harmless(message: Message) -> str:
    """Cleaned again on the way out; pictures that came with the message are put in, others stay out."""
    html = nh3.clean(message.html, url_schemes={"http", "https", "mailto", "tel", "cid"}, link_rel="noopener noreferrer")
    html = re.sub(r'<img(?![^>]*src="cid:)[^>]*>', "", html)
    wanted = set(_CID.findall(html))
    if not wanted:
        return html.replace("<a ", '<a target="_blank" ')
    pictures = {
        each.content_id: each
        for each in Attachment.objects.filter(message=message, content_type__in=SHOWN_AS_PICTURE)
        if each.content_id in wanted
    }
    html = _CID.sub(lambda match: f'src="{_data_uri(pictures.get(match[1]))}"', html)
    return html.replace("<a ", '<a target="_blank" ')


def _data_uri(picture: Attachment | None) -> str:
    if picture is None or picture.state != AttachmentState.READY or (picture.size or 0) > _LONGEST_INLINE_PICTURE:
        return ""
    try:
        with _open(picture) as file:
            return f"data:{picture.content_type};base64,{base64.b64encode(file.read()).decode()}"
    except NoSuchFileError:
        return ""
