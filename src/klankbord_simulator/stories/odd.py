"""What nobody should have to answer: spam of several kinds, and posts about the shop that do not ask for anything."""

from __future__ import annotations

from .model import Person, Say, Spot, Story, says, themes

STORIES: tuple[Story, ...] = (
    Story(
        id="spam-seo",
        title="Spam: hoger in de zoekresultaten",
        language="en",
        spots=(Spot.EMAIL, Spot.API),
        themes=themes("spam"),
        subject="Wolk & Zonen is losing 73% of its visitors",
        opening=(
            Say(
                "Hello Sir/Madam,\n\n"
                "I was going through your website and noticed it is not appearing on page one. Our team of certified "
                "specialists can place you at NUMBER 1 within 14 days, guaranteed, for only $ 149 a month.\n\n"
                "May I send you our price list and free audit report?\n\n"
                "If not interested, reply STOP.",
                pastes=True,
            ),
        ),
        person=Person(first="Jennifer", last="Parkes", email="jennifer@rank-rocket.example"),
        wants_answer=False,
    ),
    Story(
        id="spam-seo-again",
        title="Spam: en nog een keer, 'just following up'",
        language="en",
        spots=(Spot.EMAIL,),
        themes=themes("spam"),
        subject="Re: Re: Quick question about your website",
        opening=(
            Say(
                "Hi there,\n\nJust bumping this to the top of your inbox in case you missed my previous three emails. "
                "Backlinks from 500 home & garden blogs. Shall I go ahead?",
                pastes=True,
            ),
        ),
        person=Person(first="Kyle", last="Dorn", email="kyle.dorn@links-galore.example"),
        wants_answer=False,
    ),
    Story(
        id="spam-crypto",
        title="Spam: verdubbel je munten",
        language="en",
        spots=(Spot.MASTODON, Spot.TELEGRAM, Spot.MASTODON_DIRECT),
        themes=themes("spam"),
        opening=(
            Say(
                "🚀🚀 I turned 200 into 11,500 in ONE week thanks to coach Marianne!! No risk, withdraw any time 💰 "
                "write her now 👉 coins.example/marianne",
                pastes=True,
            ),
        ),
        person=Person(first="Crypto", last="Queen", handle="coin_coach_4411"),
        wants_answer=False,
    ),
    Story(
        id="spam-prize",
        title="Spam: u bent geselecteerd",
        language="nl",
        spots=(Spot.EMAIL, Spot.API),
        themes=themes("spam"),
        subject="Laatste herinnering: uw pakket wordt vernietigd!",
        opening=(
            Say(
                "Beste klant,\n\n"
                "Er staat een pakket van u klaar maar de invoerkosten zijn niet voldaan (1,95 EURO). Betaal binnen "
                "24 uur om vernietiging te vookomen.\n\n"
                "Klik hier: http://pakket-betaling.example/nl\n\n"
                "Met vriendelijk groet,\nDe Pakket Dienst",
                pastes=True,
            ),
        ),
        person=Person(first="Pakket", last="Dienst", email="noreply@pakket-betaling.example"),
        wants_answer=False,
    ),
    Story(
        id="spam-supplier",
        title="Spam: fabriek biedt matrassen per container aan",
        language="en",
        spots=(Spot.EMAIL, Spot.WEBCHAT),
        themes=themes("spam"),
        subject="Factory price mattress, good quality dear friend",
        opening=(
            Say(
                "Dear friend purchase manager,\n\n"
                "Glad to know you are on the market of furniture. We are professional factory of mattress over 18 "
                "years. MOQ one container. Please kindly add my chat for catalog.",
                pastes=True,
            ),
        ),
        person=Person(first="Windy", last="Sales", email="windy@sleepwell-factory.example"),
        wants_answer=False,
    ),
    Story(
        id="about-us-compliment",
        title="Over ons, niet aan ons: de lamp op een foto",
        language="nl",
        spots=(Spot.MASTODON,),
        themes=themes("mention", "compliment"),
        opening=(
            Say(
                "Zondagochtend, koffie, krant, en het nieuwe lampje van Wolk & Zonen dat precies de goede kant op "
                "schijnt. Meer heb ik vandaag niet nodig.",
                addressed=False,
            ),
        ),
        wants_answer=False,
    ),
    Story(
        id="about-us-doubt",
        title="Over ons, niet aan ons: heeft iemand ervaring?",
        language="nl",
        spots=(Spot.MASTODON,),
        themes=themes("mention"),
        opening=(
            Say(
                "Heeft iemand ervaring met de banken van Wolk & Zonen? Zit te twijfelen, ik lees wisselende verhalen "
                "over de bezorging.",
                addressed=False,
            ),
        ),
        thanks=says("O wat attent dat jullie zelf reageren. Ik kom zaterdag proefzitten."),
        wants_answer=False,
    ),
    Story(
        id="test-message",
        title="Alleen 'test'",
        language="nl",
        spots=(Spot.WEBCHAT, Spot.API),
        themes=themes("thanks only"),
        opening=says("test"),
        thanks=says("oh hij doet het echt. sorry!"),
        wants_answer=False,
    ),
)
