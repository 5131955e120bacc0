"""The icons of all screens: one sprite, made from heroicons' outlines and two marks of our own.

`python -m klankbord.plumbing.look.icons` writes the static file again after a change of the table.
"""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import heroicons

SPRITE = Path(__file__).parent / "static" / "look" / "icons.svg"

# Our name for what an icon means on our screens -> heroicons' name for what it shows.
OUTLINES = {
    "account": "user-circle", "add": "plus", "all": "inbox", "alert": "exclamation-triangle", "audio": "speaker-wave",
    "at": "at-symbol", "bell": "bell",
    "back": "chevron-left", "bolt": "bolt", "bot": "cpu-chip", "bubble": "chat-bubble-left", "check": "check",
    "clip": "paper-clip",
    "clock": "clock", "close": "x-mark", "dense": "bars-4", "roomy": "bars-2", "colleague": "user-plus",
    "copy": "clipboard-document", "down": "chevron-down",
    "download": "arrow-down-tray", "external": "arrow-top-right-on-square", "eye": "eye", "file": "document",
    "flag": "flag", "hand": "hand-thumb-up", "hide": "eye-slash", "join": "arrows-pointing-in",
    "mute": "speaker-x-mark",
    "part": "scissors", "print": "printer", "facts": "code-bracket", "filter": "funnel", "globe": "globe-alt",
    "history": "archive-box", "image": "photo", "inboxes": "inbox-stack",
    "info": "information-circle", "keyboard": "command-line", "language": "language",
    "leave": "arrow-right-start-on-rectangle",
    "ledger": "queue-list", "left": "chevron-left", "link": "link", "lock": "lock-closed", "mail": "envelope",
    "more": "ellipsis-horizontal", "move": "arrows-right-left", "offline": "signal-slash", "panel": "view-columns",
    "pause": "pause", "pencil": "pencil", "people": "users", "person": "user", "phone": "phone", "pin": "map-pin",
    "play": "play", "receipt": "receipt-refund", "refresh": "arrow-path", "reopen": "arrow-uturn-left",
    "right": "chevron-right", "search": "magnifying-glass", "send": "paper-airplane", "settings": "cog-6-tooth",
    "shield": "shield-check", "sleep": "moon", "smile": "face-smile", "star": "star", "spam": "no-symbol",
    "sun": "sun", "tag": "tag",
    "screen": "computer-desktop", "trash": "trash", "unassigned": "user-plus", "up": "chevron-up", "video": "film",
    "wait": "pause-circle", "warn": "exclamation-triangle",
}  # fmt: skip

# Drawn for this project: the mark of the house, and two ticks for "delivered" and "read".
OWN = {
    "logo": '<path d="M4.5 5v14M8.5 9a4.2 4.2 0 0 1 0 6M12.2 6.5a8 8 0 0 1 0 11M16 4a12.5 12.5 0 0 1 0 16"/>',
    "checks": '<path d="M2.5 12.8L7 17.3 15.5 8M11.5 16.3l1 1L21.5 8"/>',
}


def sprite() -> str:
    """All icons as one SVG file of symbols; line width and colour come from the page's style."""
    with zipfile.ZipFile(Path(heroicons.__file__).parent / "heroicons.zip") as outlines:
        shapes = {name: _inside(outlines.read(f"outline/{shown}.svg").decode()) for name, shown in OUTLINES.items()}
    symbols = (
        f'<symbol id="i-{name}" viewBox="0 0 24 24">{shape}</symbol>' for name, shape in sorted((shapes | OWN).items())
    )
    return '<svg xmlns="http://www.w3.org/2000/svg">\n' + "\n".join(symbols) + "\n</svg>\n"


def _inside(svg: str) -> str:
    shape = svg[svg.index(">") + 1 : svg.rindex("</svg>")]
    return re.sub(r'\s*stroke-line(cap|join)="round"', "", " ".join(shape.split())).replace("> <", "><")


if __name__ == "__main__":
    SPRITE.write_text(sprite(), encoding="utf-8")
