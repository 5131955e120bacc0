"""What the palette offers: views, pages, and everything that a key or a menu does, each with its key."""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from klankbord.kernel.text import fold

from .frame import Frame

LOOK = 'button[name="theme"][value="{}"]'
TONGUE = 'button[name="language"][value="{}"]'


@dataclass(frozen=True, slots=True)
class Line:
    """One thing to choose. Exactly one of url, press (a key of the desk) and click (a button on every page) is set."""

    title: str
    icon: str
    about: str = ""
    keys: str = ""
    url: str = ""
    press: str = ""
    click: str = ""


# On the open conversation, for those who may answer: title, icon, key.
_ON_CONVERSATION: tuple[tuple[str | Promise, str, str], ...] = (
    (gettext_lazy("Reply"), "send", "r"),
    (gettext_lazy("New note"), "pencil", "n"),
    (gettext_lazy("Resolve"), "check", "e"),
    (gettext_lazy("Snooze…"), "sleep", "s"),
    (gettext_lazy("Give to a person…"), "person", "a"),
    (gettext_lazy("Give to a team…"), "people", "t"),
    (gettext_lazy("Label…"), "tag", "l"),
    (gettext_lazy("Switch between public and private"), "move", "p"),
    (gettext_lazy("Undo sending"), "reopen", "u"),
)
_ANYWHERE: tuple[tuple[str | Promise, str, str], ...] = (
    (gettext_lazy("Light theme"), "sun", LOOK.format("light")),
    (gettext_lazy("Dark theme"), "sleep", LOOK.format("dark")),
    (gettext_lazy("Theme as the device"), "screen", LOOK.format("system")),
    (gettext_lazy("Screens in Dutch"), "language", TONGUE.format("nl")),
    (gettext_lazy("Screens in English"), "language", TONGUE.format("en")),
    (gettext_lazy("Sign out"), "leave", 'form[action$="/accounts/logout/"] button'),
)


def on_conversation(words: str) -> list[Line]:
    return [
        Line(str(title), icon, keys=key.upper(), press=key)
        for title, icon, key in _ON_CONVERSATION
        if fits(title, words)
    ]


def views(around: Frame, words: str) -> list[Line]:
    lines = [Line(link.title, link.icon, str(link.count or ""), url=link.url) for link in around.links]
    lines += [Line(link.title, "filter", link.team, url=link.url) for link in around.saved]
    return [line for line in lines if fits(line.title, words)]


def pages(around: Frame, words: str) -> list[Line]:
    lines = [Line(_("Search"), "search", keys="/", url=reverse("search"))]
    if around.sees_ledger:
        lines.append(Line(_("Ledger"), "ledger", url=reverse("ledger")))
    lines += [Line(str(each.title), "settings", _("Settings"), url=each.url) for each in around.settings]
    lines += [
        Line(_("Two-step sign-in"), "shield", url=reverse("mfa_index")),
        Line(_("Change password"), "lock", url=reverse("account_change_password")),
    ]
    return [line for line in lines if fits(f"{line.title} {line.about}", words)]


def anywhere(words: str) -> list[Line]:
    lines = [Line(str(title), icon, click=button) for title, icon, button in _ANYWHERE if fits(title, words)]
    keys = _("Keys")
    return [*lines, *([Line(keys, "keyboard", keys="?", press="?")] if fits(keys, words) else [])]


def fits(title: str | Promise, words: str) -> bool:
    """Whether each of the words begins one of the title's."""
    own = fold(str(title)).split()
    return all(any(word.startswith(begun) for word in own) for begun in fold(words).split())
