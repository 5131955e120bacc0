"""Who plays a story: invented people with names, addresses and order numbers, drawn from a seeded source.

Nothing here can reach anybody: mail domains are reserved, phone numbers lie in ranges that are not given out, except in
stories that try the desk's guards on purpose, which get numbers that pass every check and belong to nobody.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from .model import Story

SHOP = "Wolk & Zonen"
# All of them "de" in Dutch, so that a template can put any of them in the same sentence.
PRODUCTS: Mapping[str, tuple[str, ...]] = {
    "nl": (
        "hanglamp Merel", "stoel Pluk", "bank Hazel", "eettafel Klaproos", "kast Stapel", "spiegel Vijver",
        "bijzettafel Kiezel", "staande lamp Reiger", "bureaulamp Mus",
    ),
    "en": ("Merel lamp", "Pluk chair", "Hazel sofa", "Klaproos table", "Vijver mirror", "Reiger floor lamp"),
}  # fmt: skip
AMOUNTS = ("€ 39,95", "€ 64,50", "€ 89,-", "€ 129,95", "€ 184,-", "€ 219,90", "€ 347,50", "€ 512,-")
STREETS = (
    "Kastanjelaan", "Molenpad", "Zwaluwstraat", "Oude Haven", "Veerdijk", "Lijsterhof", "Korenbloemplein", "Singelkade",
    "Dorpsweide", "Wilgenpad", "Achterom", "Spoorzicht",
)  # fmt: skip
CITIES = ("Utrecht", "Zwolle", "Breda", "Groningen", "Haarlem", "Nijmegen", "Almere", "Leiden", "Deventer", "Heerlen")
FLEMISH_CITIES = ("Gent", "Mechelen", "Leuven", "Kortrijk", "Hasselt", "Turnhout")

FIRST_NAMES: Mapping[str, tuple[str, ...]] = {
    "nl": (
        "Marijke", "Sjoerd", "Youssef", "Esra", "Thijmen", "Lieke", "Dilara", "Rozemarijn", "Emre", "Fenna", "Chayenne",
        "Gijs", "Soraya", "Mehmet", "Annelot", "Ruud", "Zeynep", "Joost", "Precious", "Hülya", "Wim", "Naima", "Tygo",
    ),
    "nl-BE": ("Lotte", "Jef", "Goedele", "Wannes", "Hilde", "Seppe", "Griet", "Bavo"),
    "en": ("Hannah", "Callum", "Priya", "Oliver", "Niamh", "Tariq"),
    "de": ("Annika", "Jürgen", "Friederike", "Cem"),
    "fr": ("Maëlle", "Baptiste", "Aminata", "Solène"),
    "fy": ("Sytske", "Jelmer", "Wytske", "Durk"),
    "ar": ("سلمى", "يوسف"),
}  # fmt: skip
LAST_NAMES: Mapping[str, tuple[str, ...]] = {
    "nl": (
        "van Tongerloo", "Wesselink", "Aydoğan", "Boersma", "el Mansouri", "Kuipers-Prins", "Terpstra", "Oosterveld",
        "Çelikbaş", "Ravensbergen", "de Graauw", "Sital", "Vermaas", "Hogenkamp", "Yavuzer", "ten Hoopen", "Brandsema",
    ),
    "nl-BE": ("Vandeputte", "Claeskens", "De Ridderbeke", "Moortgatter", "Wauterickx", "Verstraetene"),
    "en": ("Ashcombe", "Penhallow", "Raghunath", "McElwaine", "Thistleton"),
    "de": ("Brinkschulte", "Hasenpflug", "Özbekoğlu"),
    "fr": ("Delacroisette", "Mbengué", "Vanderhaegen"),
    "fy": ("Wiersmastra", "Tjeerdema", "Bouwhuisma"),
    "ar": ("الحلبي", "المصري"),
}  # fmt: skip
COLOURS = ("#b45309", "#0f766e", "#4338ca", "#be123c", "#15803d", "#7e22ce", "#0369a1", "#a16207")

_PLACEHOLDER = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Role:
    """A person for one performance. facts: what the placeholders of the story stand for."""

    name: str
    username: str
    email: str
    language: str
    colour: str
    facts: Mapping[str, str]


def cast(story: Story, *, number: int, draw: Random) -> Role:
    """Give the story a person. number: counts performances, so that no two people share a username."""
    names = story.language if story.language in FIRST_NAMES else "nl"
    first = story.person.first or draw.choice(FIRST_NAMES[names])
    last = story.person.last or draw.choice(LAST_NAMES[names])
    username = f"{story.person.handle or _handle(first, last)}_{number}"
    facts = {"first": first, "last": last, "handle": username, **_papers(story, draw)}
    facts["email"] = fill(story.person.email or "{handle}@" + draw.choice(("thuis.example", "postvak.example")), facts)
    facts["subject"] = fill(story.subject, facts)
    return Role(
        name=f"{first} {last}",
        username=username,
        email=facts["email"],
        language=story.language[:2],
        colour=draw.choice(COLOURS),
        facts=facts,
    )


def fill(text: str, facts: Mapping[str, str]) -> str:
    """Put facts in the place of {placeholders}. Raises KeyError for a word that is not a fact."""
    return _PLACEHOLDER.sub(lambda found: facts[found[1]], text)


def _papers(story: Story, draw: Random) -> dict[str, str]:
    is_flemish = story.language == "nl-BE"
    letters = "ABCDEGHJKLMNPRSTVWXZ"
    tail = f"{draw.randrange(100):02d} {draw.randrange(100):02d}"
    phone = f"0400 {draw.randrange(100):02d} {tail}" if is_flemish else f"06 00 {draw.randrange(100):02d} {tail}"
    suffix = "" if is_flemish else f" {draw.choice(letters)}{draw.choice(letters)}"
    papers = {
        "order": f"WZ-{draw.randrange(210_000, 690_000)}",
        "product": draw.choice(PRODUCTS["en" if story.language == "en" else "nl"]),
        "amount": draw.choice(AMOUNTS),
        "street": draw.choice(STREETS),
        "house": str(draw.randrange(1, 190)),
        "postcode": f"{draw.randrange(1000, 9900)}{suffix}",
        "city": draw.choice(FLEMISH_CITIES if is_flemish else CITIES),
        "phone": phone,
    }
    if story.has_personal_data:
        papers |= {"phone": "06 12 34 56 78", "iban": _iban(draw), "citizen_number": _citizen_number(draw)}
    return papers


def _iban(draw: Random) -> str:
    """A Dutch account number with right check digits, at a bank that does not exist."""
    bank, account = "WOLK", f"{draw.randrange(10**9):010d}"
    digits = "".join(str(int(sign, 36)) for sign in f"{bank}{account}NL00")
    return f"NL{98 - int(digits) % 97:02d} {bank} {account[:4]} {account[4:8]} {account[8:]}"


def _citizen_number(draw: Random) -> str:
    """Nine digits that pass the eleven test, from the range kept for tests (9999…)."""
    while True:
        digits = [9, 9, 9, 9, *(draw.randrange(10) for _ in range(4))]
        last = sum(weight * digit for weight, digit in zip(range(9, 1, -1), digits, strict=True)) % 11
        if last < 10:
            return "".join(map(str, [*digits, last]))


def _handle(first: str, last: str) -> str:
    plain = unicodedata.normalize("NFKD", f"{first}{last}").encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]", "", plain)[:20] or "gast"
