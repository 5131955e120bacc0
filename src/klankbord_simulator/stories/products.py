"""Products: broken, incomplete, the wrong colour, in stock or not, hard to put together."""

from __future__ import annotations

from .model import (
    Hears,
    Location,
    Person,
    Say,
    Silence,
    Spot,
    Sticker,
    Story,
    VoiceNote,
    When,
    Withdraw,
    says,
    tells,
    themes,
    waits,
)

STORIES: tuple[Story, ...] = (
    Story(
        id="broken-lamp",
        title="Glazen kap in duizend stukjes",
        language="nl",
        spots=(Spot.TELEGRAM, Spot.WEBCHAT),
        themes=themes("broken product", "assembly photo"),
        opening=(
            *says("Net mijn Merel uitgepakt 😭"),
            Say("Kap is helemaal kapot. Doos was van buiten gewoon heel", pictures=("crack",)),
            *says("Wat nu?"),
        ),
        whens=(
            When(Hears.ORDER_QUESTION, says("{order}")),
            When(Hears.PHOTO_QUESTION, (Say("kijk, zo lag ie erin", pictures=("crack",)),)),
            When(Hears.ADDRESS_QUESTION, says("{street} {house} in {city}, {postcode}")),
        ),
        silences=waits((12, "Is er iemand?"), (35, "Ik moet zo weg, antwoord maar als het uitkomt dan")),
        thanks=says("Wauw oké, een nieuwe én ik hoef niks terug te sturen. Top!"),
        typos=True,
    ),
    Story(
        id="missing-screws",
        title="Zakje schroeven ontbreekt",
        language="nl",
        spots=(Spot.WEBCHAT, Spot.TELEGRAM),
        themes=themes("missing screws"),
        opening=says(
            "Hoi, ben bezig met kast Stapel, stap 7",
            "zakje C zit er niet bij. heb de doos 3x binnenstebuiten gekeerd",
            "de halve kast ligt nu op de vloer en mijn schoonouders komen om 6 uur",
        ),
        whens=(
            When(Hears.ORDER_QUESTION, says("{order}", "gekocht vorige week")),
            When(Hears.PHOTO_QUESTION, (Say("dit heb ik wel", pictures=("screws",)),)),
            When(Hears.ADDRESS_QUESTION, says("{street} {house}, {postcode}")),
            When(Hears.QUESTION, says("de dikke, met dat zeskantje")),
        ),
        silences=waits((6, "hallo? 🙏"), (15, "laat maar, ik zet er een stoel voor")),
        thanks=says("gewone m6x40 uit de schuur dus. PAST. held ben je 🙌"),
        typos=True,
    ),
    Story(
        id="wrong-colour",
        title="Okergeel besteld, mosterd-met-een-bruine-waas gekregen",
        language="nl",
        spots=(Spot.EMAIL, Spot.WEBCHAT),
        themes=themes("wrong colour", "mail with attachment"),
        subject="Verkeerde kleur stoelen",
        opening=(
            Say(
                "Goedemorgen,\n\n"
                "Vier stoelen Pluk besteld in okergeel. Er staan er nu vier in iets wat mijn man 'natte herfst' "
                "noemt. Op de doos staat oker, op het etiket onder de zitting staat cognac. Foto erbij, met de "
                "vijfde stoel van vorig jaar ernaast.\n\n"
                "Kunnen deze worden omgeruild? Ze zijn verder prachtig.",
                pictures=("colours",),
            ),
        ),
        signature="Groet, {first}",
        whens=(
            When(Hears.ORDER_QUESTION, says("Natuurlijk, vergeten: {order}.")),
            When(
                Hears.QUESTION, says("Omruilen heeft de voorkeur. We hoeven geen geld terug, we willen gele stoelen.")
            ),
        ),
        silences=waits((240, "Goedemiddag, is er al iets bekend over de stoelen? Ze staan nog in het plastic.")),
        thanks=says("Heel fijn, dan zien we de chauffeur donderdag. Dank voor het meedenken!"),
        gives_up_after=300,
    ),
    Story(
        id="warranty-drawer",
        title="Garantie: lade loopt na twee jaar vast",
        language="nl",
        spots=(Spot.EMAIL,),
        themes=themes("warranty", "formal letter"),
        subject="Garantie ladekast, aankoop maart 2024",
        person=Person(first="Johanna"),
        opening=says(
            "Geachte heer, mevrouw,\n\n"
            "In maart 2024 kochten wij bij u een ladekast uit de serie Noorden. Sinds enkele weken loopt de bovenste "
            "lade vast: de geleider aan de linkerkant is verbogen. De kast is gebruikt waarvoor zij bedoeld is, "
            "namelijk voor tafellinnen.\n\n"
            "Op uw website lees ik dat u vijf jaar garantie geeft op beslag. Graag verneem ik hoe wij daar aanspraak "
            "op kunnen maken en of er een monteur langskomt, of dat u een onderdeel toezendt.\n\n"
            "De aankoopbon bewaar ik en kan ik u desgewenst toesturen."
        ),
        signature="Hoogachtend,\n\nmevr. {first} {last}\n{street} {house}\n{postcode} {city}",
        whens=(
            When(Hears.ORDER_QUESTION, says("Het bestelnummer luidt {order}, van 14 maart 2024.")),
            When(Hears.PHOTO_QUESTION, (Say("Mijn kleinzoon heeft bijgaande foto gemaakt.", pictures=("drawer",)),)),
            When(Hears.QUESTION, says("Wij zijn op werkdagen vrijwel altijd thuis, behalve dinsdagochtend.")),
        ),
        silences=waits((480, "Geachte heer, mevrouw,\n\nMag ik nog een reactie ontvangen op mijn brief van gisteren?")),
        thanks=says("Hartelijk dank voor uw heldere antwoord. Wij zien het onderdeel met belangstelling tegemoet."),
        gives_up_after=600,
    ),
    Story(
        id="stock-question",
        title="Wanneer is het vloerkleed weer op voorraad?",
        language="nl",
        spots=(Spot.MASTODON, Spot.WEBCHAT, Spot.TELEGRAM),
        themes=themes("stock question"),
        opening=says(
            "{us} wanneer komt het ronde vloerkleed Mos van 200 cm weer binnen? Ik kijk al weken elke ochtend."
        ),
        whens=(
            When(
                Hears.QUESTION, says("De grijsgroene! Die andere is ook mooi maar dan ligt de kat er onzichtbaar op.")
            ),
        ),
        silences=waits((60, "{us} 👀")),
        thanks=says("Yes! Staat in de agenda. Dankjewel."),
    ),
    Story(
        id="stock-question-english",
        title="English: is the standing lamp in the shop?",
        language="en",
        spots=(Spot.WEBCHAT,),
        themes=themes("english", "stock question"),
        opening=says(
            "hey, do you have the Reiger standing lamp in brass in the actual shop? want to see it lit before buying"
        ),
        whens=(When(Hears.QUESTION, says("tomorrow after work, so around 5:30?")),),
        silences=waits((8, "anyone there?"), (20, "ok I'll just come by")),
        thanks=says("perfect, cheers!"),
        typos=True,
    ),
    Story(
        id="assembly-photo",
        title="Hulp bij het monteren, met foto",
        language="nl",
        spots=(Spot.TELEGRAM, Spot.WEBCHAT),
        themes=themes("assembly photo"),
        opening=(
            Say("Hoort dit zo?? De plank steekt een cm uit", pictures=("shelf",)),
            *says("stap 11 van de boekenkast, ik denk dat ik links en rechts heb omgedraaid maar dan bij stap 3 al"),
        ),
        whens=(
            When(Hears.PHOTO_QUESTION, (Say("van de achterkant dan", pictures=("shelf",)),)),
            When(Hears.QUESTION, says("ja er staat een L op. of is dat een 7")),
        ),
        silences=waits((8, "ik sta hier met een plank boven mijn hoofd dus 😬"), (18, "heb m maar neergezet")),
        thanks=says("OMDRAAIEN. natuurlijk. bedankt en fijne avond nog"),
        typos=True,
    ),
    Story(
        id="voice-note",
        title="Spraakbericht van een halve minuut",
        language="nl",
        spots=(Spot.TELEGRAM,),
        themes=themes("voice note"),
        opening=(VoiceNote(seconds=31), *says("dit was makkelijker dan typen, heb m'n handen vol kit")),
        whens=(
            When(Hears.QUESTION, says("ik vroeg dus of de spiegel ook in de badkamer mag hangen. ivm vocht")),
            When(Hears.ANYTHING, says("kun je hem wel afluisteren?")),
        ),
        silences=waits((15, "hij duurt maar een halve minuut hoor 😇")),
        thanks=says("top, dan hang ik m op. thanks"),
        typos=True,
    ),
    Story(
        id="sticker-and-location",
        title="Sticker en locatie: ik sta voor een dichte deur",
        language="nl",
        spots=(Spot.TELEGRAM,),
        themes=themes("sticker", "location", "opening hours"),
        opening=(
            Sticker("😩"),
            Location(latitude=52.0907, longitude=5.1214),
            *says("sta ik hier goed? jullie deur is dicht"),
        ),
        whens=(
            When(Hears.QUESTION, says("ik zie een fietsenwinkel en een bakker")),
            When(Hears.ANYTHING, (Sticker("👍"),)),
        ),
        silences=waits((5, "het begint te regenen"), (12, "oke ik ga naar de bakker")),
        thanks=says("aan de ANDERE kant van de gracht. oeps 😂 tot zo"),
    ),
    Story(
        id="opening-hours",
        title="Openingstijden van de winkel",
        language="nl",
        spots=(Spot.WEBCHAT, Spot.MASTODON, Spot.TELEGRAM),
        themes=themes("opening hours"),
        opening=says("Hoi, is de winkel zondag open? En kan ik er parkeren met een aanhanger?"),
        whens=(When(Hears.QUESTION, says("Rond een uur of twee denk ik")),),
        silences=waits((20, "Hallo?")),
        thanks=says("Dank! Tot zondag"),
    ),
    Story(
        id="swearing",
        title="Vloeken over een bed dat inzakt",
        language="nl",
        spots=(Spot.WEBCHAT, Spot.MASTODON_DIRECT, Spot.TELEGRAM),
        themes=themes("swearing", "broken product"),
        opening=says(
            "GODVERDOMME wat een kutbed",
            "lig ik hier om 3 uur snachts op de grond omdat die tyfuslatjes er voor de derde keer uit klappen",
            "ik wil gvd gewoon slapen",
        ),
        whens=(
            When(Hears.APOLOGY, says("ja nou", "sorry voor het schelden, ben gewoon kapot. slaap al een week niet")),
            When(Hears.ORDER_QUESTION, says("{order} of zoiets. staat op die kloteverpakking")),
            When(Hears.ADDRESS_QUESTION, says("{street} {house}, {postcode}")),
            When(Hears.QUESTION, says("140 breed. en nee ik spring er niet op")),
        ),
        silences=waits((10, "lekker snel weer"), (25, "bekijk het maar stelletje prutsers")),
        thanks=says("ok. dat is netjes. bedankt en nogmaals sorry van net"),
        typos=True,
    ),
    Story(
        id="sarcasm",
        title="Sarcasme over de handleiding",
        language="nl",
        spots=(Spot.MASTODON,),
        themes=themes("sarcasm"),
        opening=says(
            "Chapeau {us}, die handleiding van jullie nachtkastje. Elf tekeningen, nul woorden en op bladzijde 6 een "
            "hand die een schroef aanwijst die niet bestaat. Modern theater. Ik heb genoten. 👏👏"
        ),
        whens=(
            When(
                Hears.PHOTO_QUESTION, (Say("Alsjeblieft, de hoofdrolspeler.", pictures=("screws",), in_private=True),)
            ),
            When(
                Hears.APOLOGY, says("Geeft niet hoor, het is binnen vier uur gelukt. Het kastje is 40 centimeter hoog.")
            ),
            When(Hears.QUESTION, says("Nee, hij staat. Hij wiebelt, maar hij stáát.")),
        ),
        silences=(Silence(90, says("Het blijft stil na de voorstelling. Ook dat is een keuze, {us}.")),),
        thanks=says("Kijk, een nieuwe handleiding mét woorden. Toch nog een happy end."),
    ),
    Story(
        id="deletes-post",
        title="Haalt zijn bericht weer weg",
        language="nl",
        spots=(Spot.MASTODON, Spot.TELEGRAM),
        themes=themes("deletes post"),
        opening=(
            *says("{us} dit is de slechtste stoel die ik ooit gekocht heb, poot breekt na 1 dag af"),
            Withdraw(pause=150),
        ),
        whens=(
            When(
                Hears.INVITATION, tells("Laat maar. Ik had de poot er scheef in gedraaid. Heb het bericht weggehaald.")
            ),
            When(Hears.ANYTHING, tells("Ik schaam me rot: de poot zat er bij mij verkeerd om in. Hij staat nu prima.")),
        ),
        silences=(),
        thanks=tells("Aardig van jullie. Dank!"),
    ),
    Story(
        id="turkish-dutch-warranty",
        title="Lamp knippert, dochter vertaalt voor haar moeder",
        language="nl",
        spots=(Spot.TELEGRAM, Spot.WEBCHAT),
        themes=themes("warranty", "broken product", "turkish-dutch name"),
        opening=says(
            "Hallo, ik schrijf voor mijn moeder, zij spreekt niet zo goed Nederlands",
            "Haar staande lamp knippert sinds gisteren, ook met een nieuw peertje. Is dat garantie?",
        ),
        whens=(
            When(Hears.ORDER_QUESTION, says("Ze heeft alles bewaard 😊 {order}")),
            When(Hears.ADDRESS_QUESTION, says("{street} {house}, {postcode}, op naam van {last}")),
            When(Hears.QUESTION, says("Ja, ook in een ander stopcontact. Met de dimmer is het erger.")),
        ),
        silences=waits((20, "Mijn moeder vraagt of ik al iets weet 🙈")),
        thanks=says("Ik heb het doorverteld, ze zegt teşekkürler! Dank u wel"),
        person=Person(first="Elif", last="Yıldırım"),
    ),
    Story(
        id="french-question",
        title="Français : une question depuis Bruxelles",
        language="fr",
        spots=(Spot.WEBCHAT, Spot.EMAIL),
        themes=themes("french", "stock question"),
        subject="Table Klaproos",
        opening=says(
            "Bonjour, est-ce que la table Klaproos existe aussi en 180 cm ? Sur le site je ne vois que 220. "
            "Merci d'avance (et pardon pour le français)"
        ),
        whens=(When(Hears.QUESTION, says("Oui, en chêne clair. Nous habitons {city}, au rez-de-chaussée.")),),
        silences=waits((30, "Vous êtes là ?")),
        thanks=says("Parfait, un grand merci !"),
    ),
)
