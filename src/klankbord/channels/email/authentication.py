"""Did the mail come from where it says? Only the verdict of our own mail server counts (RFC 8601)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .headers import Headers

_COMMENT = re.compile(r"\([^()]*\)")
_RESULT = re.compile(r"\s*(spf|dkim|dmarc)\s*=\s*([a-z]+)(.*)", re.IGNORECASE | re.DOTALL)
_PROPERTY = re.compile(r"(smtp\.mailfrom|smtp\.helo|header\.(?:d|i|from))\s*=\s*\"?([^\s;\"]+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Verdict:
    """results: for example {"spf": "pass", "dmarc": "fail"}. is_aligned: it speaks of the domain in the From."""

    results: dict[str, str]
    is_aligned: bool


def verdict(headers: Headers, *, authserv_id: str, sender: str) -> Verdict | None:
    """What our own server found, None when it said nothing or when we do not know its name.

    Only the topmost header counts: our server adds on top, and anything below may have come along with the mail.
    """
    authserv_id = authserv_id.strip().lower()
    topmost = headers.get("authentication-results")
    if not authserv_id or not topmost:
        return None
    first, *rest = _COMMENT.sub(" ", topmost).split(";")
    if first.split()[:1] != [authserv_id] and first.lower().split()[:1] != [authserv_id]:
        return None
    domain = sender.rpartition("@")[2]
    results: dict[str, str] = {}
    is_aligned = False
    for each in rest[:50]:
        match = _RESULT.fullmatch(each)
        if match is None:
            continue
        method, result = match[1].lower(), match[2].lower()
        if results.get(method) != "pass":
            results[method] = result
        if result == "pass":
            properties = {name.lower(): value.lower() for name, value in _PROPERTY.findall(match[3])}
            is_aligned = is_aligned or _is_about(domain, method, properties)
    return Verdict(results, is_aligned and results.get("dmarc", "pass") in ("pass", "none", "bestguesspass"))


def _is_about(domain: str, method: str, properties: dict[str, str]) -> bool:
    names = {"spf": ("smtp.mailfrom",), "dkim": ("header.d", "header.i"), "dmarc": ("header.from",)}[method]
    named = [properties[name].rpartition("@")[2] for name in names if name in properties]
    return bool(domain) and any(_same_organisation(domain, each) for each in named)


def _same_organisation(one: str, other: str) -> bool:
    """Relaxed alignment, without a list of public suffixes: one is the other or lies beneath it."""
    return one == other or (one.endswith(f".{other}") and "." in other) or (other.endswith(f".{one}") and "." in one)
