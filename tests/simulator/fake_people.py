"""People and a picture for the tests of the fakes."""

from __future__ import annotations

from klankbord_simulator.stage import Actor

SANNE = Actor("Sanne Bos", "sanne", "sanne@post.example", "nl", "#c2410c")
OMAR = Actor("Omar", "omar", "omar@brief.example", "en")
PNG = b"\x89PNG\r\n\x1a\n--not-a-boundary\r\n\r\n"
