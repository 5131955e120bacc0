"""The widget's short requests: each reads what came, makes one call, and answers in JSON."""

from __future__ import annotations

import re
from datetime import datetime
from functools import cache
from hashlib import sha256
from importlib import resources
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseNotModified, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from klankbord.flows import visitors
from klankbord.flows.visitors import Identity, Page, Visit
from klankbord.kernel.text import clean, one_line
from klankbord.plumbing.files import FileTooLargeError, may_show_inline

from .gate import (
    NOT_FOUND,
    Refusal,
    check_origin,
    check_stamp,
    door,
    make_stamp,
    now,
    own_origins,
    read_json,
    slow_down,
    with_visit,
)
from .limits import ADDRESSES, FILES, MESSAGES, NETWORK_FILES, NETWORK_MESSAGES, NEW_VISITS, network_of

MOST_CHARACTERS = 4_000
MOST_FILES, MOST_FILE_BYTES = 10, 10_000_000
_CLIENT_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")
_LANGUAGES = {"nl", "en"}
_FRAME_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self' {origins}"
)
_FILE_POLICY = "default-src 'none'; frame-ancestors 'none'; sandbox"


@require_safe
def script(request: HttpRequest) -> HttpResponse:
    """The one script tag that a site embeds."""
    source, tag = _script()
    if request.headers.get("If-None-Match") == tag:
        response: HttpResponse = HttpResponseNotModified()
    else:
        response = HttpResponse(source, content_type="text/javascript; charset=utf-8")
    response["ETag"] = tag
    response["Cache-Control"] = "public, max-age=600"
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


@require_safe
def frame(request: HttpRequest) -> HttpResponse:
    """The chat itself, in a frame that only the widget's own sites may show."""
    key = request.GET.get("key", "")
    widget = visitors.find_widget(key)
    if widget is None:
        return HttpResponse("Not found", status=404, content_type="text/plain")
    referrer = request.headers.get("Referer", "")
    allowed = {*widget.origins, *own_origins(request)}
    if referrer and "/".join(referrer.split("/", 3)[:3]) not in allowed:
        return HttpResponse("This site may not show this chat.", status=403, content_type="text/plain")
    settings = {
        "key": key,
        "site": widget.site_name,
        "welcome": widget.welcome,
        "accent": widget.accent if re.fullmatch(r"#[0-9a-fA-F]{6}", widget.accent) else "",
        "asksEmail": widget.asks_email,
        "mails": visitors.can_mail(widget.organisation_id),
        "origins": sorted(allowed),
        "stamp": make_stamp(key, at=now()),
        "mostCharacters": MOST_CHARACTERS,
        "mostFiles": MOST_FILES,
        "mostFileBytes": MOST_FILE_BYTES,
    }
    response = render(request, "widget/frame.html", {"settings": settings, "site": widget.site_name, "key": key})
    response["Content-Security-Policy"] = _FRAME_POLICY.format(origins=" ".join(widget.origins))
    response["Cache-Control"] = "no-store"
    response["Referrer-Policy"] = "same-origin"
    return response


@door("POST")
def conversations(request: HttpRequest) -> JsonResponse:
    """Begin: gives the visitor's token. Nothing reaches the desk before the first message."""
    document = read_json(request)
    key = str(document.get("key", ""))
    widget = visitors.find_widget(key)
    if widget is None:
        raise Refusal(*NOT_FOUND)
    check_origin(request, widget)
    if document.get("website"):
        raise Refusal(403, "refused")  # people do not see this field; machines fill in everything
    slow_down((NEW_VISITS, network_of(request)))
    check_stamp(document.get("stamp"), key, at=now())
    token, visit = visitors.start_visit(widget=widget, identity=_identity(document.get("identity")), now=now())
    return JsonResponse({"token": token, "is_known": visit.is_proven}, status=201)


@door("POST")
@with_visit
def messages(request: HttpRequest, visit: Visit) -> JsonResponse:
    """Take a message. The same Idempotency-Key again is the same message."""
    document = read_json(request)
    client_id = request.headers.get("Idempotency-Key", "")
    text = clean(_string(document, "text")).strip()
    files = document.get("files") or []
    if not _CLIENT_ID.fullmatch(client_id) or not isinstance(files, list):
        raise Refusal(400, "invalid")
    if len(text) > MOST_CHARACTERS or len(files) > MOST_FILES:
        raise Refusal(413, "too-large")
    if not text and not files:
        raise Refusal(422, "empty")
    slow_down((MESSAGES, _who(visit)), (NETWORK_MESSAGES, network_of(request)))
    taken_at = now()
    try:
        visitors.send_message(
            visit=visit,
            client_id=client_id,
            text=text,
            files=[_uuid(each) for each in files],
            language=_language(document),
            page=_page(document.get("page"), visit),
            now=taken_at,
        )
    except visitors.LostFile:
        raise Refusal(*NOT_FOUND) from None
    return JsonResponse({"client_id": client_id, "at": _iso(taken_at)}, status=202)


