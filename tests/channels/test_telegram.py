"""What is particular to Telegram; what holds for every channel is tested in the common suite."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from benches_of import bench_of
from worlds import NOW, Request, World, http_world

from klankbord.channels.telegram.adapter import Telegram
from klankbord.channels.telegram.bot import Credentials
from klankbord.contract import (
    Account,
    Arrived,
    ChannelError,
    CredentialsRejected,
    HealthState,
    Ignored,
    Item,
    Media,
    MediaKind,
    Refused,
    Response,
    Unavailable,
    Uncertain,
    Unknown,
    Upload,
    Visibility,
)
from klankbord.kernel import tags

bench = bench_of("telegram")
refused = bench.refused
ACCOUNT: Account[Credentials] = bench.account()
POLLING: Account[Credentials] = bench.polling_account()
CHAT = {"id": 5, "type": "private", "first_name": "Fatima"}
PERSON = {"id": 5, "is_bot": False, "first_name": "Fatima"}


@pytest.fixture
def api() -> Any:
    return bench.SmallBotApi()


@pytest.fixture
def world(api: Any) -> World:
    return http_world(api.answer)


@pytest.fixture
def telegram() -> Telegram:
    return Telegram()


def message(**more: Any) -> dict[str, Any]:
    return {"message_id": 7, "from": PERSON, "chat": CHAT, "date": int(NOW.timestamp()), **more}


def read(telegram: Telegram, said: dict[str, Any], kind: str = "message") -> Item:
    (item,) = telegram.parse(bench.sign(json.dumps({"update_id": 1, kind: said}).encode(), ACCOUNT), ACCOUNT)
    return item


def arrived(telegram: Telegram, **more: Any) -> Arrived:
    item = read(telegram, message(**more))
    assert isinstance(item, Arrived)
    return item


# ------------------------------------------------------------------------------------------------ connecting


def test_connecting_lets_telegram_bring_messages_with_our_secret(telegram: Telegram, api: Any, world: World) -> None:
    facts = telegram.connect(ACCOUNT, world.wires)
    hook = world.calls[-1].json
    assert (hook["url"], hook["secret_token"]) == (ACCOUNT.hook_url, ACCOUNT.hook_secret)
    assert {"message", "edited_message", "my_chat_member"} <= set(hook["allowed_updates"])
    assert (facts["delivery"], facts["bot_id"]) == ("webhook", "700100200")
    assert facts["invite_url"] == "https://t.me/regiobus_bot?start={tag}"


@pytest.mark.parametrize("changes", [{"hook_url": "http://localhost:8000/hook"}, {"hook_url": ""}])
def test_where_telegram_cannot_reach_us_we_fetch(
    telegram: Telegram, api: Any, world: World, changes: dict[str, str]
) -> None:
    assert telegram.connect(replace(ACCOUNT, **changes), world.wires)["delivery"] == "poll"
    assert api.hook["url"] == ""


def test_who_chooses_to_fetch_does_so_even_when_telegram_could_reach_us(
    telegram: Telegram, api: Any, world: World
) -> None:
    assert telegram.connect(POLLING, world.wires)["delivery"] == "poll"
    assert api.hook["url"] == ""


def test_w3_without_a_secret_of_ours_no_webhook_is_set(telegram: Telegram, world: World) -> None:
    with pytest.raises(CredentialsRejected):
        telegram.connect(replace(ACCOUNT, hook_secret=""), world.wires)
    assert not [call for call in world.calls if call.url.endswith("/setWebhook")]


@pytest.mark.parametrize("token", ["", "1:a/../../x", "1:a?b", "token met spaties"])
def test_what_is_no_token_reaches_nobody(telegram: Telegram, world: World, token: str) -> None:
    with pytest.raises(CredentialsRejected):
        telegram.connect(bench.account(credentials=Credentials(token=token)), world.wires)
    assert world.calls == []


# ------------------------------------------------------------------------------------------------ coming in


@pytest.mark.parametrize(
    "text", ["/start", "/START", "/stop", "/help", "/start welkom", "/start@regiobus_bot", "/help "]
)
def test_commands_become_no_conversation(telegram: Telegram, text: str) -> None:
    assert read(telegram, message(text=text)) == Ignored("command", external_id="5:7")


@pytest.mark.parametrize("text", ["/starten lukt niet", "ik wil /stop", "/stop ermee alsjeblieft", "/klacht", "start"])
def test_words_that_only_look_like_a_command_are_a_message(telegram: Telegram, text: str) -> None:
    assert arrived(telegram, text=text).text == text


def test_a_start_through_our_link_names_the_conversation_and_is_no_work(telegram: Telegram) -> None:
    tag = tags.sign_tag("k7m2p9q4", key=ACCOUNT.reply_key)
    start = arrived(telegram, text=f"/start {tag}")
    assert (start.reply_tag, start.is_context) == (tag, True)


def test_a_start_with_a_tag_of_someone_else_names_nothing(telegram: Telegram) -> None:
    forged = tags.sign_tag("k7m2p9q4", key=b"iets anders")
    assert read(telegram, message(text=f"/start {forged}")) == Ignored("command", external_id="5:7")


@pytest.mark.parametrize(
    ("text", "offset", "length", "shown"),
    [
        ("🚍 hier", 3, 4, "🚍 hier (https://a.example)"),
        ("hier", 0, 4, "hier (https://a.example)"),
        ("hier", 0, 99, "hier"),
        ("hier", -4, 2, "hier"),
        ("https://a.example/", 0, 18, "https://a.example/"),
    ],
)
def test_hidden_links_are_written_out_at_the_place_telegram_counts(
    telegram: Telegram, text: str, offset: int, length: int, shown: str
) -> None:
    entity = {"type": "text_link", "offset": offset, "length": length, "url": "https://a.example"}
    assert arrived(telegram, text=text, entities=[entity]).text == shown


def test_several_hidden_links_keep_their_own_places(telegram: Telegram) -> None:
    entities = [
        {"type": "text_link", "offset": 0, "length": 3, "url": "https://een.example"},
        {"type": "text_link", "offset": 4, "length": 4, "url": "https://twee.example"},
    ]
    text = arrived(telegram, text="een twee", entities=entities).text
    assert text == "een (https://een.example) twee (https://twee.example)"


def test_of_a_photo_the_largest_size_is_taken(telegram: Telegram) -> None:
    sizes = [{"file_id": f"maat-{width}", "width": width, "height": width} for width in (90, 1280, 320)]
    assert [media.fetch for media in arrived(telegram, photo=sizes).media] == ["maat-1280"]


def test_a_file_too_large_for_a_bot_is_shown_with_what_to_do(telegram: Telegram) -> None:
    (media,) = arrived(telegram, document={"file_id": "x", "file_size": 20_000_001, "file_name": "film.mov"}).media
    assert "20 MB" in media.refused
    assert media.fetch == ""


def test_the_pictures_of_an_album_stand_in_one_place(telegram: Telegram) -> None:
    photo = [{"file_id": "x", "width": 1, "height": 1}]
    album = [arrived(telegram, message_id=number, media_group_id="9", photo=photo) for number in (7, 8)]
    assert len({each.place.key for each in album}) == 1
    assert len({each.external_id for each in album}) == 2
    assert {each.facts["album"] for each in album} == {"9"}


def test_w7_the_same_number_in_two_chats_is_two_messages(telegram: Telegram) -> None:
    other_chat = {"id": -9, "type": "group", "title": "Buurt"}
    assert arrived(telegram, text="a").external_id != arrived(telegram, text="a", chat=other_chat).external_id


def test_a_group_is_public(telegram: Telegram) -> None:
    group = arrived(telegram, text="a", chat={"id": -9, "type": "group", "title": "Buurt"})
    assert (group.place.visibility, group.place.title) == (Visibility.PUBLIC, "Buurt")


def test_w16_a_kind_of_update_from_the_future_is_kept(telegram: Telegram) -> None:
    item = read(telegram, {"chat": CHAT, "hologram": {}}, kind="hologram_message")
    assert isinstance(item, Unknown)
    assert item.place is not None
    assert item.place.key == "chat:5"
    assert "hologram" in item.raw


def test_large_ids_keep_every_digit(telegram: Telegram) -> None:
    chat = {"id": -1009007199254740993, "type": "supergroup", "title": "Groot"}
    assert arrived(telegram, text="a", chat=chat).place.target == "-1009007199254740993"


# ------------------------------------------------------------------------------------------------ fetching


def update(number: int, text: str = "hallo") -> dict[str, Any]:
    return {"update_id": number, "message": message(message_id=number, text=text)}


def test_what_waits_is_fetched_once_and_in_order(telegram: Telegram, api: Any, world: World) -> None:
    api.hook["url"] = ""
    api.updates = [update(number) for number in range(1, 131)]
    cursor: Any = {}
    found: list[int] = []
    for _ in range(5):
        polled = telegram.poll(POLLING, cursor, world.wires)
        cursor = json.loads(json.dumps(dict(polled.cursor)))
        found += [json.loads(delivery.body)["update_id"] for delivery in polled.deliveries]
        if not polled.has_more:
            break
    assert found == list(range(1, 131))
    assert telegram.poll(POLLING, cursor, world.wires).deliveries == ()


def test_an_unconfirmed_update_comes_again(telegram: Telegram, api: Any, world: World) -> None:
    api.hook["url"] = ""
    api.updates = [update(1)]
    first = telegram.poll(POLLING, {}, world.wires)
    assert telegram.poll(POLLING, {}, world.wires).deliveries == first.deliveries


def test_nothing_is_fetched_where_telegram_brings(telegram: Telegram, world: World) -> None:
    assert telegram.poll(ACCOUNT, {}, world.wires).deliveries == ()
    assert world.calls == []


def test_f23_a_silence_of_more_than_a_day_is_reported(telegram: Telegram, api: Any) -> None:
    api.hook["url"] = ""
    cursor = telegram.poll(POLLING, {}, http_world(api.answer).wires).cursor
    later = http_world(api.answer, now=NOW + timedelta(hours=26))
    polled = telegram.poll(POLLING, cursor, later.wires)
    (item,) = telegram.parse(polled.deliveries[0], POLLING)
    assert isinstance(item, Unknown)
    assert item.kind == "gap"
    assert telegram.poll(POLLING, polled.cursor, later.wires).deliveries == ()


def test_another_program_that_fetches_too_makes_us_wait_and_shows_in_health(
    telegram: Telegram, api: Any, world: World
) -> None:
    with pytest.raises(Unavailable) as refusal:
        telegram.poll(POLLING, {}, world.wires)
    assert refusal.value.is_inbox_wide
    health = telegram.health(POLLING, world.wires)
    assert health.state == HealthState.BROKEN
    assert "Another program" in "".join(check.sentence for check in health.checks)


def test_listening_wakes_the_poll_without_confirming_anything(telegram: Telegram, api: Any, world: World) -> None:
    api.hook["url"] = ""
    api.updates = [update(1)]
    stop = threading.Event()
    woken = []

    def wake() -> None:
        woken.append(True)
        stop.set()

    telegram.listen(POLLING, world.wires, wake, stop)
    assert woken == [True]
    assert "offset" not in world.calls[0].json
    assert len(telegram.poll(POLLING, {}, world.wires).deliveries) == 1


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({}, HealthState.WELL),
        ({"url": "https://elders.example/"}, HealthState.BROKEN),
        (
            {"last_error_date": int(NOW.timestamp()) - 60, "last_error_message": "Wrong response: 502"},
            HealthState.AILING,
        ),
        ({"last_error_date": int(NOW.timestamp()) - 90_000, "last_error_message": "lang geleden"}, HealthState.WELL),
    ],
)
def test_health_tells_whether_telegram_can_bring_messages(
    telegram: Telegram, api: Any, world: World, changes: dict[str, Any], state: HealthState
) -> None:
    api.hook |= changes
    assert telegram.health(ACCOUNT, world.wires).state == state


# ------------------------------------------------------------------------------------------------ files


def test_a_file_has_a_fresh_link(telegram: Telegram, world: World) -> None:
    link = telegram.media_url(Media(MediaKind.FILE, fetch="doc-1"), ACCOUNT, world.wires)
    assert link == f"https://api.telegram.org/file/bot{bench.TOKEN}/documents/file_7.pdf"


@pytest.mark.parametrize("path", ["../../bot1/getMe", "a\nb", "", "http://elders.example/x"])
def test_w20_a_file_path_that_leads_elsewhere_is_refused(telegram: Telegram, path: str) -> None:
    world = http_world(lambda request: bench.taken({"file_path": path}))
    with pytest.raises(Refused):
        telegram.media_url(Media(MediaKind.FILE, fetch="doc-1"), ACCOUNT, world.wires)


# ------------------------------------------------------------------------------------------------ sending


def test_a_reply_shows_the_message_it_answers_and_turns_nothing_on(telegram: Telegram, api: Any, world: World) -> None:
    receipt = telegram.send(bench.outgoing("<b>1 < 2</b> *niet* _vet_"), ACCOUNT, world.wires)
    assert api.sent == [
        {
            "method": "sendMessage",
            "files": [],
            "chat_id": 5550001112223,
            "text": "<b>1 < 2</b> *niet* _vet_",
            "reply_parameters": {"message_id": 11, "allow_sending_without_reply": True},
        }
    ]
    assert receipt.external_ids == ("5550001112223:101",)


@pytest.mark.parametrize("answered", ["", "42:11", "button:abc", "5550001112223:x"])
def test_what_is_no_message_of_this_chat_is_not_quoted(
    telegram: Telegram, api: Any, world: World, answered: str
) -> None:
    telegram.send(replace(bench.outgoing(), in_reply_to=answered), ACCOUNT, world.wires)
    assert "reply_parameters" not in api.sent[0]


def test_o5_u14_a_long_reply_is_split_on_whole_characters_and_arrives_in_order(
    telegram: Telegram, api: Any, world: World
) -> None:
    text = "👨‍👩‍👧‍👦" * 1000
    receipt = telegram.send(bench.outgoing(text), ACCOUNT, world.wires)
    assert "".join(each["text"] for each in api.sent) == text
    assert all(len(each["text"].encode("utf-16-le")) // 2 <= 4096 for each in api.sent)
    assert all(each["text"].endswith("👦") for each in api.sent)
    assert len(receipt.external_ids) == len(api.sent) == 3
    assert [("reply_parameters" in each) for each in api.sent] == [True, False, False]


@pytest.mark.parametrize(
    ("answer", "error"),
    [(refused(429, "Too Many Requests", retry_after=3), Unavailable), (refused(504, "Gateway Timeout"), Uncertain)],
)
def test_o5_a_reply_that_broke_off_goes_on_where_it_stopped(
    telegram: Telegram, api: Any, world: World, answer: Response, error: type[ChannelError]
) -> None:
    api.refusals = [None, answer]
    outgoing = bench.outgoing("woord " * 2000)
    with pytest.raises(error) as broken:
        telegram.send(outgoing, ACCOUNT, world.wires)
    assert isinstance(broken.value, Unavailable | Uncertain)
    assert broken.value.parts_done == ("5550001112223:101",)
    receipt = telegram.send(replace(outgoing, parts_done=broken.value.parts_done), ACCOUNT, world.wires)
    assert " ".join(each["text"] for each in api.sent) == outgoing.text.strip()
    assert len(receipt.external_ids) == len(api.sent) == 3


@pytest.mark.parametrize(
    "answer",
    [
        refused(403, "Forbidden: bot was blocked by the user"),
        refused(403, "Forbidden: bot was kicked from the supergroup chat"),
        refused(400, "Bad Request: chat not found"),
    ],
)
def test_o7_who_blocked_us_is_out_of_reach_for_good(
    telegram: Telegram, api: Any, world: World, answer: Response
) -> None:
    api.refusals = [answer]
    with pytest.raises(Refused) as refusal:
        telegram.send(bench.outgoing(), ACCOUNT, world.wires)
    assert refusal.value.place_is_gone


def test_a_refusal_for_another_reason_leaves_the_chat_open(telegram: Telegram, api: Any, world: World) -> None:
    api.refusals = [refused(400, "Bad Request: message text is empty")]
    with pytest.raises(Refused) as refusal:
        telegram.send(bench.outgoing(), ACCOUNT, world.wires)
    assert not refusal.value.place_is_gone
    assert "message text is empty" in refusal.value.sentence


def test_f13_too_many_messages_hold_the_whole_inbox_as_long_as_telegram_says(
    telegram: Telegram, api: Any, world: World
) -> None:
    api.refusals = [refused(429, "Too Many Requests: retry after 41", retry_after=41)]
    with pytest.raises(Unavailable) as refusal:
        telegram.send(bench.outgoing(), ACCOUNT, world.wires)
    assert (refusal.value.retry_after, refusal.value.is_inbox_wide) == (41, True)


def test_a_group_that_became_a_supergroup_is_followed_once(telegram: Telegram, api: Any, world: World) -> None:
    moved = refused(400, "Bad Request: group chat was upgraded", migrate_to_chat_id=-1009007199254740993)
    api.refusals = [moved]
    receipt = telegram.send(replace(bench.outgoing(), target="-9"), ACCOUNT, world.wires)
    assert api.sent[0]["chat_id"] == -1009007199254740993
    assert receipt.facts == {"target": "-1009007199254740993", "place_key": "chat:-1009007199254740993"}
    api.refusals = [moved, moved]
    with pytest.raises(Refused):
        telegram.send(replace(bench.outgoing(), target="-9"), ACCOUNT, world.wires)


def test_a_topic_and_a_business_account_are_named_in_the_reply(telegram: Telegram, api: Any, world: World) -> None:
    facts = {"message_thread_id": "77", "business_connection_id": "zaak-1"}
    receipt = telegram.send(replace(bench.outgoing(), facts=facts), ACCOUNT, world.wires)
    assert (api.sent[0]["message_thread_id"], api.sent[0]["business_connection_id"]) == (77, "zaak-1")
    assert receipt.external_ids == ("business:zaak-1:5550001112223:101",)


def test_a_person_who_never_started_the_bot_cannot_be_written_to(telegram: Telegram, world: World) -> None:
    with pytest.raises(Refused):
        telegram.send(replace(bench.outgoing(), target=""), ACCOUNT, world.wires)
    assert world.calls == []


def upload(content_type: str, size: int = 4) -> Upload:
    return Upload("bijlage", content_type, size=size, read=lambda: b"data")


@pytest.mark.parametrize(
    ("content_type", "size", "method", "field"),
    [
        ("image/png", 4, "sendPhoto", "photo"),
        ("image/png", 10_000_001, "sendDocument", "document"),
        ("image/tiff", 4, "sendDocument", "document"),
        ("application/pdf", 4, "sendDocument", "document"),
    ],
)
def test_a_single_file_carries_the_text_as_its_caption(
    telegram: Telegram, api: Any, world: World, content_type: str, size: int, method: str, field: str
) -> None:
    telegram.send(replace(bench.outgoing("Zie hier."), uploads=(upload(content_type, size),)), ACCOUNT, world.wires)
    (sent,) = api.sent
    assert (sent["method"], sent["files"], sent["caption"]) == (method, [field], "Zie hier.")
    assert json.loads(sent["reply_parameters"])["message_id"] == 11


def test_several_files_follow_the_text(telegram: Telegram, api: Any, world: World) -> None:
    files = (upload("image/png"), upload("application/pdf"))
    receipt = telegram.send(replace(bench.outgoing("Zie hier."), uploads=files), ACCOUNT, world.wires)
    assert [each["method"] for each in api.sent] == ["sendMessage", "sendPhoto", "sendDocument"]
    assert len(receipt.external_ids) == 3


def leaky(request: Request) -> Response:
    raise Uncertain(f"time-out at {request.url}")


def broken(request: Request) -> Response:
    raise Unavailable(f"no route to {request.url}")


def echoing(request: Request) -> Response:
    return Response(502, {"content-type": "text/html"}, request.url.encode())


@pytest.mark.parametrize("answer", [leaky, broken, echoing])
def test_the_token_is_in_no_error(telegram: Telegram, answer: Any) -> None:
    world = http_world(answer)
    with pytest.raises(ChannelError) as raised:
        telegram.send(bench.outgoing(), ACCOUNT, world.wires)
    error: BaseException | None = raised.value
    assert raised.value.__suppress_context__ or raised.value.__context__ is None
    assert bench.TOKEN not in f"{error} {error!r} {error.__cause__}"
