"""Signs that a machine wrote a mail. One is enough: nothing answers it, reopens for it or asks it for a grade."""

from __future__ import annotations

import re

from .headers import Headers

_PRECEDENCE = frozenset({"bulk", "junk", "list", "auto_reply", "auto-reply"})
_ALWAYS = (
    "x-auto-response-suppress",
    "x-autoreply",
    "x-autorespond",
    "x-autoresponder",
    "x-loop",
    "list-id",
    "list-unsubscribe",
    "feedback-id",
    "x-failed-recipients",
)
_NOBODY = re.compile(
    r"(?:mailer-daemon|mail-daemon|postmaster|(?:no|not|do[-_.]?not|geen|niet|nicht|ne[-_.]?pas)[-_.]?"
    r"(?:reply|replies|respond|response|antwoord|antwoorden|beantwoorden|antworten|repondre)(?:[-_.+].*)?"
    r"|bounces?(?:[-_.+].*)?|autoreply|auto-reply|notifications?(?:[-_.+].*)?)",
    re.IGNORECASE,
)


def signs(headers: Headers, *, sender: str, report: bool) -> tuple[str, ...]:
    """Machine words for what gave it away, () for a person's mail.

    sender: the address in normal form, "" when unknown. report: it is a multipart/report.
    """
    found = [
        *(["empty-return-path"] if _has_empty_return_path(headers) else []),
        *(["auto-submitted"] if _is_auto_submitted(headers) else []),
        *(["report"] if report else []),
        *(["precedence"] if headers.get("precedence").strip().lower() in _PRECEDENCE else []),
        *(name for name in _ALWAYS if headers.has(name)),
        *(["nobody-reads"] if is_unattended(sender) else []),
    ]
    return tuple(found)


def is_unattended(address: str) -> bool:
    """Does the address itself say that nobody reads what is sent to it?"""
    return _NOBODY.fullmatch(address.rpartition("@")[0]) is not None


def _has_empty_return_path(headers: Headers) -> bool:
    return headers.has("return-path") and headers.get("return-path").strip() in ("<>", "")


def _is_auto_submitted(headers: Headers) -> bool:
    value = headers.get("auto-submitted").partition(";")[0].partition("(")[0].strip().lower()
    return value not in ("", "no")
