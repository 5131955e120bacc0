"""Money and papers: refunds, direct debits, invoices, gift cards, data-protection requests."""

from __future__ import annotations

from .model import AutoReply, Hears, Person, Reopening, Say, Silence, Spot, Story, When, says, tells, themes, waits

STORIES: tuple[Story, ...] = (
    Story(
        id="refund-not-received",
        title="Drie weken op het geld terug",
        language="nl",
        spots=(Spot.TELEGRAM, Spot.WEBCHAT),
        themes=themes("refund not received"),
        opening=says(
            "Goedemorgen, op 2 november heb ik twee stoelen teruggestuurd",
            "volgens de mail binnen 5 werkdagen terugbetaald",
            "het is nu drie weken verder en ik zie nog niks op mijn rekening",
        ),
        whens=(
            When(Hears.ORDER_QUESTION, says("{order}, het ging om {amount}")),
            When(Hears.ADDRESS_QUESTION, says("{first} {last}, {postcode}")),
            When(
                Hears.APOLOGY,
                says("Snap ik, maar het is wel {amount}. Voor mij is dat gewoon de boodschappen van een maand"),
            ),
            When(Hears.QUESTION, says("Ja dezelfde rekening als waarmee ik betaald heb")),
        ),
        silences=waits((15, "Hallo?"), (40, "Geld innen gaat een stuk sneller zie ik")),
        thanks=says("Fijn, dan kijk ik woensdag nog eens. Bedankt"),
        reopening=Reopening(
            hours=48,
            acts=says("Het staat erop! Alleen {amount} minus de verzendkosten, klopt dat?"),
            thanks=says("Duidelijk, dan is alles rond. Dank je wel!"),
            chance=0.6,
        ),
    ),
    Story(
        id="double-direct-debit",
        title="Dubbele incasso, rekening in het rood",
        language="nl",
        spots=(Spot.EMAIL,),
        themes=themes("hard billing question", "angry public post", "two channels"),
        subject="Twee keer {amount} afgeschreven!!",
        opening=says(
            "Beste,\n\n"
            "Ik betaal de eethoek in drie termijnen. Op de 1e van deze maand is de tweede termijn van {amount} "
            "geïncasseerd, en op de 3e nóg een keer hetzelfde bedrag. Beide met jullie naam en hetzelfde kenmerk, "
            "{order}. Daardoor is mijn huur gestorneerd en krijg ik nu zelf kosten van de woningstichting.\n\n"
            "Ik wil drie dingen weten:\n1. Wanneer krijg ik de tweede afschrijving terug?\n2. Komt er in januari nog "
            "een derde incasso, of is het dan klaar?\n3. Wie betaalt de kosten van de storno?\n\n"
            "Bellen heb ik geprobeerd, na 25 minuten muziek heb ik opgehangen."
        ),
        signature="{first} {last}\n{phone}",
        whens=(
            When(
                Hears.ADDRESS_QUESTION,
                says("Mijn nummer is {phone}. Na vijven kan ik opnemen, overdag sta ik voor de klas."),
            ),
            When(
                Hears.APOLOGY,
                says(
                    "Dank voor uw excuses. Eerlijk gezegd ben ik pas gerust als het geld er staat. De brief van de "
                    "woningstichting stuur ik u na als u zegt waarheen."
                ),
            ),
            When(
                Hears.QUESTION,
                says("De kosten zijn € 8,50, plus een aantekening in mijn dossier. Dat laatste zit me dwars."),
            ),
        ),
        silences=(
            Silence(120, says("Ik heb nog niets gehoord. Kan iemand mij vandaag bellen?")),
            Silence(
                240,
                (
                    Say(
                        "{us} schrijft twee keer af, ik kan mijn huur niet betalen, en op mijn mail komt geen "
                        "antwoord. Is dit hoe jullie met mensen omgaan?",
                        on=Spot.MASTODON,
                    ),
                ),
            ),
        ),
        thanks=says(
            "Alle drie de vragen beantwoord, en de kosten worden vergoed. Dank u, dit had ik niet meer verwacht."
        ),
        gives_up_after=480,
    ),
    Story(
        id="angry-moves-to-private",
        title="Boze openbare post, opgelost in privé",
        language="nl",
        spots=(Spot.MASTODON,),
        themes=themes("angry public post", "moves to private"),
        opening=says(
            "LET OP mensen: bestel NIET bij {us}. Al zes weken aan het lijntje gehouden over een kapotte tafel. Elke "
            "keer een andere medewerker, elke keer hetzelfde verhaal, elke keer 'we komen erop terug'. NIEMAND komt "
            "erop terug."
        ),
        whens=(
            When(
                Hears.INVITATION,
                tells(
                    "Oké, dan hier. {order}. Tafel Klaproos, scheur in het blad van 40 cm. Ik heb vijf mensen "
                    "gesproken. Bel me op {phone}, ik ga het niet nóg een keer uittypen."
                ),
            ),
            When(Hears.APOLOGY, says("De zesde sorry. Ik spaar ze. Bij tien krijg ik zeker een theelepel?")),
            When(Hears.QUESTION, tells("Een nieuw blad. Meer niet. Dat vroeg ik zes weken geleden ook al.")),
        ),
        silences=waits(
            (20, "En daar is het weer stil. {us}"),
            (60, "Voor wie meeleest: nog altijd geen antwoord van {us}. Screenshot bewaard."),
        ),
        thanks=says(
            "Ere wie ere toekomt: er belde net iemand die het dossier wél gelezen had. Nieuw blad komt vrijdag. "
            "Waarom kon dit niet meteen zo, {us}?"
        ),
    ),
    Story(
        id="vat-on-invoice",
        title="Btw-nummer op de factuur",
        language="nl",
        spots=(Spot.EMAIL, Spot.API),
        themes=themes("VAT number on invoice"),
        subject="Factuur {order}: ons btw-nummer ontbreekt",
        opening=says(
            "Goedemiddag,\n\nVoor onze praktijk kochten wij zes wandlampen. Op de factuur staat alleen mijn naam; onze "
            "boekhouder wil graag de praktijknaam en ons btw-nummer erop zien. Kunnen jullie een aangepaste factuur "
            "sturen? De gegevens volgen zodra ik weet waar ze heen mogen."
        ),
        signature="Vriendelijke groet,\n{first} {last}\nFysiotherapie De Linde",
        whens=(
            When(Hears.ORDER_QUESTION, says("Dat is {order}.")),
            When(Hears.QUESTION, says("Op naam van Fysiotherapie De Linde, {street} {house}, {postcode} {city}.")),
        ),
        silences=waits((360, "Goedemiddag, mag ik nog even aan de factuur herinneren? Het kwartaal sluit bijna.")),
        thanks=says("Ontvangen en doorgestuurd. Dank je wel."),
        gives_up_after=480,
    ),
    Story(
        id="vat-out-of-office",
        title="Zakelijke klant is zelf afwezig",
        language="nl",
        spots=(Spot.EMAIL,),
        themes=themes("out-of-office", "VAT number on invoice"),
        subject="Offerte 12 vergaderstoelen",
        opening=says(
            "Beste Wolk & Zonen,\n\n"
            "Graag een offerte voor twaalf stoelen Pluk op wieltjes, leverbaar vóór de kerst, met factuur achteraf."
        ),
        signature="{first} {last}\nBureau Zuidwester",
        whens=(
            When(
                Hears.ANYTHING,
                (
                    AutoReply(
                        subject="Afwezig: {subject}",
                        text="Bedankt voor uw bericht. Ik ben tot en met maandag niet op kantoor en lees mijn mail "
                        "niet. Voor dringende zaken belt u met de receptie.",
                    ),
                    Say("Net terug. De offerte is akkoord, wat heeft u nog van ons nodig?", pause=3600),
                ),
            ),
            When(Hears.QUESTION, says("Factuuradres: Bureau Zuidwester, {street} {house}, {postcode} {city}.")),
        ),
        silences=(),
        thanks=says("Akkoord. Dank voor de vlotte afhandeling."),
        gives_up_after=300,
    ),
    Story(
        id="gift-card",
        title="Cadeaukaart wordt niet herkend",
        language="nl",
        spots=(Spot.WEBCHAT, Spot.TELEGRAM),
        themes=themes("gift card"),
        opening=says(
            "ik heb een cadeaukaart van €75 voor mn verjaardag gekregen maar de site zegt 'code onbekend' 😕",
            "ligt het aan mij of aan de kaart",
        ),
        whens=(
            When(Hears.PHOTO_QUESTION, (Say("zo ziet ie eruit", pictures=("card",)),)),
            When(Hears.ORDER_QUESTION, says("heb nog niks besteld, dat is juist het probleem")),
            When(Hears.QUESTION, says("zit een krasje over de laatste letter. kan een O zijn. of een 0. of een Q")),
        ),
        silences=waits((10, "hallo?"), (20, "ben over een halfuurtje weer online")),
        thanks=says("jaaa het was een Q. dankjewel!! 🎁"),
        typos=True,
    ),
    Story(
        id="gift-card-flemish",
        title="Vlaams: cadeaubon als huwelijksgeschenk",
        language="nl-BE",
        spots=(Spot.WEBCHAT, Spot.EMAIL),
        themes=themes("gift card", "flemish"),
        subject="Cadeaubon",
        opening=says(
            "Dag, wij zouden met een man of tien een cadeaubon willen geven voor een trouw. Kan dat in één bon van "
            "400 euro, en geldt die in België ook?"
        ),
        whens=(
            When(
                Hears.QUESTION, says("Voor Lotte en Jonas, met een kaartje erbij als dat gaat. Tegen volgende vrijdag.")
            ),
        ),
        silences=waits((20, "Nog even polsen of iemand dit gelezen heeft?")),
        thanks=says("Super, gaan we zo doen. Merci!"),
    ),
    Story(
        id="data-request",
        title="Inzageverzoek persoonsgegevens",
        language="nl",
        spots=(Spot.EMAIL,),
        themes=themes("data-protection request", "formal letter", "personal data"),
        subject="Verzoek om inzage op grond van artikel 15 AVG",
        opening=says(
            "Geachte heer, mevrouw,\n\n"
            "Op grond van artikel 15 van de Algemene verordening gegevensbescherming verzoek ik u om een afschrift "
            "van alle persoonsgegevens die u van mij verwerkt, waaronder chatgesprekken, notities over mij en de "
            "gegevens van bezorgers. Ik ontvang dat graag binnen een maand, in een gangbaar digitaal formaat.\n\n"
            "U kent mij onder dit mailadres en klantnummer {order}. Om vast te stellen dat ik het ben kunt u mij "
            "bellen. Een kopie van mijn identiteitsbewijs stuur ik niet; mocht u toch mijn burgerservicenummer nodig "
            "denken te hebben ({citizen_number}), dan hoor ik graag waarom."
        ),
        signature="Hoogachtend,\n\n{first} {last}\n{street} {house}\n{postcode} {city}\n{phone}",
        whens=(
            When(
                Hears.ADDRESS_QUESTION,
                says("Geboortedatum en adres mag u controleren tijdens een telefoongesprek: {phone}."),
            ),
            When(Hears.QUESTION, says("Alles vanaf mijn eerste bestelling, graag. Ook wat er mondeling is genoteerd.")),
        ),
        silences=waits(
            (1440, "Geachte heer, mevrouw,\n\nGraag ontvang ik een bevestiging dat mijn verzoek in behandeling is.")
        ),
        thanks=says("Dank voor de bevestiging en voor de termijn die u noemt."),
        has_personal_data=True,
        gives_up_after=1440,
    ),
    Story(
        id="erase-me",
        title="Verwijder mijn account",
        language="nl",
        spots=(Spot.WEBCHAT, Spot.API),
        themes=themes("data-protection request"),
        opening=says(
            "hallo ik wil dat jullie mijn account en alles verwijderen",
            "krijg elke dag een nieuwsbrief terwijl ik me al 4x heb afgemeld",
        ),
        whens=(
            When(Hears.ADDRESS_QUESTION, says("{email}")),
            When(Hears.QUESTION, says("ja ALLES. ook de bestellingen")),
        ),
        silences=waits((15, "?"), (40, "zelfs hier dus al geen antwoord")),
        thanks=says("oke dankje. doei"),
    ),
    Story(
        id="personal-data-in-public",
        title="Zet zijn telefoonnummer, adres en rekening in het openbaar",
        language="nl",
        spots=(Spot.MASTODON,),
        themes=themes("personal data", "personal data in public"),
        opening=says(
            "{us} geef de bezorger dit maar door: {first} {last}, {street} {house}, {postcode} {city}, bellen kan op "
            "{phone}. En dat tegoed mag op {iban}. Dan is het meteen geregeld toch"
        ),
        whens=(
            When(
                Hears.INVITATION,
                tells("Oei, daar had ik niet aan gedacht. {order} is het nummer. Haal ik dat andere weg?"),
            ),
            When(Hears.ANYTHING, tells("Oh wacht, kan iedereen dat lezen?? 😳")),
        ),
        silences=waits((30, "{us} is het doorgegeven?")),
        thanks=tells("Weggehaald. Bedankt voor de tip, ik ben hier nog niet zo handig in."),
        has_personal_data=True,
    ),
    Story(
        id="mail-and-mastodon",
        title="Dezelfde klant mailt en post tegelijk",
        language="nl",
        spots=(Spot.EMAIL,),
        themes=themes("two channels", "refund not received"),
        subject="Terugbetaling {order}",
        opening=(
            Say(
                "Hallo,\n\n"
                "Vorige maand heb ik de bestelling {order} geannuleerd, maar de aanbetaling van {amount} heb ik nog "
                "steeds niet terug. Ik heb jullie ook op sociale media een bericht gestuurd, want ik weet niet waar "
                "jullie het snelst lezen."
            ),
            Say(
                "{us} ik heb jullie net gemaild over een terugbetaling die al een maand op zich laat wachten. Lezen "
                "jullie hier sneller?",
                on=Spot.MASTODON,
                pause=60,
            ),
        ),
        signature="Groeten,\n{first} {last}",
        whens=(
            When(Hears.ORDER_QUESTION, says("Het gaat om {order}.")),
            When(Hears.QUESTION, says("Ja, dat ben ik, op beide plekken. Hier antwoorden is prima.")),
        ),
        silences=waits((180, "Nog niets gehoord, hier niet en daar niet.")),
        thanks=says("Prima, dank. Het openbare bericht mag je als afgehandeld beschouwen."),
        person=Person(first="Fleur", last="van Ommeren", handle="fleurvanommeren"),
        gives_up_after=240,
    ),
)
