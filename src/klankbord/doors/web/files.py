"""Which files of customers are shown as what."""

from __future__ import annotations

# Kinds that a browser draws and never runs; everything else is a line with a name.
SHOWN_AS_PICTURE = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})

ICONS = {"image": "image", "audio": "audio", "video": "video", "location": "pin", "sticker": "smile"}
