"""By which road the desk's own mail leaves: a mail server that the environment names, a folder, or none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from urllib.parse import parse_qs, unquote, urlsplit

_PORTS = {"smtp": 587, "smtps": 465}
SHAPE = "must look like smtps://name:password@mail.example:465, or smtp://… for STARTTLS"


@dataclass(frozen=True, slots=True)
class MailServer:
    """is_secret: the connection is encrypted, from its start (smtps) or by STARTTLS (smtp)."""

    host: str
    port: int
    user: str
    password: str
    begins_secret: bool
    is_secret: bool


def mail_server(url: str) -> MailServer:
    """From smtp(s)://user:password@host:port. `?tls=no` leaves STARTTLS out, for a relay within the walls.

    Raises: ValueError, whose words do not quote the address: it holds a password.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValueError(SHAPE) from None
    wishes = parse_qs(parts.query)
    if parts.scheme not in _PORTS or not parts.hostname or parts.path.strip("/") or set(wishes) - {"tls"}:
        raise ValueError(SHAPE)
    return MailServer(
        host=parts.hostname,
        port=port or _PORTS[parts.scheme],
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        begins_secret=parts.scheme == "smtps",
        is_secret=parts.scheme == "smtps" or wishes.get("tls") != ["no"],
    )


Road = Literal["server", "folder", "none"]
BACKENDS: dict[Road, str] = {
    "server": "django.core.mail.backends.smtp.EmailBackend",
    "folder": "django.core.mail.backends.filebased.EmailBackend",
    "none": "django.core.mail.backends.dummy.EmailBackend",
}


def road_of(url: str, *, is_development: bool) -> Road:
    """Without a mail server a desk in development, and the demo, keep their mail in a folder where a person sees it."""
    return "server" if url else "folder" if is_development else "none"