@door("POST")
@with_visit
def attachments(request: HttpRequest, visit: Visit) -> JsonResponse:
    """Take one file, for a message that is to come. multipart/form-data, field `file`."""
    if int(request.headers.get("Content-Length") or 0) > MOST_FILE_BYTES + 100_000:
        raise Refusal(413, "too-large")
    slow_down((FILES, _who(visit)), (NETWORK_FILES, network_of(request)))
    file = request.FILES.get("file")
    if file is None:
        raise Refusal(400, "invalid")
    if (file.size or 0) > MOST_FILE_BYTES:
        raise Refusal(413, "too-large")
    if not file.size:
        raise Refusal(422, "empty")
    try:
        stored = visitors.add_file(visit=visit, name=file.name or "", data=file.read(), now=now())
    except FileTooLargeError:
        raise Refusal(413, "too-large") from None
    except visitors.TooManyFiles:
        raise Refusal(429, "too-many-files", retry_after=3600) from None
    return JsonResponse(_file(stored), status=201)


@door("GET")
@with_visit
def attachment(request: HttpRequest, visit: Visit, attachment: UUID) -> FileResponse:
    """A file of a message in the visitor's own thread."""
    try:
        file, data = visitors.open_file(visit=visit, attachment=attachment)
    except visitors.NoSuchFile:
        raise Refusal(*NOT_FOUND) from None
    content_type = file.content_type if may_show_inline(file.content_type) else "application/octet-stream"
    response = FileResponse(data, as_attachment=True, filename=file.name, content_type=content_type)
    response["Content-Security-Policy"] = _FILE_POLICY
    return response


@door("GET")
@with_visit
def history(request: HttpRequest, visit: Visit) -> dict[str, Any]:
    """What the visitor may read, oldest first; `?before=<id>` for what came earlier."""
    before = request.GET.get("before")
    found = visitors.history(visit=visit, before=_uuid(before) if before else None, now=now())
    return {
        "messages": [
            {
                "id": str(each.id),
                "from": "us" if each.is_ours else "you",
                "client_id": each.client_id,
                "author": each.author,
                "kind": each.author_kind,
                "text": each.text,
                "at": _iso(each.at),
                "withdrawn": each.is_withdrawn,
                "files": [_file(file) for file in each.files],
            }
            for each in found.lines
        ],
        "earlier": found.has_earlier,
        "typing": found.is_agent_typing,
        "has_email": found.has_address,
    }


@door("POST")
@with_visit
def typing(request: HttpRequest, visit: Visit) -> dict[str, Any]:
    visitors.typing(visit=visit, is_typing=read_json(request).get("typing") is True, now=now())
    return {}


@door("POST")
@with_visit
def read(request: HttpRequest, visit: Visit) -> dict[str, Any]:
    visitors.mark_read(visit=visit, up_to=_uuid(read_json(request).get("up_to")), now=now())
    return {}


@door("POST")
@with_visit
def email(request: HttpRequest, visit: Visit) -> dict[str, Any]:
    """Leave an address for answers. It is where to write, never who they are."""
    document = read_json(request)
    address = one_line(_string(document, "email"), limit=254).lower()
    try:
        validate_email(address)
    except ValidationError:
        raise Refusal(422, "email") from None
    slow_down((ADDRESSES, _who(visit)))
    visitors.leave_address(visit=visit, email=address, name=one_line(_string(document, "name"), limit=100), now=now())
    return {"email": address}


def _who(visit: Visit) -> str:
    return f"{visit.widget.inbox_id} {visit.visitor}"


def _file(file: visitors.LineFile) -> dict[str, Any]:
    return {"id": str(file.id), "name": file.name, "type": file.content_type, "size": file.size}


def _identity(claimed: object) -> Identity | None:
    if not isinstance(claimed, dict):
        return None
    return Identity(claimed.get("user_id"), claimed.get("expires"), claimed.get("signature"))


def _page(page: object, visit: Visit) -> Page:
    """Where they ask; only what stands on one of the widget's own sites is believed."""
    if not isinstance(page, dict):
        return Page()
    url = _string(page, "url")[:500]
    if "/".join(url.split("/", 3)[:3]) not in visit.widget.origins:
        return Page()
    return Page(url=clean(url), title=one_line(_string(page, "title"), limit=200))


def _language(document: dict[str, Any]) -> str:
    language = document.get("language")
    return language if isinstance(language, str) and language in _LANGUAGES else ""


def _string(holder: dict[str, Any], name: str) -> str:
    value = holder.get(name, "")
    if not isinstance(value, str):
        raise Refusal(400, "invalid")
    return value


def _uuid(value: object) -> UUID:
    try:
        return UUID(str(value))
    except ValueError:
        raise Refusal(*NOT_FOUND) from None


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


@cache
def _script() -> tuple[bytes, str]:
    source = resources.files("klankbord.doors.widget").joinpath("static/widget/widget.js").read_bytes()
    return source, f'"{sha256(source).hexdigest()[:20]}"'
