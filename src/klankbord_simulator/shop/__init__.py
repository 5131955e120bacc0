"""The web shop of Wolk & Zonen: a small site on loopback that carries the desk's chat widget in one script tag."""

from __future__ import annotations

from .server import Shop, serve

__all__ = ["Shop", "serve"]
