"""Asking without a script: a page of our own with a form. What it takes goes the way of the chat, the answer by mail.

There is no cookie that another site could borrow. A form counts only when our own page sent it, with the stamp of when
that page was opened; what it sends reaches the desk and never, by itself, the address that was filled in.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import get_language, get_language_from_request, gettext, ngettext, override
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from klankbord.flows import visitors
from klankbord.flows.visitors import Widget
from klankbord.kernel.text import clean, one_line

from .gate import MOST_BODY, Refusal, check_stamp, make_stamp, now, own_origins, slow_down
from .limits import FORMS, NEW_VISITS, network_of

MOST_CHARACTERS = 4_000
_POLICY = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"


@dataclass(slots=True)
class Sheet:
    """What stands on the form, and what is wrong with it (field → sentence; "" for the whole)."""

    text: str = ""
    email: str = ""
    name: str = ""
    wrong: dict[str, str] = field(default_factory=dict)


@csrf_exempt  # no cookie is read here; see `_check`
@require_http_methods(["GET", "HEAD", "POST"])
def form(request: HttpRequest) -> HttpResponse:
    """The page, and what it sends."""
    with override(_language(request)):
        widget = visitors.find_widget(request.GET.get("key", ""))
        if widget is None:
            return HttpResponse("Not found", status=404, content_type="text/plain")
        if not visitors.can_mail(widget.organisation_id):
            return _page(request, "widget/form_closed.html", widget, status=503)
        if request.method != "POST":
            return _form(request, widget, Sheet())
        if int(request.headers.get("Content-Length") or 0) > MOST_BODY:
            return _form(request, widget, Sheet(wrong={"text": _too_long()}), status=413)
        return _take(request, widget)


@require_safe
def sent(request: HttpRequest) -> HttpResponse:
    """Where the form leads, so that reloading the page sends nothing again."""
    with override(_language(request)):
        widget = visitors.find_widget(request.GET.get("key", ""))
        if widget is None:
            return HttpResponse("Not found", status=404, content_type="text/plain")
        return _page(request, "widget/form_sent.html", widget)


def _take(request: HttpRequest, widget: Widget) -> HttpResponse:
    sheet = _filled(request.POST)
    if sheet.wrong:
        return _form(request, widget, sheet, status=422)
    try:
        _check(request)
        visitors.ask(
            widget=widget,
            sheet=request.POST["stamp"],
            text=sheet.text,
            email=sheet.email,
            name=sheet.name,
            language=get_language() or "",
            now=now(),
        )
    except Refusal as refusal:
        sheet.wrong[""] = _sentence(refusal)
        response = _form(request, widget, sheet, status=refusal.status)
        if refusal.retry_after:
            response["Retry-After"] = str(refusal.retry_after)
        return response
    response = HttpResponseRedirect(f"{reverse('widget_form_sent')}?{request.GET.urlencode()}")
    response.status_code = 303
    return _sealed(response)


def _filled(posted: QueryDict) -> Sheet:
    sheet = Sheet(
        text=clean(posted.get("text", "").replace("\r\n", "\n")).strip(),
        email=one_line(posted.get("email", ""), limit=255).lower(),
        name=one_line(posted.get("name", ""), limit=100),
    )
    if not sheet.text:
        sheet.wrong["text"] = gettext("Write your question.")
    elif len(sheet.text) > MOST_CHARACTERS:
        sheet.wrong["text"] = _too_long()
    try:
        if len(sheet.email) > 254:
            raise ValidationError("long")
        validate_email(sheet.email)
    except ValidationError:
        sheet.wrong["email"] = gettext("Fill in a whole e-mail address, such as name@example.com.")
    return sheet


def _check(request: HttpRequest) -> None:
    """Our own page, opened a moment ago, filled in by a person, not too often. Raises Refusal."""
    # Browsers without Origin name the page in Referer; who names neither could be any page, and is refused.
    referrer = "/".join(request.headers.get("Referer", "").split("/", 3)[:3])
    if request.headers.get("Origin", referrer) not in own_origins(request):
        raise Refusal(403, "origin")
    if request.POST.get("website"):
        raise Refusal(403, "refused")  # people do not see this field; machines fill in everything
    slow_down((NEW_VISITS, network_of(request)), (FORMS, network_of(request)))
    check_stamp(request.POST.get("stamp"), request.GET.get("key", ""), at=now())


def _sentence(refusal: Refusal) -> str:
    if refusal.status != 429:
        return gettext("We could not take this. Your text is still here: please send it once more.")
    minutes = -(-refusal.retry_after // 60)
    return ngettext(
        "That was too quick. Your text is still here: send it again in %(minutes)d minute.",
        "That was too quick. Your text is still here: send it again in %(minutes)d minutes.",
        minutes,
    ) % {"minutes": minutes}


def _too_long() -> str:
    return gettext("Your question is too long: %(most)d characters at most.") % {"most": MOST_CHARACTERS}


def _form(request: HttpRequest, widget: Widget, sheet: Sheet, *, status: int = 200) -> HttpResponse:
    stamp = make_stamp(request.GET.get("key", ""), at=now())
    context = {"sheet": sheet, "stamp": stamp, "most": MOST_CHARACTERS, "above": sheet.wrong.get("", "")}
    return _page(request, "widget/form.html", widget, status=status, **context)


def _page(request: HttpRequest, template: str, widget: Widget, *, status: int = 200, **context: object) -> HttpResponse:
    context |= {"site": widget.site_name, "welcome": widget.welcome, "language": get_language()}
    return _sealed(render(request, template, context, status=status))


def _sealed(response: HttpResponse) -> HttpResponse:
    response["Content-Security-Policy"] = _POLICY
    response["Cache-Control"] = "no-store"
    response["Referrer-Policy"] = "same-origin"  # so that our own form names where it comes from
    return response


def _language(request: HttpRequest) -> str:
    wanted = request.GET.get("lang", "")
    return wanted if wanted in {"nl", "en"} else get_language_from_request(request)
