"""An agent's words: replies, notes, drafts, files along with them, and what can still be done about what has left."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from klankbord.desk import access
from klankbord.desk.conversations.models import Attachment, Conversation, Draft, Message
from klankbord.desk.errors import BecomesPublic, DeskError, Invalid, SomebodyAnswered
from klankbord.desk.organisations.models import Membership
from klankbord.flows import proposing, scheduling, uploads
from klankbord.flows import reply as replying

from .. import errors, times
from ..desk import member_of
from ..errors import is_fragment
from . import parts
from .acts import snooze_moment


@require_POST
def reply(request: HttpRequest, number: int) -> HttpResponse:
    by, now = member_of(request), timezone.now()
    conversation = access.conversation_for(by, number)
    send = _propose if by.needs_approval else _send
    try:
        sent = parts.attempt(lambda: send(request, conversation, by, now))
    except DeskError as error:
        return _refused(request, conversation, error, now)
    if not is_fragment(request):
        return parts.back_to(request, conversation)
    conversation = access.conversation_for(by, number)  # as the reply left it
    context = parts.composer(request, conversation, now=now, is_fresh=True)
    if isinstance(sent, Message):
        # What waits for its moment is undone in the timeline: there is no hurry.
        context |= {"newest": sent, "message": None if scheduling.is_planned(sent) else sent}
    response = render(request, "web/conversation/_composer.html", context)
    has_left = _then(request).what in ("resolve", "snooze", "later") and isinstance(sent, Message)
    return parts.tell(
        response,
        replied={"number": number, "hasLeft": has_left, "kind": "reply"},
        acted={"number": number, "hasLeft": has_left},
    )


@dataclass(frozen=True, slots=True)
class _Then:
    """What the button said: "", "open", "resolve", "snooze" or "later"; the latter two with a moment."""

    what: str
    moment: datetime | None = None


def _then(request: HttpRequest) -> _Then:
    said, typed, now = request.POST, request.POST.get("moment", ""), timezone.now()
    what, _dash, preset = (said.get("then") or said.get("carried_then") or "").partition("-")
    if what == "snooze":
        return _Then(what, snooze_moment(preset, "", now))
    # A moment that was typed and sent with Enter means what it says, whichever button the browser took.
    if what == "later" or (typed and not what):
        return _Then("later", snooze_moment(preset, typed, now))
    return _Then(what)


def _send(request: HttpRequest, conversation: Conversation, by: Membership, now: datetime) -> Message:
    thread, visibility = _place(request)
    then, said = _then(request), request.POST
    return replying.send_reply(
        conversation=conversation.id,
        thread=thread,
        text=said.get("text", ""),
        by=by,
        now=now,
        client_key=said.get("client_key", "")[:64],
        visibility=visibility,
        keep_open=then.what == "open",
        then="resolve" if then.what == "resolve" else "",
        snooze_until=then.moment if then.what == "snooze" else None,
        leave_at=then.moment if then.what == "later" else None,
        answers=parts.uuid_of(said.get("answers")),
        attachments=_files(request, conversation, by, now),
        seen_message=parts.uuid_of(said.get("seen_message")),
        confirmed=said.get("confirmed") == "1",
        began_in_private=said.get("began") == "private",
        public_confirmed=said.get("public_confirmed") == "1",
    )


def _propose(request: HttpRequest, conversation: Conversation, by: Membership, now: datetime) -> Draft:
    thread, visibility = _place(request)
    then = _then(request)
    return proposing.propose(
        conversation=conversation.id,
        thread=thread,
        text=request.POST.get("text", ""),
        by=by,
        now=now,
        visibility=visibility,
        keep_open=then.what == "open",
        then="resolve" if then.what == "resolve" else "",
        answers=parts.uuid_of(request.POST.get("answers")),
        attachments=_files(request, conversation, by, now),
    )


def _place(request: HttpRequest) -> tuple[UUID, str | None]:
    thread, _separator, visibility = request.POST.get("mode", "").partition(":")
    thread_id = parts.uuid_of(thread)
    if thread_id is None:
        raise Invalid
    return thread_id, visibility or None


def _files(request: HttpRequest, conversation: Conversation, by: Membership, now: datetime) -> list[UUID]:
    files = [each for each in map(parts.uuid_of, request.POST.getlist("attachments")) if each]
    return files + [_keep(file, conversation, by, now).id for file in request.FILES.getlist("files")]


def _refused(request: HttpRequest, conversation: Conversation, error: DeskError, now: datetime) -> HttpResponse:
    """The words stay in the composer, with the reason beside them."""
    if not is_fragment(request):
        # Without script the words would be lost with the page: keep them as a draft first.
        thread = parts.uuid_of(request.POST.get("mode", "").partition(":")[0])
        _save_draft(conversation, "reply", request.POST.get("text", ""), thread, member_of(request), now)
        return errors.refusal(request, error)
    response = render(
        request,
        "web/conversation/_refusal.html",
        {
            "conversation": conversation,
            "sentence": error.sentence,
            "may_confirm": isinstance(error, SomebodyAnswered),
            "becomes_public": isinstance(error, BecomesPublic),
            "carried": _carried(request),
        },
        status=error.status,
    )
    response.headers["HX-Retarget"] = "#composer-refusal"
    response.headers["HX-Reswap"] = "outerHTML"
    return parts.tell(response, refused={"number": conversation.number})


def _carried(request: HttpRequest) -> list[tuple[str, str]]:
    """What was said before the question came, so that one need not say it twice."""
    said = request.POST
    names = [name for name in ("confirmed", "public_confirmed") if said.get(name)]
    then = said.get("then") or said.get("carried_then", "")
    return [*((name, "1") for name in names), *([("carried_then", then)] if then else [])]


@require_POST
def note(request: HttpRequest, number: int) -> HttpResponse:
    by, now = member_of(request), timezone.now()
    conversation = access.conversation_for(by, number)
    text, client_key = request.POST.get("text", ""), request.POST.get("client_key", "")[:64]
    written = replying.write_note(conversation=conversation.id, text=text, by=by, now=now, client_key=client_key)
    if not is_fragment(request):
        return parts.back_to(request, conversation)
    context = parts.composer(request, conversation, now=now, newest=written, is_fresh=True, starts_with="note")
    response = render(request, "web/conversation/_composer.html", context)
    return parts.tell(response, replied={"number": number, "hasLeft": False, "kind": "note"})


@require_POST
def draft(request: HttpRequest, number: int) -> HttpResponse:
    by, now = member_of(request), timezone.now()
    conversation = access.conversation_for(by, number)
    kind = "note" if request.POST.get("kind") == "note" else "reply"
    thread = parts.uuid_of(request.POST.get("mode", "").partition(":")[0])
    if replying.is_sent(client_key=request.POST.get("client_key", ""), by=by):
        return HttpResponse("")  # the words left while this was on its way
    saved = _save_draft(conversation, kind, request.POST.get("text", ""), thread, by, now)
    return HttpResponse(_("Draft kept %(time)s") % {"time": times.say(now, now)} if saved else "")


def _save_draft(
    conversation: Conversation, kind: str, text: str, thread: UUID | None, by: Membership, now: datetime
) -> Any:
    if thread is not None:
        access.thread_for(by, conversation.id, thread)
    return replying.save_draft(conversation=conversation.id, kind=kind, text=text, thread=thread, by=by, now=now)


@require_POST
def take_back(request: HttpRequest, message: UUID) -> HttpResponse:
    """Undo: the words are back in the composer, the conversation is open before the person."""
    by, now = member_of(request), timezone.now()
    conversation = _conversation_of(by, message)
    replying.take_back(message=message, by=by, now=now)
    if not is_fragment(request):
        return parts.back_to(request, conversation)
    conversation.refresh_from_db()
    view = parts.view_behind(request)
    context = {**parts.pane(request, conversation, now=now), "view": view, "filter_query": ""}
    response = render(request, "web/conversation/_pane.html", context)
    response.headers["HX-Push-Url"] = reverse("open", args=[view.slug, conversation.number])
    return parts.tell(response, tookBack={"number": conversation.number})


@require_POST
def try_again(request: HttpRequest, message: UUID) -> HttpResponse:
    by, now = member_of(request), timezone.now()
    conversation = _conversation_of(by, message)
    replying.try_again(message=message, by=by, now=now)
    return _settled(request, conversation, now)


@require_POST
def settle(request: HttpRequest, message: UUID) -> HttpResponse:
    by, now = member_of(request), timezone.now()
    conversation = _conversation_of(by, message)
    replying.settle(message=message, arrived=request.POST.get("arrived") == "1", by=by, now=now)
    return _settled(request, conversation, now)


def _settled(request: HttpRequest, conversation: Conversation, now: datetime) -> HttpResponse:
    if not is_fragment(request):
        return parts.back_to(request, conversation)
    response = render(request, "web/conversation/_timeline.html", parts.timeline(request, conversation, now=now))
    return parts.tell(response, acted={"number": conversation.number, "hasLeft": False})


@require_POST
def upload(request: HttpRequest, number: int) -> HttpResponse:
    by, now = member_of(request), timezone.now()
    conversation = access.conversation_for(by, number)
    kept = [_keep(file, conversation, by, now) for file in request.FILES.getlist("files")]
    return render(request, "web/conversation/_uploads.html", {"uploads": kept, "conversation": conversation})


def _keep(file: Any, conversation: Conversation, by: Membership, now: datetime) -> Attachment:
    most = settings.ENVIRONMENT.max_upload_mb
    if file.size > most * 1_000_000:  # before it is read into memory
        raise Invalid(
            _("%(name)s is too large: files up to %(size)d MB can be sent.") % {"name": file.name, "size": most}
        )
    return uploads.add_upload(conversation=conversation.id, name=file.name, data=file.read(), by=by, now=now)


@require_POST
def drop_upload(request: HttpRequest, attachment: UUID) -> HttpResponseBase:
    by = member_of(request)
    found = access.attachment_for(by, attachment)
    uploads.remove_upload(attachment=found.id, by=by)
    return HttpResponse("") if is_fragment(request) else parts.back_to(request)


def _conversation_of(by: Membership, message: UUID) -> Conversation:
    return access.conversation_for(by, access.message_for(by, message).conversation_id)
