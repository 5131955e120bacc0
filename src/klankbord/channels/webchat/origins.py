"""The sites on which a widget may open, as browsers name them in `Origin`: scheme, host and port, nothing else."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

_DEFAULT_PORTS = {"http": 80, "https": 443}
_HOST = re.compile(r"[a-z0-9.-]+|\[[0-9a-f:.]+\]")


def origins_in(lines: str) -> tuple[str, ...]:
    """The origins that an administrator filled in, one a line; what is not a web address is left out."""
    found = (origin_of(line) for line in lines.splitlines())
    return tuple(dict.fromkeys(each for each in found if each))


def origin_of(address: str) -> str:
    """The origin of a web address, in the form in which browsers send it; "" when there is none."""
    try:
        parts = urlsplit(address.strip().lower())
        port = parts.port
    except ValueError:
        return ""
    host = parts.hostname or ""
    host = f"[{host}]" if ":" in host else host
    if parts.scheme not in _DEFAULT_PORTS or not _HOST.fullmatch(host) or "@" in parts.netloc:
        return ""
    suffix = f":{port}" if port and port != _DEFAULT_PORTS[parts.scheme] else ""
    return f"{parts.scheme}://{host}{suffix}"
