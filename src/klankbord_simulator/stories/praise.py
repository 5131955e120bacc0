"""Compliments: the largest group of all, in many kinds, and fans of every size."""

from __future__ import annotations

from .model import Hears, Person, Say, Spot, Story, When, says, tells, themes, waits

STORIES: tuple[Story, ...] = (
    Story(
        id="compliment-short",
        title="Kort compliment",
        language="nl",
        spots=(Spot.MASTODON,),
        themes=themes("compliment"),
        opening=says(
            "Even een pluim voor {us}: gisteravond om tien uur besteld, vanmiddag staat de lamp hier te branden. 💡"
        ),
        whens=(When(Hears.QUESTION, says("Boven de keukentafel! Precies goed.")),),
        thanks=says("🧡"),
        wants_answer=False,
    ),
    Story(
        id="compliment-delivery-crew",
        title="Compliment voor de bezorgers",
        language="nl",
        spots=(Spot.EMAIL, Spot.WEBCHAT),
        themes=themes("compliment"),
        subject="Complimenten voor uw bezorgers",
        opening=says(
            "Beste mensen,\n\n"
            "Meestal schrijft men u vermoedelijk als er iets mis is. Daarom deze mail. De twee jongemannen die "
            "vanochtend mijn bed kwamen brengen, hebben het niet alleen drie trappen op gedragen maar ook het oude "
            "uit elkaar gehaald, de vloer geveegd en mijn klok weer aan de praat gekregen. Ik ben 81 en woon alleen. "
            "Zij weten niet half wat dat betekent.\n\n"
            "Wilt u het hun doorgeven?"
        ),
        signature="Met hartelijke groet,\nmevrouw {last}",
        whens=(
            When(Hears.QUESTION, says("Hun namen weet ik helaas niet. De een had een rode pet en neuriede steeds.")),
        ),
        thanks=says("Wat fijn dat u het doorgeeft. Dan is mijn dag ook weer goed."),
        person=Person(first="Geertruida", last="Hoefnagels"),
        wants_answer=False,
    ),
    Story(
        id="compliment-named-employee",
        title="Vaste klant prijst Bram bij naam",
        language="nl",
        spots=(Spot.MASTODON, Spot.EMAIL),
        themes=themes("compliment", "named employee", "old customer"),
        subject="Pluim voor Bram",
        opening=says(
            "{us} Al sinds 2009 klant, drie huizen en twee kinderen verder. Bram van jullie klantenservice heeft "
            "voor mij een scharnier opgespoord dat al zeven jaar niet meer gemaakt wordt. Houd die man in ere."
        ),
        whens=(When(Hears.QUESTION, says("Van de servieskast uit jullie eerste serie. Hij sluit weer als nieuw.")),),
        thanks=says("Doe hem de groeten!"),
        wants_answer=False,
    ),
    Story(
        id="compliment-child-drawing",
        title="Tekening van een kind",
        language="nl",
        spots=(Spot.TELEGRAM, Spot.MASTODON, Spot.EMAIL),
        themes=themes("compliment", "child's drawing", "mail with attachment"),
        subject="Tekening van Mees (6)",
        opening=(
            Say(
                "Mees (6) heeft dit getekend van haar nieuwe bed. Het moest 'naar de meneer van de beddenwinkel'. "
                "Die grote paarse is de kat.",
                pictures=("child",),
            ),
        ),
        whens=(When(Hears.QUESTION, says("Mees zegt: 'de kat heet Soep'. Meer wil ze er niet over kwijt.")),),
        thanks=says("Ze glimt! Dank jullie wel 💜"),
        wants_answer=False,
    ),
    Story(
        id="compliment-english",
        title="English: compliment on the packaging",
        language="en",
        spots=(Spot.MASTODON,),
        themes=themes("english", "compliment"),
        opening=says(
            "Shout-out to {us} for shipping a mirror across two countries with not one gram of plastic in the box. "
            "Arrived in one piece. So did my faith in parcels."
        ),
        whens=(
            When(Hears.QUESTION, says("It's the round one, the big Vijver. Looks like a window to another hallway.")),
        ),
        thanks=says("Cheers! 🪞"),
        wants_answer=False,
    ),
    Story(
        id="compliment-after-complaint",
        title="Compliment na een opgeloste klacht",
        language="nl",
        spots=(Spot.WEBCHAT, Spot.TELEGRAM),
        themes=themes("compliment"),
        opening=says(
            "Hoi, geen vraag deze keer",
            "vorige week was ik best wel boos over die kras in m'n tafel. jullie hebben het zo netjes opgelost dat "
            "ik dat ook even wilde zeggen",
        ),
        thanks=says("fijne dag nog!"),
        wants_answer=False,
        typos=True,
    ),
    Story(
        id="compliment-but-question",
        title="Compliment met een vraagje erin",
        language="nl",
        spots=(Spot.MASTODON, Spot.WEBCHAT),
        themes=themes("compliment", "stock question"),
        opening=says(
            "{us} wat een plaatje is die Merel-lamp geworden 😍 Iedereen vraagt waar hij vandaan komt. Komt hij ooit "
            "ook in donkerblauw? Dan neem ik er nog twee voor de gang."
        ),
        whens=(When(Hears.QUESTION, says("Zo donker mogelijk! Net geen zwart.")),),
        silences=waits((120, "{us} ik vroeg het serieus hoor, van dat donkerblauw 😄")),
        thanks=says("Ik houd het in de gaten. Dank!"),
    ),
    Story(
        id="influencer",
        title="Interieurmaker met veel volgers, half boos",
        language="nl",
        spots=(Spot.MASTODON,),
        themes=themes("influencer", "angry public post", "moves to private"),
        opening=says(
            "Jullie vragen me steeds waarom er nog geen filmpje is van de nieuwe woonkamer. Nou: omdat {us} al twee "
            "keer de verkeerde bank heeft gebracht. Morgen poging drie. Ik film mee."
        ),
        whens=(
            When(
                Hears.INVITATION,
                tells("Hoi! {order}. Moet zijn: Hazel, driezits, zandkleur. Tot nu toe: tweezits, groen, 2x."),
            ),
            When(Hears.APOLOGY, says("Lief van jullie. Ik houd mijn 48.000 volgers op de hoogte, geen druk 😇")),
            When(Hears.QUESTION, tells("Tussen 12 en 4 ben ik thuis. Camera staat aan vanaf half twaalf.")),
        ),
        silences=waits(
            (25, "Update: stilte bij {us}."),
            (75, "Update 2: nog steeds stilte. De poll staat op 91% 'hij wordt weer groen'."),
        ),
        thanks=says("UPDATE: zandkleur! Driezits! Met een bos bloemen erbij. Oké {us}, jullie zijn vergeven."),
        person=Person(first="Isa", last="Lindeboom", handle="huisvanisa"),
    ),
    Story(
        id="thanks-only",
        title="Alleen bedankt",
        language="nl",
        spots=(Spot.TELEGRAM, Spot.WEBCHAT, Spot.MASTODON_DIRECT),
        themes=themes("thanks only"),
        opening=says("Dankjewel!"),
        wants_answer=False,
        thanks=says("😊"),
    ),
    Story(
        id="emoji-only",
        title="Alleen emoji",
        language="nl",
        spots=(Spot.TELEGRAM, Spot.MASTODON),
        themes=themes("emoji only", "compliment"),
        opening=says("🛋️😍🛋️😍 👨‍👩‍👧‍👦👍🏽"),
        whens=(When(Hears.QUESTION, says("🥰👉🛋️")),),
        thanks=says("🙏🏼"),
        wants_answer=False,
    ),
    Story(
        id="emoji-five-hundred",
        title="Vijfhonderd emoji",
        language="nl",
        spots=(Spot.TELEGRAM, Spot.WEBCHAT),
        themes=themes("500 emoji"),
        opening=(Say("🎉" * 250 + "🪑" * 250, pastes=True),),
        whens=(When(Hears.ANYTHING, says("sorry, mijn zoontje had de telefoon 😅")),),
        thanks=says("hij vindt de stoelen in elk geval mooi"),
        wants_answer=False,
    ),
)
