"""People for whom the ordinary answer will not do: in distress, at the wrong desk, asking for the press office."""

from __future__ import annotations

from .model import Hears, Person, Say, Spot, Story, When, says, themes, waits

LONG_COMPLAINT = """\
Geachte directie,

Ik ben geen mens van lange brieven, maar nu moet het. Ik wil u van begin tot eind vertellen hoe het kopen van één \
wandkast acht weken van mijn leven heeft gekost, omdat ik vermoed dat niemand bij u het hele verhaal kent. Iedereen \
die ik sprak kende een stukje. Daarom hier alles achter elkaar, in de volgorde waarin het gebeurde.

Op 24 september was ik met mijn zus in uw winkel. We zijn daar geholpen door een vriendelijke mevrouw die alle tijd \
nam. Zij heeft met ons de maten doorgenomen, twee keer zelfs, want mijn muur is 2 meter 38 breed en de kast 2 meter \
40. 'Dat is geen probleem,' zei ze, 'we maken hem op maat, u krijgt een bevestiging met de maten erop.' Ik heb ter \
plekke een aanbetaling gedaan. De bevestiging kwam de volgende dag. Daarop stond 2 meter 40. Ik heb meteen gebeld. \
Na veertien minuten kreeg ik een jongeman die het 'even aanpaste'. Ik vroeg om een nieuwe bevestiging. Die zou \
komen. Die kwam niet.

Een week later belde ik weer. De collega die ik toen sprak zag geen aanpassing staan, maar wel een notitie: 'mevrouw \
belt over maat'. Welke maat stond er niet bij. Zij zou het navragen bij de werkplaats en mij dezelfde middag \
terugbellen. Ik ben die middag thuisgebleven. Er belde niemand. De dag erna ook niet. Op vrijdag heb ik zelf maar \
weer gebeld, en toen bleek deze collega die week vrij te zijn. Dat gun ik haar van harte, maar waarom weet dan \
niemand anders waar ze mee bezig was?

Op 12 oktober kreeg ik een bericht dat de kast klaar was. Ik was verbaasd, want ik had nog steeds geen bevestiging \
van de juiste maat. Ik heb in de chat gevraagd welke breedte er nu was gemaakt. Daar kreeg ik eerst een automatisch \
antwoord over openingstijden en daarna iemand die schreef dat hij 'geen inzage in maatwerk' had. Hij raadde me aan \
om te mailen. Dat heb ik gedaan. Op die mail heb ik tot vandaag geen antwoord gekregen, en dat is nu veertig dagen \
geleden.

Op 19 oktober stonden er twee monteurs voor de deur. Aardige kerels, daar geen kwaad woord over. Ze droegen alles \
naar boven, zetten de onderkast op zijn plek en keken toen naar de muur, naar de kast en naar elkaar. Twee \
centimeter te breed. 'Dit gaat niet passen, mevrouw,' zei de oudste, en hij was er zichtbaar beroerd van. Ze hebben \
uw kantoor gebeld. Na een kwartier in de wacht mochten ze de onderkast weer afbreken en de boel meenemen. Of liever: \
de helft, want de rest paste niet meer in de bus omdat er inmiddels een bank van iemand anders in lag. De \
bovenkasten en drie planken staan sindsdien in mijn slaapkamer. Ik loop er elke nacht omheen als ik naar het toilet \
moet.

Toen werd het stil. Ik heb op 26 oktober gebeld, op 2 november, op 5 november en op 9 november. Ik heb het \
opgeschreven, want ik geloofde het zelf bijna niet meer. Vier keer een ander, vier keer het hele verhaal opnieuw. \
Eén collega vroeg me of ik zeker wist dat ik mijn muur goed had gemeten. Een ander bood me een tegoedbon aan van \
vijfentwintig euro 'voor het ongemak', op voorwaarde dat ik de kast in 2 meter 40 zou accepteren. Waar had ik die \
dan moeten laten? In de gang van de buren?

Op 10 november belde er eindelijk iemand uit zichzelf. Ik had goede moed. Hij vertelde dat de werkplaats een nieuwe \
kast kon maken in de juiste maat, levertijd negen weken, en dat daar wel een meerprijs bij kwam van honderdtachtig \
euro, omdat 2 meter 38 'buiten de standaardreeks' valt. Ik heb hem gezegd dat ik die maat al op 24 september heb \
opgegeven, in uw eigen winkel, aan uw eigen medewerkster, die het zelf op een blaadje heeft geschreven. Dat blaadje \
heb ik nog. Hij zou overleggen en mij binnen twee dagen terugbellen. Dat is nu twaalf dagen geleden.

Ik wil u ook vertellen wat dit met mij doet, al vind ik dat lastig. Sinds mijn man vorig jaar is overleden, ben ik \
bezig het huis stukje bij beetje opnieuw in te richten. Deze kast was het eerste wat ik helemaal zelf had \
uitgekozen. Ik had me erop verheugd. Nu krijg ik buikpijn als de telefoon gaat, en óók als hij niet gaat. Dat is een \
kast toch niet waard?

Wat ik van u wil is eigenlijk heel eenvoudig, en ik zet het op een rijtje zodat er geen misverstand over kan \
bestaan. Ten eerste: één persoon, met een naam en een nummer, die dit van begin tot eind afhandelt. Ten tweede: een \
schriftelijke bevestiging van de maat, 2 meter 38, en van de prijs, zonder toeslag. Ten derde: een datum waarop de \
onderdelen die hier staan worden opgehaald, liefst deze week. Ten vierde: een eerlijk antwoord op de vraag hoe dit \
heeft kunnen gebeuren. Ik hoef geen bloemen en geen tegoedbon. Ik wil dat iemand dit leest, tot hier toe, en het dan \
oplost.

Ik heb van mijn zus begrepen dat ik hierover ook openbaar zou kunnen schrijven, en dat u dan binnen het uur \
reageert. Zij heeft daar ervaring mee. Ik hoop dat het niet nodig is, want ik vind eigenlijk dat een brief genoeg \
zou moeten zijn.

Ik ben elke ochtend bereikbaar. 's Middags pas ik op mijn kleindochter, maar voor dit telefoontje zet ik haar graag \
even voor de televisie."""

