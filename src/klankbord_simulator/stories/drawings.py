"""The pictures customers send, drawn here: small PNG files of broken lamps, lost screws and a purple cat."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from functools import cache
from random import Random

from PIL import Image, ImageDraw

Pencil = ImageDraw.ImageDraw
_SIZE = (480, 360)
_FINER = 2  # drawn larger and scaled down: Pillow's own lines have no soft edges
_INK = "#3b3f46"


@cache
def draw_picture(name: str) -> bytes:
    """A PNG. name: a key of DESCRIPTIONS."""
    ground, painter = _PAINTERS[name]
    image = Image.new("RGB", (_SIZE[0] * _FINER, _SIZE[1] * _FINER), ground)
    painter(ImageDraw.Draw(image))
    file = io.BytesIO()
    image.resize(_SIZE, Image.Resampling.LANCZOS).save(file, "PNG", optimize=True)
    return file.getvalue()


@cache
def draw_sticker(mood: str) -> bytes:
    """A WebP of 512 x 512 on nothing: a lamp with a face. mood: an emoji; sad ones get a sad mouth."""
    image = Image.new("RGBA", (1024, 1024), (0, 0, 0, 0))
    pencil = ImageDraw.Draw(image)
    pencil.polygon([(330, 120), (694, 120), (864, 620), (160, 620)], fill="#f2b84b", outline=_INK, width=14)
    pencil.rectangle((478, 620, 546, 860), fill="#8a5a34", outline=_INK, width=12)
    pencil.rounded_rectangle((312, 850, 712, 920), 34, fill="#8a5a34", outline=_INK, width=12)
    for eye in (400, 600):
        pencil.ellipse((eye, 330, eye + 44, 394), fill=_INK)
    if mood in "😩😭😕☹️":
        pencil.arc((420, 470, 604, 600), 190, 350, fill=_INK, width=16)
    else:
        pencil.arc((420, 400, 604, 540), 10, 170, fill=_INK, width=16)
    file = io.BytesIO()
    image.resize((512, 512), Image.Resampling.LANCZOS).save(file, "WEBP")
    return file.getvalue()


def _stain(pencil: Pencil) -> None:
    pencil.rectangle((0, 520, 960, 720), fill="#c9b79c")
    pencil.rounded_rectangle((90, 190, 870, 470), 60, fill="#7d9a86")
    pencil.rounded_rectangle((60, 330, 900, 590), 50, fill="#8fae99")
    pencil.line((480, 345, 480, 575), fill="#6f8b78", width=6)
    pencil.ellipse((560, 360, 810, 510), fill="#6b6a4d")
    pencil.ellipse((575, 372, 795, 498), fill="#87997a")
    pencil.ellipse((640, 400, 720, 450), fill="#6f7a5d")
    for foot in (110, 820):
        pencil.rectangle((foot, 590, foot + 28, 640), fill="#5d4630")


def _card(pencil: Pencil) -> None:
    pencil.rounded_rectangle((130, 130, 830, 590), 26, fill="#fffaf0", outline="#b9ad97", width=4)
    pencil.rectangle((130, 170, 830, 250), fill="#c0562f")
    for row, wide in enumerate((560, 480, 610)):
        pencil.rounded_rectangle((180, 300 + row * 56, 180 + wide, 322 + row * 56), 10, fill="#d8cdb8")
    scribble = Random(4)
    points = [(200 + step * 22, 530 + scribble.randrange(-30, 30)) for step in range(20)]
    pencil.line(points, fill="#2b4a86", width=7, joint="curve")


def _crack(pencil: Pencil) -> None:
    pencil.rectangle((0, 540, 960, 720), fill="#b98f63")
    pencil.line((480, 0, 480, 150), fill=_INK, width=8)
    pencil.pieslice((230, 120, 730, 620), 180, 360, fill="#f4e7c3", outline="#8c7a4f", width=6)
    pencil.polygon([(560, 140), (610, 260), (570, 300), (640, 372), (735, 372), (700, 240)], fill="#dfe6ea")
    pencil.line([(470, 125), (520, 220), (470, 270), (560, 372)], fill="#6f5f36", width=6)
    shards = Random(11)
    for _ in range(26):
        left, top, size = shards.randrange(180, 780), shards.randrange(560, 680), shards.randrange(14, 46)
        corners = [(left, top), (left + size, top + shards.randrange(-12, 12)), (left + size // 2, top + size)]
        pencil.polygon(corners, fill="#f4e7c3", outline="#8c7a4f")


def _screws(pencil: Pencil) -> None:
    for place in range(5):
        left = 120 + place * 150
        shaft = [(left + 14, 250), (left + 50, 250), (left + 36, 520), (left + 32, 540), (left + 28, 520)]
        pencil.polygon(shaft, fill="#9aa3ad")
        pencil.ellipse((left - 6, 210, left + 70, 262), fill="#c3cad1", outline="#6d757e", width=4)
        pencil.line((left + 18, 236, left + 46, 236), fill="#4f565e", width=7)
        for turn in range(280, 500, 26):
            pencil.line((left + 15, turn + 10, left + 49, turn), fill="#6d757e", width=5)
    pencil.ellipse((740, 560, 860, 680), outline="#c0392b", width=10)
    pencil.text((782, 592), "?", fill="#c0392b", font_size=64)


def _colours(pencil: Pencil) -> None:
    pencil.rectangle((0, 560, 960, 720), fill="#d9d2c5")
    for left, colour in ((150, "#d9a21b"), (550, "#8a5a2b")):
        pencil.rounded_rectangle((left, 120, left + 260, 380), 46, fill=colour)
        pencil.rounded_rectangle((left - 14, 360, left + 274, 440), 30, fill=colour, outline="#5d4630", width=4)
        for leg in (left + 10, left + 224):
            pencil.polygon([(leg, 440), (leg + 26, 440), (leg + 18, 640), (leg + 8, 640)], fill="#6b4a2b")


def _drawer(pencil: Pencil) -> None:
    pencil.rectangle((130, 80, 830, 640), fill="#a9794a", outline="#5b3d20", width=6)
    for top in (270, 450):
        pencil.rectangle((170, top, 790, top + 150), fill="#bd8b58", outline="#5b3d20", width=5)
        pencil.ellipse((456, top + 56, 504, top + 100), fill="#e0c9a0", outline="#5b3d20", width=4)
    pencil.polygon([(170, 110), (790, 150), (790, 250), (170, 250)], fill="#c99a67", outline="#5b3d20")
    pencil.line([(140, 232), (250, 214), (330, 250), (440, 226)], fill="#8e959c", width=14, joint="curve")


def _shelf(pencil: Pencil) -> None:
    pencil.rectangle((0, 600, 960, 720), fill="#cfc6b6")
    for left in (200, 730):
        pencil.rectangle((left, 70, left + 34, 630), fill="#d6b07c", outline="#7a5a30", width=4)
    for top, shift in ((110, 0), (280, 46), (450, 0), (590, 0)):
        pencil.rectangle((200 + shift, top, 764 + shift, top + 28), fill="#e2c18f", outline="#7a5a30", width=4)
    pencil.ellipse((740, 230, 860, 350), outline="#c0392b", width=9)


def _child(pencil: Pencil) -> None:
    pencil.line((0, 610, 960, 596), fill="#3f9b4f", width=26)
    pencil.ellipse((720, 40, 860, 180), fill="#ffd23f", outline="#f08a24", width=8)
    pencil.rectangle((120, 380, 560, 520), fill="#e4572e", outline="#a83415", width=9)
    pencil.rectangle((110, 270, 150, 600), fill="#8b5a2b")
    pencil.rectangle((540, 340, 580, 600), fill="#8b5a2b")
    pencil.ellipse((150, 310, 290, 390), fill="#ffffff", outline="#7aa7d9", width=7)
    pencil.ellipse((180, 250, 270, 340), fill="#ffd9b8", outline=_INK, width=6)
    pencil.arc((200, 280, 250, 325), 10, 170, fill=_INK, width=6)
    pencil.ellipse((610, 360, 880, 590), fill="#8e5bc9", outline="#5f3496", width=9)
    for ear in (650, 780):
        pencil.polygon([(ear, 380), (ear + 34, 290), (ear + 70, 376)], fill="#8e5bc9", outline="#5f3496")
    for eye in (690, 770):
        pencil.ellipse((eye, 430, eye + 30, 466), fill="#fff7c2", outline=_INK, width=5)
    pencil.arc((700, 470, 790, 530), 10, 170, fill=_INK, width=7)
    for whisker in (490, 510):
        pencil.line((600, whisker - 20, 680, whisker), fill=_INK, width=4)
        pencil.line((810, whisker, 900, whisker - 20), fill=_INK, width=4)


_PAINTERS: Mapping[str, tuple[str, Callable[[Pencil], None]]] = {
    "stain": ("#e8e3d8", _stain),
    "card": ("#8d6b4c", _card),
    "crack": ("#dfe6e4", _crack),
    "screws": ("#efe9df", _screws),
    "colours": ("#f2efe8", _colours),
    "drawer": ("#e4dccf", _drawer),
    "shelf": ("#f1ece2", _shelf),
    "child": ("#f7fbff", _child),
}

DESCRIPTIONS: Mapping[str, str] = {
    "stain": "Groene bank met een bruine kring op de zitting",
    "card": "Kaartje van de bezorger met een krabbel in blauwe pen",
    "crack": "Hanglamp met een gebroken glazen kap en scherven op tafel",
    "screws": "Vijf schroeven op een rij en een vraagteken op een lege plek",
    "colours": "Twee stoelen naast elkaar, de ene geel, de andere bruin",
    "drawer": "Ladekast waarvan de bovenste lade scheef hangt",
    "shelf": "Boekenkast met een plank die rechts uitsteekt",
    "child": "Kindertekening van een bed, een zon en een grote paarse kat",
}
