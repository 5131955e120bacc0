"""What machines noted, as people would say it: events, receipts, remarks, refusals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.utils.translation import pgettext_lazy as meant

from klankbord.desk.conversations.models import Event, Message, MessageState, Priority, Status
from klankbord.flows.platform_words import said

from . import times

STATUS_WORDS: Mapping[str, str | Promise] = {
    Status.OPEN: meant("status", "Open"),
    Status.PENDING: meant("status", "Waits for the customer"),
    Status.SNOOZED: meant("status", "Snoozed"),
    Status.RESOLVED: meant("status", "Resolved"),
    Status.SPAM: meant("status", "Spam"),
    Status.MERGED: meant("status", "Merged"),
}

PRIORITY_WORDS: Mapping[int, str | Promise] = {
    Priority.LOW: meant("priority", "Low"),
    Priority.NORMAL: meant("priority", "Normal"),
    Priority.HIGH: meant("priority", "High"),
    Priority.URGENT: meant("priority", "Urgent"),
}

REMARKS: Mapping[str, str | Promise] = {
    "unverified-sender": gettext_lazy("sender not proven"),
    "text-differs-from-html": gettext_lazy("text and formatting differ"),
    "hidden-text-removed": gettext_lazy("held hidden text"),
    "remote-images-removed": gettext_lazy("pictures from elsewhere were not fetched"),
    "text-cut": gettext_lazy("very long text, shortened"),
    "too-large": gettext_lazy("too large to fetch"),
    "unknown-sender": gettext_lazy("sender unknown"),
    "several-senders": gettext_lazy("names several senders"),
    "reply-to-differs": gettext_lazy("wants answers at another address"),
    "forged-reply-tag": gettext_lazy("pretends to answer us"),
    "third-party-verification": gettext_lazy("lets another service check our address"),
    "signature-not-checked": gettext_lazy("signed, signature not checked"),
    "encrypted": gettext_lazy("encrypted, cannot be read here"),
    "outlook-attachment": gettext_lazy("files are packed by Outlook"),
    "arrived-late": gettext_lazy("arrived late"),
    "time-in-future": gettext_lazy("the platform's clock is ahead"),
    "time-unclear": gettext_lazy("the platform gives no usable time"),
    "new-participant": gettext_lazy("somebody else wrote this"),
    "odd-time": gettext_lazy("the platform's time is off"),
    "unsupported": gettext_lazy("this kind is not supported yet"),
    "characters-removed": gettext_lazy("unreadable characters left out"),
    "headers-cut": gettext_lazy("very long mail, shortened"),
    "parts-refused": gettext_lazy("parts of this mail were left out"),
    "filtered-by-server": gettext_lazy("filtered by the server"),
    "quotes-us": gettext_lazy("quotes us"),
    "bot-account": gettext_lazy("bot account"),
    "sensitive": gettext_lazy("marked as sensitive"),
    "forwarded": gettext_lazy("forwarded"),
    "via-bot": gettext_lazy("via a bot"),
    "button": gettext_lazy("pressed a button"),
    "came-through-our-link": gettext_lazy("came through our link"),
}

_EVENTS: Mapping[str, str | Promise] = {
    "conversation reopened": gettext_lazy("Opened again by a new message"),
    "conversation woken": gettext_lazy("Back from snooze"),
    "conversation resolved": gettext_lazy("Resolved by %(who)s"),
    "conversation opened again": gettext_lazy("Opened again by %(who)s"),
    "conversation set to pending": gettext_lazy("%(who)s leaves the turn to the customer"),
    "conversation marked as spam": gettext_lazy("Put with spam by %(who)s"),
    "conversation cleared of spam": gettext_lazy("Not spam, says %(who)s"),
    "label added": gettext_lazy("%(who)s added the label %(label)s"),
    "deed on many undone": gettext_lazy("%(who)s undid a deed on several conversations"),
    "label removed": gettext_lazy("%(who)s removed a label"),
    "reply taken back": gettext_lazy("%(who)s took a reply back before it left"),
    "reply tried again": gettext_lazy("%(who)s had a reply sent again"),
    "reply sent again": gettext_lazy("%(who)s had an uncertain reply sent again"),
    "reply settled as arrived": gettext_lazy("%(who)s saw that an uncertain reply had arrived"),
    "conversation merged": gettext_lazy("%(who)s merged #%(number)s into #%(into)s"),
    "merge undone": gettext_lazy("%(who)s took #%(number)s out of #%(into)s again"),
    "thread split off": gettext_lazy("%(who)s made a thread a conversation of its own: #%(number)s"),
    "conversation split off": gettext_lazy("%(who)s split this off from #%(number)s"),
    "conversation linked": gettext_lazy("%(who)s linked this to #%(number)s"),
    "conversation unlinked": gettext_lazy("%(who)s unlinked this from #%(number)s"),
    "post muted": gettext_lazy("%(who)s muted this post: new comments wake nobody"),
    "post unmuted": gettext_lazy("%(who)s lets new comments wake us again"),
    "reply proposed": gettext_lazy("%(who)s proposed a reply"),
    "proposal accepted": gettext_lazy("%(who)s let the reply by %(whom)s go"),
    "proposal given back": gettext_lazy("%(who)s gave the reply by %(whom)s back"),
    "draft taken over": gettext_lazy("%(who)s went on with the draft by %(whom)s"),
    "message like": gettext_lazy("%(who)s liked a message"),
    "message like undone": gettext_lazy("%(who)s likes a message no longer"),
    "message hide": gettext_lazy("%(who)s hid a message on the platform"),
    "message hide undone": gettext_lazy("%(who)s showed a message again on the platform"),
    "message delete": gettext_lazy("%(who)s had a message deleted on the platform"),
    "message delete own": gettext_lazy("%(who)s had a message of ours deleted on the platform"),
    "replied elsewhere": gettext_lazy("Answered outside Klankbord"),
    "person unreachable": gettext_lazy("This person can no longer be written to here"),
    "person reachable": gettext_lazy("This person can be written to again"),
}
# On screen already, as a message, a note or a receipt: a line would say it twice.
_SILENT = frozenset(
    {"conversation opened", "message received", "reply queued", "automatic reply queued", "note written", "reply sent",
     "reply delivered", "reply read", "reply failed", "reply uncertain", "receipt"}
)  # fmt: skip


_OWN_WORDS = frozenset({"conversation assigned", "conversation snoozed", "priority set"})


def is_silent(event: Event) -> bool:
    return event.kind in _SILENT or (event.kind not in _EVENTS and event.kind not in _OWN_WORDS)


def event_sentence(event: Event, people: Mapping[str, str], teams: Mapping[str, str], now: datetime) -> str:
    """people, teams: names by id, for the facts that name one."""
    who = event.by.name if event.by else _("Klankbord")
    facts = event.facts
    if event.kind == "conversation assigned":
        owner, team = people.get(str(facts.get("owner") or "")), teams.get(str(facts.get("team") or ""))
        if owner and event.by and owner == event.by.name:
            return _("%(who)s took this conversation") % {"who": who}
        if owner or team:
            return _("%(who)s gave this to %(whom)s") % {"who": who, "whom": " · ".join(filter(None, (owner, team)))}
        return _("%(who)s gave this conversation back") % {"who": who}
    if event.kind == "conversation snoozed":
        until = parse_datetime(str(facts.get("until", "")))
        moment = times.say(until, now) if until else ""
        return _("Snoozed by %(who)s until %(moment)s") % {"who": who, "moment": moment}
    if event.kind == "priority set":
        level = PRIORITY_WORDS.get(int(facts.get("priority", 0)), "")
        return _("%(who)s set the priority to %(level)s") % {"who": who, "level": str(level).lower()}
    told = {name: facts.get(name, "") for name in ("label", "number", "into", "whom")}
    return str(_EVENTS[event.kind]) % {"who": who, **told}


@dataclass(frozen=True, slots=True)
class ReceiptLine:
    """What became of one of our messages. tone: "", "ok", "bad", "unsure"."""

    word: str
    icon: str = ""
    tone: str = ""
    reason: str = ""
    moment: datetime | None = None


def receipt_of(message: Message) -> ReceiptLine:
    state, at = message.state, message.state_at
    if state == MessageState.QUEUED and (leaves_at := parse_datetime(str(message.facts.get("leaves_at", "")))):
        return ReceiptLine(_("Leaves %(moment)s") % {"moment": times.say(leaves_at, timezone.now())}, "clock", "unsure")
    if state == MessageState.QUEUED:
        return ReceiptLine(_("Leaves in a moment"), "clock", reason=said(message.state_reason))
    if state == MessageState.SENDING:
        return ReceiptLine(_("Is being sent"), "send")
    if state in {MessageState.SENT, MessageState.RECEIVED}:
        word = _("Posted") if message.visibility == "public" else _("Sent")
        return ReceiptLine(word, "check", "ok", moment=at or message.at)
    if state == MessageState.DELIVERED:
        return ReceiptLine(_("Delivered"), "checks", "ok", moment=at)
    if state == MessageState.READ:
        return ReceiptLine(_("Read"), "checks", "ok", moment=at)
    if state == MessageState.FAILED:
        return ReceiptLine(_("Not sent"), "warn", "bad", said(message.state_reason))
    if state == MessageState.UNCERTAIN:
        unproven = _("No proof that it arrived. Look on the platform before you send it again.")
        reason = said(message.state_reason) or unproven
        return ReceiptLine(_("Uncertain"), "clock", "unsure", reason)
    return ReceiptLine(_("Taken back before it left"), "reopen")


@dataclass(frozen=True, slots=True)
class PlatformMark:
    """What we did to a message on its platform, in words."""

    words: str
    icon: str
    is_bad: bool = False


_ACTS: Mapping[str, tuple[str, str | Promise, str | Promise, str | Promise]] = {
    "like": ("hand", gettext_lazy("liked by us"), gettext_lazy("is being liked"), gettext_lazy("not liked")),
    "hide": (
        "hide", gettext_lazy("hidden on the platform"), gettext_lazy("is being hidden"), gettext_lazy("not hidden"),
    ),
    "delete": ("trash", gettext_lazy("deleted by us"), gettext_lazy("is being deleted"), gettext_lazy("not deleted")),
}  # fmt: skip


def platform_marks(acts: Mapping[str, Mapping[str, Any]]) -> list[PlatformMark]:
    """acts: as the message keeps them; what was undone and done is not spoken of any more."""
    found: list[PlatformMark] = []
    for name, wish in acts.items():
        icon, done, waiting, failed = _ACTS.get(name.removesuffix(" own"), ("info", "", "", ""))
        if wish.get("state") == "failed":
            found.append(PlatformMark(f"{failed}: {wish.get('reason', '')}", icon, is_bad=True))
        elif wish.get("state") == "waiting":
            found.append(PlatformMark(str(waiting) if wish.get("is_on") else _("is being undone"), icon))
        elif wish.get("is_on"):
            found.append(PlatformMark(str(done), icon))
    return found


def remark_words(remarks: list[str]) -> list[str]:
    return [str(REMARKS.get(remark, remark.replace("-", " "))) for remark in remarks]


_REASONS: Mapping[str, str | Promise] = {
    "dismissed": gettext_lazy("dismissed by a person"),
    "inbox disconnected": gettext_lazy("inbox disconnected"),
    "disconnected": gettext_lazy("inbox disconnected"),
    "unknown kind": gettext_lazy("unknown kind without a conversation"),
    "empty": gettext_lazy("nothing in it"),
    "command": gettext_lazy("command to a bot"),
    "own-address": gettext_lazy("sent by our own address"),
    "typing": gettext_lazy("somebody was typing"),
    "seen": gettext_lazy("somebody looked"),
}


def reason_words(reason: str) -> str:
    """Why the ledger counts something as ignored or failed."""
    return str(_REASONS.get(reason, reason.replace("-", " ").replace("_", " ")))
