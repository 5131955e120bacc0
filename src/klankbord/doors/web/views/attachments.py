"""Files of customers and colleagues, handed out so that nothing in them can act: as a download, never as a page."""

from __future__ import annotations

import base64
import re
from uuid import UUID

import nh3
from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from klankbord.desk import access
from klankbord.desk.conversations.models import Attachment, Message
from klankbord.desk.errors import NotFound
from klankbord.desk.organisations.models import Membership
from klankbord.flows import uploads
from klankbord.flows.readings import READINGS
from klankbord.kernel.ids import random_token

from ..desk import member_of
from ..files import SHOWN_AS_PICTURE
from ..headers import FILE_POLICY, LETTER_POLICY

_LONGEST_INLINE_PICTURE = 1_500_000
_SCHEMES = {"http", "https", "mailto", "tel", "cid"}
_CID = re.compile(r'src="cid:([^"]{1,300})"')


@require_GET
def attachment(request: HttpRequest, attachment: UUID) -> HttpResponseBase:
    found, file = uploads.open_file(attachment=attachment, by=member_of(request))
    if found.message is not None:
        READINGS.note(conversation=found.message.conversation_id, by=member_of(request), now=timezone.now())
    is_picture = found.content_type in SHOWN_AS_PICTURE
    response = FileResponse(
        file,
        as_attachment=True,
        filename=found.name,
        content_type=found.content_type if is_picture else "application/octet-stream",
    )
    response.headers["Content-Security-Policy"] = FILE_POLICY
    response.headers["Cache-Control"] = "private, max-age=3600"
    return response


@require_GET
def letter_frame(request: HttpRequest, message: UUID) -> HttpResponse:
    """The frame for a formatted message, made when somebody unfolds it."""
    found = access.message_for(member_of(request), message)
    return render(request, "web/conversation/_letter_frame.html", {"message": found})


@require_GET
def letter(request: HttpRequest, message: UUID) -> HttpResponse:
    """A message as its sender formatted it, for a sandboxed frame: no scripts, nothing from elsewhere."""
    found = access.message_for(member_of(request), message)
    if not found.html:
        raise NotFound
    READINGS.note(conversation=found.conversation_id, by=member_of(request), now=timezone.now())
    nonce = random_token()
    response = render(
        request, "web/conversation/letter.html", {"html": _harmless(found, member_of(request)), "nonce": nonce}
    )
    policy = LETTER_POLICY.replace("style-src 'self'", f"style-src 'nonce-{nonce}'")
    response.headers["Content-Security-Policy"] = policy.replace("img-src 'self'", "img-src data:")
    return response


def _harmless(message: Message, by: Membership) -> str:
    """Cleaned again on the way out; pictures that came with the message are put in, others stay out."""
    html = nh3.clean(
        message.html, url_schemes={"http", "https", "mailto", "tel", "cid"}, link_rel="noopener noreferrer"
    )
    html = re.sub(r'<img(?![^>]*src="cid:)[^>]*>', "", html)
    wanted = set(_CID.findall(html))
    if not wanted:
        return html.replace("<a ", '<a target="_blank" ')
    pictures = {
        each.content_id: each
        for each in Attachment.objects.filter(message=message, content_type__in=SHOWN_AS_PICTURE)
        if each.content_id in wanted
    }
    html = _CID.sub(lambda match: f'src="{_data_uri(pictures.get(match[1]), by)}"', html)
    return html.replace("<a ", '<a target="_blank" ')


def _data_uri(picture: Attachment | None, by: Membership) -> str:
    if picture is None or (picture.size or 0) > _LONGEST_INLINE_PICTURE:
        return ""
    try:
        _found, file = uploads.open_file(attachment=picture.id, by=by)
    except NotFound:
        return ""
    with file:
        return f"data:{picture.content_type};base64,{base64.b64encode(file.read()).decode()}"
