"""What the shop says, in Dutch and in English. The shop, its people and its prices are invented."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Product:
    """drawing: name of a file in `drawings/`. prices are as a Dutch and as an English page writes them."""

    drawing: str
    name: str
    kind: Mapping[str, str]
    price: Mapping[str, str]


PRODUCTS = (
    Product(
        "merel", "Merel", {"nl": "hanglamp, melkglas", "en": "pendant lamp, milk glass"}, {"nl": "€ 189", "en": "€189"}
    ),
    Product("pluk", "Pluk", {"nl": "stoel, okergeel", "en": "chair, ochre"}, {"nl": "€ 149", "en": "€149"}),
    Product("hazel", "Hazel", {"nl": "driezitsbank", "en": "three-seat sofa"}, {"nl": "€ 1.290", "en": "€1,290"}),
    Product(
        "klaproos", "Klaproos", {"nl": "eettafel, eiken", "en": "dining table, oak"}, {"nl": "€ 849", "en": "€849"}
    ),
    Product("vijver", "Vijver", {"nl": "ronde spiegel", "en": "round mirror"}, {"nl": "€ 165", "en": "€165"}),
    Product(
        "reiger", "Reiger", {"nl": "staande lamp, messing", "en": "floor lamp, brass"}, {"nl": "€ 229", "en": "€229"}
    ),
)

WORDS: Mapping[str, Mapping[str, str]] = {
    "nl": {
        "home_title": "Wolk & Zonen, meubels en lampen",
        "skip": "Naar de inhoud",
        "menu": "Winkel",
        "collection": "Collectie",
        "contact": "Contact",
        "other_language": "English",
        "hero_title": "Licht in huis, ook als het buiten bewolkt is",
        "hero_text": "Meubels en lampen die je kunt repareren, doorgeven en na twintig jaar nog mooi vindt.",
        "hero_link": "Bekijk de collectie",
        "hero_picture": "Een kamer met een hanglamp boven een eettafel, een gele stoel, een rond raam en een kat",
        "promise_1": "Thuisbezorgd tot in de kamer",
        "promise_2": "Dertig dagen om je te bedenken",
        "promise_3": "Vijf jaar garantie op hout en beslag",
        "promises": "Wat je van ons mag verwachten",
        "theme": "Licht of donker",
        "theme_auto": "Als mijn scherm",
        "theme_light": "Licht",
        "theme_dark": "Donker",
        "invented": "Wolk & Zonen bestaat niet. De winkel is verzonnen om Klankbord te laten zien.",
        "contact_title": "Vraag het ons",
        "contact_text": "Er antwoordt een mens. Kies wat jou het best uitkomt.",
        "chat_title": "Chat",
        "chat_text": "Klik rechtsonder op de tekstballon. Daar staat ook hoe lang het nu ongeveer duurt.",
        "mail_title": "E-mail",
        "mail_text": "Handig als je een foto of een factuur wilt meesturen.",
        "visit_title": "Langskomen",
        "visit_text": "Molenpad 12, Utrecht. De koffie staat klaar.",
        "hours_title": "Openingstijden",
        "hours_week": "Dinsdag tot en met vrijdag",
        "hours_saturday": "Zaterdag",
        "hours_closed_days": "Zondag en maandag",
        "hours_week_time": "10:00 – 18:00",
        "hours_saturday_time": "10:00 – 17:00",
        "hours_closed": "gesloten",
        "private_hint": "Je adres, telefoonnummer of rekeningnummer? Stuur die alleen in een privébericht of per mail.",
        "lost_title": "Deze plank is leeg",
        "lost_text": "De bladzijde die je zoekt staat hier niet (meer).",
        "lost_link": "Terug naar de winkel",
    },
    "en": {
        "home_title": "Wolk & Zonen, furniture and lamps",
        "skip": "Skip to content",
        "menu": "Shop",
        "collection": "Collection",
        "contact": "Contact",
        "other_language": "Nederlands",
        "hero_title": "Light at home, even when it is cloudy outside",
        "hero_text": "Furniture and lamps that you can repair, pass on, and still like after twenty years.",
        "hero_link": "See the collection",
        "hero_picture": "A room with a pendant lamp above a dining table, a yellow chair, a round window and a cat",
        "promise_1": "Delivered into the room itself",
        "promise_2": "Thirty days to change your mind",
        "promise_3": "Five years of warranty on wood and fittings",
        "promises": "What you may expect from us",
        "theme": "Light or dark",
        "theme_auto": "As my screen",
        "theme_light": "Light",
        "theme_dark": "Dark",
        "invented": "Wolk & Zonen does not exist. The shop was invented to show Klankbord.",
        "contact_title": "Ask us",
        "contact_text": "A person answers. Choose what suits you best.",
        "chat_title": "Chat",
        "chat_text": "Click the speech bubble at the bottom right. It also tells you about how long it takes now.",
        "mail_title": "E-mail",
        "mail_text": "Handy when you want to send a picture or an invoice along.",
        "visit_title": "Drop in",
        "visit_text": "Molenpad 12, Utrecht. The coffee is ready.",
        "hours_title": "Opening hours",
        "hours_week": "Tuesday to Friday",
        "hours_saturday": "Saturday",
        "hours_closed_days": "Sunday and Monday",
        "hours_week_time": "10:00 – 18:00",
        "hours_saturday_time": "10:00 – 17:00",
        "hours_closed": "closed",
        "private_hint": "Your address, phone or account number? Send those in a private message or by mail only.",
        "lost_title": "This shelf is empty",
        "lost_text": "The page you are looking for is not here (any more).",
        "lost_link": "Back to the shop",
    },
}