STORIES: tuple[Story, ...] = (
    Story(
        id="long-complaint",
        title="Negenhonderd woorden over een wandkast",
        language="nl",
        spots=(Spot.EMAIL,),
        themes=themes("very long complaint", "formal letter"),
        subject="Wandkast op maat: acht weken, zeven telefoontjes, nul kasten",
        person=Person(first="Annelies"),
        opening=(Say(LONG_COMPLAINT, pastes=True),),
        signature="Met vriendelijke groet,\n\n{first} {last}\n{street} {house}\n{postcode} {city}\n{phone}",
        whens=(
            When(Hears.APOLOGY, says("Dank u dat u het helemaal gelezen hebt. Dat alleen al scheelt.")),
            When(Hears.ADDRESS_QUESTION, says("Mijn nummer is {phone}. In de ochtend, alstublieft.")),
            When(Hears.QUESTION, says("Donderdagochtend tussen negen en elf mogen de onderdelen worden opgehaald.")),
        ),
        silences=waits((480, "Geachte directie,\n\nIk zou het op prijs stellen als iemand de ontvangst bevestigt.")),
        thanks=says("U bent de eerste die doet wat hij zegt. Ik wacht de bevestiging met vertrouwen af."),
        gives_up_after=600,
    ),
    Story(
        id="person-in-distress",
        title="Iemand die het niet meer ziet zitten",
        language="nl",
        spots=(Spot.WEBCHAT, Spot.TELEGRAM),
        themes=themes("person in distress"),
        opening=says(
            "hoi, kan ik mijn bestelling annuleren",
            "het bed heb ik toch niet meer nodig",
            "eigenlijk heb ik niks meer nodig. sorry dat ik jullie hiermee lastigval",
        ),
        whens=(
            When(Hears.ORDER_QUESTION, says("{order}. maar dat maakt nu ook niet meer uit")),
            When(
                Hears.QUESTION,
                says("ik weet niet", "ik zit hier alleen en ik ben zo moe. niemand die het vraagt behalve jij"),
            ),
            When(Hears.ANYTHING, says("lief dat je dat zegt", "ik zal mijn zus bellen. dat beloof ik")),
        ),
        silences=waits((10, "laat maar"), (30, "sorry")),
        thanks=says("mijn zus komt naar me toe. bedankt dat je even een mens was"),
        gives_up_after=20,
    ),
    Story(
        id="after-a-death",
        title="Bestelling van een overleden vader",
        language="nl",
        spots=(Spot.EMAIL, Spot.WEBCHAT),
        themes=themes("person in distress", "cancel order"),
        subject="Bestelling van mijn vader",
        opening=says(
            "Beste mensen,\n\n"
            "Mijn vader heeft vorige maand bij u een leesstoel besteld. Hij is zondag onverwacht overleden. Ik vond "
            "de bevestiging in zijn mail. Kan de bestelling worden geannuleerd, en wilt u hem uit uw bestand halen "
            "zodat mijn moeder geen post meer op zijn naam krijgt?"
        ),
        signature="Groet,\n{first} {last}",
        whens=(
            When(Hears.ORDER_QUESTION, says("Op de bevestiging staat {order}.")),
            When(
                Hears.QUESTION,
                says("Het bedrag mag terug naar de rekening waar het vandaan kwam, dat is hun gezamenlijke."),
            ),
        ),
        silences=waits(
            (
                480,
                "Mag ik vragen of u mijn bericht heeft gezien? De stoel zou morgen komen en dat wil ik haar besparen.",
            )
        ),
        thanks=says("Dank u wel, ook voor uw woorden. Dat deed goed."),
        gives_up_after=600,
    ),
    Story(
        id="journalist",
        title="Journalist vraagt om een reactie",
        language="nl",
        spots=(Spot.EMAIL, Spot.MASTODON_DIRECT),
        themes=themes("journalist"),
        subject="Verzoek om reactie vóór 16.00 uur",
        opening=says(
            "Goedemiddag,\n\n"
            "Voor de regiopagina's van de Ochtendkrant werk ik aan een stuk over levertijden bij webwinkels in de "
            "regio. Vier lezers melden dat zij langer dan zes weken wachten op meubels van Wolk & Zonen en dat de "
            "website intussen 'binnen 10 werkdagen' belooft.\n\n"
            "Mijn vragen:\n- Herkent u dit beeld?\n- Hoeveel bestellingen zijn op dit moment te laat?\n- Past u de "
            "belofte op de website aan?\n\n"
            "Mijn deadline is vandaag 16.00 uur. Met wie kan ik bellen?"
        ),
        signature="{first} {last}\nverslaggever\n{phone}",
        whens=(
            When(Hears.ADDRESS_QUESTION, says("Ik ben tot vier uur te bereiken op {phone}.")),
            When(Hears.QUESTION, says("Ik citeer alleen wat u mij als reactie geeft, met naam en functie.")),
        ),
        silences=waits(
            (60, "Nog een keer, voor de zekerheid: mijn deadline is 16.00 uur."),
            (120, "Ik neem op dat u ondanks herhaald verzoek niet hebt gereageerd."),
        ),
        thanks=says("Dank, daar kan ik mee uit de voeten."),
        person=Person(first="Wouter", last="Achterberg", email="w.achterberg@ochtendkrant.example"),
        gives_up_after=120,
    ),
    Story(
        id="job-applicant",
        title="Sollicitant aan het verkeerde loket",
        language="nl",
        spots=(Spot.WEBCHAT, Spot.EMAIL, Spot.MASTODON_DIRECT),
        themes=themes("job applicant"),
        subject="Open sollicitatie meubelmaker",
        opening=says(
            "Hallo! Ik ben derdejaars meubelmaker en zoek vanaf februari een stageplek. Bij wie moet ik zijn? Ik heb "
            "mijn portfolio klaarstaan."
        ),
        whens=(
            When(Hears.ADDRESS_QUESTION, says("{email} is het makkelijkst")),
            When(
                Hears.QUESTION, says("Vier dagen per week, twintig weken. Ik kan goed verbindingen, minder goed koffie")
            ),
        ),
        silences=waits((120, "Is er misschien een mailadres van personeelszaken?")),
        thanks=says("Fijn, dan mail ik haar. Bedankt voor het doorverwijzen!"),
    ),
    Story(
        id="arabic",
        title="Arabisch: vraag over bezorging",
        language="ar",
        spots=(Spot.TELEGRAM, Spot.WEBCHAT, Spot.MASTODON_DIRECT),
        themes=themes("right-to-left text", "delivery question"),
        opening=says(
            "مرحباً، اشتريت طاولة كلابروس والرقم {order}. متى ستصل؟",
            "أسكن في الطابق الثالث ولا يوجد مصعد. هل يحملها السائق إلى الأعلى؟",
        ),
        whens=(
            When(Hears.ADDRESS_QUESTION, says("العنوان: {street} {house}, {postcode} {city}")),
            When(
                Hears.QUESTION, says("نعم، بعد الساعة الرابعة أفضل. Nederlands lezen gaat ook, schrijven is moeilijk.")
            ),
        ),
        silences=waits((20, "هل من أحد هنا؟")),
        thanks=says("شكراً جزيلاً 🌷"),
        person=Person(first="رنا", last="الحلبي", handle="rana_h"),
    ),
    Story(
        id="bounce-prone",
        title="Mailadres met een typefout, antwoorden komen terug",
        language="nl",
        spots=(Spot.EMAIL,),
        themes=themes("bounce-prone address"),
        subject="Waar kan ik een losse lampenkap kopen?",
        opening=says(
            "Hallo, verkopen jullie de kap van de Reiger ook los? De onze heeft de verhuizing niet overleefd. Stuur "
            "het antwoord maar naar dit adres."
        ),
        signature="{first}",
        silences=waits(
            (600, "Ik had vorige keer mijn adres verkeerd ingevuld geloof ik. Nu dan: verkopen jullie de kap los?")
        ),
        thanks=says("Dank je wel!"),
        person=Person(email="{handle}@bestaat-niet.example"),
        gives_up_after=600,
    ),
    Story(
        id="grandmother-shouts",
        title="Oma typt in hoofdletters",
        language="nl",
        spots=(Spot.WEBCHAT, Spot.API),
        themes=themes("delivery question", "old customer"),
        person=Person(first="Riet"),
        opening=says("GOEDEMIDDAG MEVROUW IK WEET NIET HOE DEZE KNOP UIT MOET", "KOMT DE STOEL MORGEN OF OVERMORGEN"),
        whens=(
            When(Hears.ORDER_QUESTION, says("MIJN KLEINZOON ZEGT {order}")),
            When(Hears.ADDRESS_QUESTION, says("{street} {house}. IK BEN ALTIJD THUIS")),
            When(Hears.QUESTION, says("JA HOOR")),
        ),
        silences=waits((15, "IS DAAR NOG IEMAND")),
        thanks=says("DANK U WEL KIND. U BENT HEEL GEDULDIG"),
    ),
    Story(
        id="neighbour-noise",
        title="Klacht van een omwonende over vrachtwagens",
        language="nl",
        spots=(Spot.API, Spot.EMAIL),
        themes=themes("neighbour"),
        subject="Laden en lossen voor zeven uur",
        opening=says(
            "Goedemorgen, ik woon tegenover uw magazijn. Al drie weken wordt er om half zes 's ochtends geladen, met "
            "draaiende motor en de radio aan. Volgens de vergunning mag dat pas vanaf zeven uur. Wie kan hier iets "
            "aan doen?"
        ),
        signature="{first} {last}",
        whens=(When(Hears.QUESTION, says("Vooral op dinsdag en donderdag. Ik heb het een paar keer opgenomen.")),),
        silences=waits((600, "Vanochtend weer. 5:34 uur.")),
        thanks=says("Goed dat u het met de vervoerder opneemt. Dank."),
        gives_up_after=600,
    ),
)
