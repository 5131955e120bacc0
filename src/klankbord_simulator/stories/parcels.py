"""Parcels: late, missed, incomplete, returned, sent to the wrong house."""

from __future__ import annotations

from .model import Edit, Hears, Reopening, Say, Silence, Spot, Story, When, says, tells, themes, waits

STORIES: tuple[Story, ...] = (
    Story(
        id="late-lamp",
        title="De hanglamp is al vijf dagen te laat",
        language="nl",
        spots=(Spot.WEBCHAT, Spot.TELEGRAM),
        themes=themes("late parcel"),
        opening=says(
            "hoi",
            "ik wacht al sinds vorige week dinsdag op mijn hanglamp Merel",
            "de track en trace staat al 5 dagen op 'onderweg' 🤷",
        ),
        whens=(
            When(Hears.ORDER_QUESTION, says("ja momentje", "{order}")),
            When(Hears.ADDRESS_QUESTION, says("{postcode}, nummer {house}")),
            When(Hears.QUESTION, says("ja klopt")),
        ),
        silences=waits((12, "?"), (30, "hallo? is daar iemand")),
        thanks=says("ok top, dan wacht ik dat af. bedankt voor het uitzoeken!"),
        reopening=Reopening(
            hours=48,
            acts=says("hoi, ik weer 🙈", "nog steeds geen lamp. er zou gisteren iemand bellen?"),
            thanks=says("oké, dan hoor ik het morgen. dankjewel"),
            chance=0.5,
        ),
        typos=True,
    ),
    Story(
        id="late-parcel-public",
        title="Openbaar: tweede keer vrij genomen voor niets",
        language="nl",
        spots=(Spot.MASTODON,),
        themes=themes("late parcel", "moves to private"),
        opening=says(
            "{us} Vandaag voor de tweede keer vrij genomen voor jullie bezorging. Het tijdvak was 10-14 uur. "
            "Het is nu half vijf. Geen {product}, geen telefoontje, niks."
        ),
        whens=(
            When(
                Hears.INVITATION,
                tells("Daar ben ik. Bestelling {order}, op naam van {first} {last}, {postcode} {house}."),
            ),
            When(Hears.ORDER_QUESTION, tells("Ik zet hem hier even neer: {order}")),
            When(Hears.QUESTION, tells("Donderdag ben ik de hele dag thuis, vrijdag alleen na drieën.")),
            When(Hears.APOLOGY, says("Sorry is aardig, maar ik wil vooral weten wanneer hij dan wél komt.")),
        ),
        silences=waits((30, "{us} Iemand?"), (90, "Drie uur later. Het blijft oorverdovend stil bij {us}.")),
        thanks=says("Netjes opgelost, donderdag staat hij als eerste op de route. Dank."),
    ),
    Story(
        id="not-home-card",
        title="Kaartje 'niet thuis', maar er was iemand",
        language="nl",
        spots=(Spot.TELEGRAM, Spot.WEBCHAT),
        themes=themes("not-home card"),
        opening=says(
            "Er ligt net een kaartje in de bus: 'we hebben u gemist'",
            "Ik zat gewoon in de woonkamer?? De hond heeft niet eens geblaft",
            "Waar is mijn pakket nu",
        ),
        whens=(
            When(
                Hears.ORDER_QUESTION, says("{order} staat op de mail", "Op het kaartje staat verder alleen een krabbel")
            ),
            When(Hears.PHOTO_QUESTION, (Say("Hier, zegt het jou iets?", pictures=("card",)),)),
            When(Hears.ADDRESS_QUESTION, says("{street} {house}, {postcode} {city}")),
        ),
        silences=waits((10, "Hallo?"), (25, "Dan rij ik straks wel zelf langs het depot, als iemand me vertelt welk")),
        thanks=says("Ah bij de buren op 14. Die zijn dus wél thuis 😄 Dankje!"),
        typos=True,
    ),
    Story(
        id="sofa-left-in-rain",
        title="Bank in de regen laten staan",
        language="nl",
        spots=(Spot.EMAIL,),
        themes=themes("broken product", "mail with attachment", "late parcel"),
        subject="Bank Hazel beschadigd geleverd, bestelling {order}",
        opening=(
            Say(
                "Beste Wolk & Zonen,\n\n"
                "Gistermiddag is onze bank Hazel bezorgd. Althans: hij is onder de carport gezet, zonder aan te "
                "bellen. Toen ik om zes uur thuiskwam was de doos aan één kant helemaal doorweekt. De zitting rechts "
                "is nat en er zit een bruine kring in de stof. Een foto doe ik erbij.\n\n"
                "We hebben hem voorzichtig binnengezet en niet verder uitgepakt. Wat wilt u dat we nu doen?",
                pictures=("stain",),
            ),
        ),
        signature="Met vriendelijke groet,\n\n{first} {last}\n{street} {house}\n{postcode} {city}",
        whens=(
            When(
                Hears.PHOTO_QUESTION,
                (
                    Say(
                        "Bijgevoegd nog een foto van dichterbij, met de kring en het etiket van de doos.",
                        pictures=("stain",),
                    ),
                ),
            ),
            When(
                Hears.QUESTION,
                says(
                    "Ophalen kan elke doordeweekse dag na vier uur, en op zaterdag de hele dag. Bellen mag ook: "
                    "{phone}."
                ),
            ),
        ),
        silences=waits(
            (180, "Beste mensen,\n\nMag ik vragen of mijn mail van vanochtend is aangekomen? De bank staat in de weg."),
        ),
        thanks=says("Dat is een prima voorstel, zo doen we het. Dank voor de vlotte reactie."),
        gives_up_after=240,
    ),
    Story(
        id="moved-house",
        title="Verhuisd, de bestelling gaat naar het oude adres",
        language="nl",
        spots=(Spot.WEBCHAT, Spot.TELEGRAM),
        themes=themes("address change"),
        opening=says(
            "Hoi! Wij verhuizen zaterdag en nu zie ik dat mijn bestelling nog op het oude adres staat",
            "Kunnen jullie dat nog aanpassen?",
        ),
        whens=(
            When(Hears.ORDER_QUESTION, says("{order}", "nieuw adres wordt {street} {house}, {postcode} {city}")),
            When(Hears.ADDRESS_QUESTION, says("{street} {house}, {postcode} {city}", "telefoon blijft hetzelfde")),
        ),
        silences=waits((15, "Hij wordt als het goed is morgen ingeladen, dus het is een beetje haast..")),
        thanks=says("Pff, heel fijn. Weer een ding van de lijst 📦"),
    ),
    Story(
        id="return-label",
        title="Retourlabel doet het niet",
        language="nl",
        spots=(Spot.WEBCHAT, Spot.API),
        themes=themes("return label"),
        opening=says(
            "Ik wil het nachtkastje terugsturen maar het retourlabel geeft een leeg pdf'je",
            "al 2 browsers geprobeerd",
        ),
        whens=(
            When(Hears.ORDER_QUESTION, says("{order}")),
            When(Hears.ADDRESS_QUESTION, says("stuur maar naar {email}")),
            When(Hears.QUESTION, says("nee hij past gewoon niet in de nis, er is niks mis mee verder")),
        ),
        silences=waits((10, "??"), (20, "moet ik hem nou zelf gaan frankeren")),
        thanks=says("ja nu komt ie wel. thx"),
        typos=True,
    ),
    Story(
        id="cancel-order",
        title="Per ongeluk twee keer besteld, één annuleren",
        language="nl",
        spots=(Spot.TELEGRAM, Spot.WEBCHAT),
        themes=themes("cancel order"),
        opening=says(
            "Hallo, ik heb net per ongeluk TWEE keer hetzelfde bureau besteld 😅",
            "pagina bleef hangen en toen nog een keer geklikt",
            "kan er eentje geannuleerd worden?",
        ),
        whens=(
            When(Hears.ORDER_QUESTION, says("de laatste mag weg, dat is {order}")),
            When(Hears.QUESTION, says("ja graag gewoon terug op dezelfde rekening")),
        ),
        silences=waits((8, "hij staat al op 'wordt ingepakt' dus graag snel"), (20, "hallo?")),
        thanks=says("super snel, dank je wel!"),
        typos=True,
    ),
    Story(
        id="order-number-only",
        title="Alleen een ordernummer",
        language="nl",
        spots=(Spot.WEBCHAT, Spot.TELEGRAM, Spot.MASTODON_DIRECT),
        themes=themes("order number only"),
        opening=says("{order}"),
        whens=(
            When(Hears.QUESTION, says("waar blijft ie")),
            When(Hears.ANYTHING, says("ja waar blijft ie dan")),
        ),
        silences=waits((10, "{order}"), (20, "?")),
        thanks=says("ok"),
    ),
    Story(
        id="flemish-delivery",
        title="Vlaams: de leverancier is niet langs geweest",
        language="nl-BE",
        spots=(Spot.TELEGRAM, Spot.WEBCHAT),
        themes=themes("flemish", "late parcel"),
        opening=says(
            "Goeiemiddag",
            "Ze gingen vandaag mijn kast leveren tussen 8u en 12u, maar hier is niemand langs geweest",
            "Ik ben er speciaal voor thuisgebleven van 't werk. Kunt ge eens kijken wat er scheelt?",
        ),
        whens=(
            When(Hears.ORDER_QUESTION, says("Amai, efkes zoeken... {order}")),
            When(
                Hears.ADDRESS_QUESTION,
                says("{street} {house}, {postcode} {city}. De bel met het kleverke, 2de verdiep"),
            ),
            When(Hears.APOLOGY, says("Ja bon, 't is nu zo. Maar wanneer komen ze dan wel?")),
        ),
        silences=waits((15, "Bent u daar nog?"), (40, "Allee, dit is toch geen manier van doen")),
        thanks=says("Voila, dat is duidelijk. Merci hé!"),
    ),
    Story(
        id="flemish-mail",
        title="Vlaams: verkeerde lade in de commode",
        language="nl-BE",
        spots=(Spot.EMAIL,),
        themes=themes("flemish", "missing screws", "formal letter"),
        subject="Commode: verkeerde schuif geleverd",
        opening=says(
            "Geachte,\n\n"
            "Vorige week mocht ik de commode in ontvangst nemen (bestelbon {order}). Bij het monteren stelde ik vast "
            "dat één van de drie schuiven een maat te smal is, en dat het zakje met vijzen ontbreekt.\n\n"
            "Gelieve mij te laten weten of u de juiste schuif en de vijzen kan nasturen. Ik ben zelf te bereiken op "
            "het nummer {phone}, liefst na de kantooruren."
        ),
        signature="Hoogachtend,\n\n{first} {last}\n{street} {house}\n{postcode} {city}",
        whens=(
            When(Hears.PHOTO_QUESTION, (Say("In bijlage de gevraagde foto.", pictures=("screws",)),)),
            When(Hears.QUESTION, says("Dat klopt. Het volstaat voor mij als u enkel de schuif en de vijzen opstuurt.")),
        ),
        silences=waits((300, "Geachte,\n\nMag ik u beleefd herinneren aan mijn onderstaand schrijven?")),
        thanks=says("Waarvoor dank. Ik kijk uit naar de levering."),
        gives_up_after=300,
    ),
    Story(
        id="flemish-public",
        title="Vlaams: openbaar, de levering is voor de derde keer verzet",
        language="nl-BE",
        spots=(Spot.MASTODON,),
        themes=themes("flemish", "late parcel", "moves to private"),
        opening=says(
            "{us} Amai. Derde keer dat mijn salontafel 'wegens omstandigheden' een week later komt. Ik zet mijn tas "
            "koffie al sinds Allerheiligen op een verhuisdoos. Wanneer mag ik die wegsmijten?"
        ),
        whens=(
            When(Hears.INVITATION, tells("{order}. Alle dagen na 16u, behalve woensdag.")),
            When(Hears.APOLOGY, says("'t Is niks persoonlijks hé, maar 't begint lang te duren.")),
            When(Hears.QUESTION, tells("Ja, op hetzelfde adres: {street} {house}, {postcode} {city}.")),
        ),
        silences=waits((40, "{us} Hallo? Hier de verhuisdoos."), (120, "Zelfs geen antwoord. Chique.")),
        thanks=says("Zaterdag dus. Ik zet er alvast geen tas meer op. Merci voor de vlotte reactie!"),
    ),
    Story(
        id="tourist-delivery",
        title="English tourist bought a chair at the shop",
        language="en",
        spots=(Spot.MASTODON_DIRECT, Spot.WEBCHAT, Spot.TELEGRAM),
        themes=themes("english", "english tourist"),
        opening=says(
            "Hi there! We were in your shop on Saturday while on holiday and fell in love with the Pluk chair.",
            "Silly question, but do you ship to Leeds? It definitely wouldn't fit in the overhead locker 😂",
        ),
        whens=(
            When(Hears.ORDER_QUESTION, says("We haven't ordered yet! We only sat in it for about twenty minutes.")),
            When(Hears.ADDRESS_QUESTION, says("It would be LS6, top floor, no lift I'm afraid.")),
            When(Hears.QUESTION, says("The moss green one please. And two if the postage is the same for a pair?")),
        ),
        silences=waits((25, "No rush, we're home on Thursday!")),
        thanks=says("Brilliant, thank you so much. Lovely shop by the way, the coffee alone was worth the detour."),
    ),
    Story(
        id="english-expat-email",
        title="English: parcel marked delivered, never seen",
        language="en",
        spots=(Spot.EMAIL,),
        themes=themes("english", "late parcel"),
        subject="Order {order} marked as delivered, but it isn't here",
        opening=says(
            'Hello,\n\nYour site says my order {order} was delivered yesterday at 11:42 and "handed to resident". '
            "I live alone and I was at work at 11:42, so unless the cat signed for it, something has gone wrong.\n\n"
            "Could you check where the driver left it? I have already asked the neighbours on both sides."
        ),
        signature="Kind regards,\n{first} {last}",
        whens=(
            When(Hears.ADDRESS_QUESTION, says("Yes: {street} {house}, {postcode} {city}. My number is {phone}.")),
            When(Hears.QUESTION, says("No, no card in the letterbox and nothing in the bike shed either.")),
        ),
        silences=(
            Silence(240, says("Hello again,\n\nJust checking that this reached a human. Still no parcel.")),
            Silence(
                480,
                (
                    Say(
                        "{us} day two of waiting for a reply about a parcel my cat apparently signed for.",
                        on=Spot.MASTODON,
                    ),
                ),
            ),
        ),
        thanks=says("Great, thanks for sorting this out so quickly. The cat sends her apologies."),
        gives_up_after=600,
    ),
    Story(
        id="edits-post",
        title="Past zijn bericht aan: verkeerde dag genoemd",
        language="nl",
        spots=(Spot.MASTODON, Spot.TELEGRAM),
        themes=themes("edits post", "late parcel"),
        opening=(
            *says("{us} mijn eettafel zou maandag komen en het is nu woensdag. Komt er nog wat?"),
            Edit("{us} mijn eettafel zou dinsdag komen en het is nu woensdag. Komt er nog wat? (edit: dinsdag, sorry)"),
        ),
        whens=(
            When(Hears.INVITATION, tells("Hierbij: {order}")),
            When(Hears.ORDER_QUESTION, tells("{order}")),
        ),
        silences=waits((45, "{us} inmiddels donderdag 😉")),
        thanks=says("Helder, dank! Dan eten we vanavond nog één keer op schoot."),
    ),
    Story(
        id="frisian-greeting",
        title="Friese groet, vraag over bezorgen op het eiland",
        language="fy",
        spots=(Spot.TELEGRAM, Spot.WEBCHAT),
        themes=themes("frisian", "delivery question"),
        opening=says(
            "Goeie! Hoe is 't mei jimme?",
            "Wy wenje op Skylge. Besoargje jimme ek op it eilân, of moat ik sels nei de boat?",
        ),
        whens=(
            When(
                Hears.QUESTION,
                says("It giet om in iettafel mei seis stuollen. Nederlands mag ook hoor, ik kin beide 😉"),
            ),
        ),
        silences=waits((25, "Binne jimme der noch?")),
        thanks=says("Tige tank! Oant sjen."),
    ),
    Story(
        id="german-delivery",
        title="Deutsch: Lieferung nach Kleve",
        language="de",
        spots=(Spot.EMAIL,),
        themes=themes("german", "delivery question"),
        subject="Lieferung nach Deutschland?",
        opening=says(
            "Guten Tag,\n\n"
            "wir wohnen in Kleve, keine zehn Kilometer hinter der Grenze. In Ihrem Shop lässt sich als Land nur "
            "Niederlande oder Belgien auswählen. Liefern Sie das Regal Stapel (Eiche, vier Fächer) trotzdem zu uns? "
            "Notfalls holen wir es auch in Ihrem Laden ab."
        ),
        signature="Mit freundlichen Grüßen\n{first} {last}",
        whens=(
            When(Hears.QUESTION, says("Abholen am Samstagvormittag würde uns gut passen. Wir kommen mit Anhänger.")),
        ),
        silences=waits((300, "Guten Tag, ich wollte kurz nachfragen, ob meine Mail angekommen ist.")),
        thanks=says("Wunderbar, dann bis Samstag. Vielen Dank für die schnelle Antwort!"),
        gives_up_after=300,
    ),
)
