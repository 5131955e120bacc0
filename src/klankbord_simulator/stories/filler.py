"""Volume: stories put together from parts, endless and different, for a busy day or a long measurement."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from .model import Hears, Spot, Story, When, says, tells, waits

_CHATTY = (Spot.TELEGRAM, Spot.WEBCHAT, Spot.MASTODON_DIRECT)


@dataclass(frozen=True, slots=True)
class Kind:
    """One sort of message: openers x cores x closers."""

    theme: str
    spots: tuple[Spot, ...]
    cores: tuple[str, ...]
    closers: tuple[str, ...] = ("",)
    wants_answer: bool = True
    weight: int = 10


@dataclass(frozen=True, slots=True)
class Tongue:
    greetings: tuple[str, ...]
    thanks: tuple[str, ...]
    order: tuple[str, ...]
    address: tuple[str, ...]
    further: tuple[str, ...]
    impatience: tuple[str, ...]
    subject: str
    kinds: tuple[Kind, ...]


_DUTCH = Tongue(
    greetings=("", "Hoi, ", "Hallo, ", "Goedemorgen, ", "Goeiemiddag, ", "Hey, ", "Dag, "),
    thanks=("Dankjewel!", "Top, bedankt", "Fijn, dan wacht ik af.", "Helder. Dank!", "👍", "Oké, thanks"),
    order=("{order}", "Dat is {order}", "even zoeken.. {order}"),
    address=("{postcode} {house}", "{street} {house}, {postcode} {city}"),
    further=("Ja, klopt", "Nee, verder is alles goed", "Liefst deze week nog", "Donderdag of vrijdag"),
    impatience=("?", "Hallo?", "Is er iemand?", "Ik wacht nog even op antwoord"),
    subject="Vraag over {product}",
    kinds=(
        Kind(
            "late parcel",
            (*_CHATTY, Spot.EMAIL, Spot.MASTODON),
            (
                "mijn {product} zou gisteren komen en ik heb nog niets gezien.",
                "waar blijft bestelling {order}? De app zegt al dagen hetzelfde.",
                "ik heb een bezorgmoment gekozen maar geen bevestiging gekregen voor de {product}.",
                "de bezorger is vandaag niet geweest, terwijl ik er de hele dag voor thuis ben gebleven.",
            ),
            (" Weten jullie meer?", " Kan iemand dat nakijken?", " Hoor het graag.", " Wat is er aan de hand?"),
            weight=16,
        ),
        Kind(
            "broken product",
            (*_CHATTY, Spot.EMAIL),
            (
                "er zit een kras op mijn nieuwe {product}.",
                "één poot van mijn stoel Pluk staat scheef, hoe ik hem ook draai.",
                "de {product} was bij het uitpakken al beschadigd aan de hoek.",
                "een deurtje van de kast Stapel sluit niet meer, ook niet na het bijstellen.",
            ),
            (" Hoe lossen we dat op?", " Ik heb foto's als dat helpt.", " Val ik nog onder de garantie?"),
        ),
        Kind(
            "stock question",
            (*_CHATTY, Spot.MASTODON, Spot.API),
            (
                "is de {product} ook in een lichtere kleur te krijgen?",
                "hoeveel weegt de {product} ongeveer?",
                "komt de {product} voor de feestdagen nog binnen?",
                "staat de {product} ook in de winkel, zodat ik hem in het echt kan zien?",
            ),
            ("", " Alvast bedankt!", " Ben benieuwd."),
        ),
        Kind(
            "return label",
            (Spot.WEBCHAT, Spot.EMAIL, Spot.API),
            (
                "hoe kan ik de {product} ruilen? Hij is net te groot.",
                "ik wil een van de twee pakketten van {order} terugsturen.",
                "wanneer wordt mijn retour van {amount} verwerkt?",
            ),
            ("", " Het is niet dringend.", " Graag wat hulp."),
        ),
        Kind(
            "compliment",
            (Spot.MASTODON, Spot.TELEGRAM),
            (
                "wat een mooie {product}, en zo snel bezorgd!",
                "net de boekenkast in elkaar gezet. In één keer goed, dat is nog nooit gebeurd.",
                "complimenten voor de aardige mensen in de winkel vanmiddag.",
                "alweer drie jaar blij met de {product}. Moest ik toch eens zeggen.",
            ),
            ("", " 😍", " Ga zo door.", " Dank!"),
            wants_answer=False,
            weight=12,
        ),
    ),
)
_ENGLISH = Tongue(
    greetings=("", "Hi, ", "Hello, ", "Hey there, "),
    thanks=("Thanks!", "Great, thank you", "Lovely, cheers"),
    order=("{order}", "It's {order}"),
    address=("{postcode}, number {house}",),
    further=("Yes, that's right", "Any day after four works for me", "No, everything else is fine"),
    impatience=("?", "Hello?", "Anyone there?"),
    subject="Question about {product}",
    kinds=(
        Kind(
            "late parcel",
            (*_CHATTY, Spot.EMAIL),
            ("my {product} was due yesterday and hasn't turned up.", "order {order} has been 'on its way' for a week."),
            (" Could you check?", " Any news?"),
        ),
        Kind(
            "stock question",
            _CHATTY,
            ("does the {product} come in a smaller size?", "can I see the {product} in the shop?"),
            ("", " Thanks in advance!"),
        ),
    ),
)
_FLEMISH = Tongue(
    greetings=("Dag, ", "Goeiedag, ", "Hallo, "),
    thanks=("Merci!", "Super, dank u", "Voila, in orde dan"),
    order=("{order}", "Dat is bestelling {order}"),
    address=("{street} {house}, {postcode} {city}",),
    further=("Ja, dat klopt", "Liefst na 17u", "Neen, voor de rest is alles in orde"),
    impatience=("Iemand?", "Nog altijd geen antwoord.."),
    subject="Vraagje over {product}",
    kinds=(
        Kind(
            "late parcel",
            (*_CHATTY, Spot.EMAIL),
            (
                "mijn {product} ging deze week geleverd worden, maar ik heb nog niks gehoord.",
                "de leverdienst is precies aan het verkeerde huis geweest met mijn {product}.",
            ),
            (" Kan u dat eens nazien?", " Weet gij daar meer van?"),
        ),
        Kind(
            "stock question",
            (*_CHATTY, Spot.MASTODON),
            ("leveren jullie de {product} ook gratis in Vlaanderen?", "is de {product} nog in voorraad?"),
        ),
    ),
)
_TONGUES: Mapping[str, Tongue] = {"nl": _DUTCH, "nl-BE": _FLEMISH, "en": _ENGLISH}


def make_filler(*, number: int, draw: Random) -> Story:
    """A story from parts. number: makes the id unique."""
    language = draw.choices(("nl", "nl-BE", "en"), weights=(75, 13, 12))[0]
    tongue = _TONGUES[language]
    kind = draw.choices(tongue.kinds, weights=[each.weight for each in tongue.kinds])[0]
    spots = tuple(draw.sample(kind.spots, len(kind.spots)))
    first, second = draw.sample(tongue.impatience, 2)
    opening = draw.choice(tongue.greetings) + draw.choice(kind.cores) + draw.choice(kind.closers)
    return Story(
        id=f"filler-{number}",
        title=f"{kind.theme} ({language})",
        language=language,
        spots=spots,
        themes=frozenset({kind.theme}),
        subject=tongue.subject,
        signature="{first} {last}",
        opening=says(opening[0].upper() + opening[1:]),
        whens=(
            When(Hears.INVITATION, tells(draw.choice(tongue.order))),
            When(Hears.ORDER_QUESTION, tells(draw.choice(tongue.order))),
            When(Hears.ADDRESS_QUESTION, tells(draw.choice(tongue.address))),
            When(Hears.QUESTION, says(draw.choice(tongue.further))),
        ),
        silences=waits((draw.randrange(10, 60), first), (draw.randrange(40, 180), second)) if kind.wants_answer else (),
        thanks=says(draw.choice(tongue.thanks)),
        typos=draw.random() < 0.5,
        wants_answer=kind.wants_answer,
    )
