"""How a customer understands an answer: crude, quick, and often right, as people are."""

from __future__ import annotations

import re

from .model import Hears


def _any_of(*words: str) -> re.Pattern[str]:
    return re.compile("|".join(words), re.IGNORECASE)


_PATTERNS: dict[Hears, re.Pattern[str]] = {
    Hears.ORDER_QUESTION: _any_of(
        r"(order|bestel|klant)[ -]?(nummer|nr|bon)", r"order (number|id|reference)", "bestellnummer",
        r"num[ée]ro de commande", "رقم الطلب",
    ),
    Hears.ADDRESS_QUESTION: _any_of(
        r"\badres", "postcode", "telefoonnummer", "mailadres", r"\baddress", "phone number", "postleitzahl", "adresse",
        r"\b(je|uw|jouw) naam", r"\byour name", "العنوان",
    ),
    Hears.PHOTO_QUESTION: _any_of(r"\bfoto", r"\bphoto", r"\bpicture", "afbeelding"),
    Hears.INVITATION: _any_of(
        r"\bpriv[ée]", r"\bprivate", r"\bdirect message", r"\bdm\b", "persoonlijk bericht",
        "privatnachricht", "message privé",
    ),
    Hears.APOLOGY: _any_of(
        r"\bsorry", "excuses", r"vervelend", r"spijt", r"\bbalen", "apolog", "entschuldig", "désolé", "نعتذر",
    ),
    Hears.QUESTION: _any_of(r"\?", "؟"),
    Hears.ANYTHING: _any_of(""),
}  # fmt: skip

_BY_A_MACHINE = _any_of(
    r"automatisch", r"\bautomatic", r"\bautomated", r"buiten (onze )?openingstijden", r"outside (our )?opening hours"
)

_MORE_TO_COME = _any_of(
    r"zoek(en)?\b.{0,30}\b(na|uit)\b", r"kijk(en)?\b.{0,20}\bna\b", r"\bmomentje", r"\b(één|een) moment\b",
    r"kom(en)? .{0,40}\bterug\b", r"look into", r"get back to you", r"\bone moment", r"\bi'?ll check",
)  # fmt: skip


def hears(text: str, *, what: Hears, is_private: bool, began_in_public: bool) -> bool:
    """Does this answer hold that? A private answer to a public post is itself an invitation."""
    if what is Hears.INVITATION and is_private and began_in_public:
        return True
    return _PATTERNS[what].search(text) is not None


def is_automatic(text: str) -> bool:
    """Acknowledgements by a machine are read, and waited on: nobody thanks an automatic answer."""
    return _BY_A_MACHINE.search(text) is not None


def promises_more(text: str) -> bool:
    """An answer such as "I will find out" is worth waiting for, and too early for thanks."""
    return _MORE_TO_COME.search(text) is not None
