from __future__ import annotations

import json
import threading
import time

import httpx
import pytest
from fake_people import PNG, SANNE

from klankbord_simulator.stage import Attachment, StageError


def texts(updates: list[dict]) -> list[str]:
    return [update["message"]["text"] for update in updates]


def send(bot: httpx.Client, chat: str, text: str, **more: object) -> dict:
    return bot.post("/sendMessage", json={"chat_id": chat, "text": text, **more}).json()


@pytest.fixture
def chat(platforms) -> str:
    platforms.telegram.say(SANNE, "hoi", public=False)
    return platforms.telegram.place_of(SANNE)


def test_the_first_message_of_a_person_comes_after_pressing_start(platforms, bot):
    platforms.telegram.say(SANNE, "Waar is mijn kast? 😀 #wolk", public=False)
    updates = bot.get("/getUpdates").json()["result"]
    assert texts(updates) == ["/start", "Waar is mijn kast? 😀 #wolk"]
    assert updates[1]["update_id"] == updates[0]["update_id"] + 1
    message = updates[1]["message"]
    assert message["entities"] == [{"offset": 22, "length": 5, "type": "hashtag"}]  # the smile is two units
    assert message["chat"]["id"] > 2**32
    assert message["from"]["language_code"] == "nl"


def test_an_offset_confirms_what_came_before_it(platforms, bot, chat):
    updates = bot.get("/getUpdates").json()["result"]
    assert len(bot.get("/getUpdates", params={"limit": 1}).json()["result"]) == 1
    left = bot.get("/getUpdates", params={"offset": updates[1]["update_id"]}).json()["result"]
    assert texts(left) == ["hoi"]
    assert bot.get("/getUpdates", params={"offset": updates[1]["update_id"] + 1}).json()["result"] == []


def test_a_long_poll_ends_as_soon_as_somebody_writes(platforms, bot):
    platforms.telegram.start_chat(SANNE)
    [start] = bot.get("/getUpdates").json()["result"]
    threading.Timer(0.1, lambda: platforms.telegram.say(SANNE, "nu", public=False)).start()
    began = time.monotonic()
    updates = bot.get("/getUpdates", params={"offset": start["update_id"] + 1, "timeout": 4}).json()["result"]
    assert texts(updates) == ["nu"]
    assert time.monotonic() - began < 3


def test_two_long_polls_at_once_are_one_too_many(bot, until):
    answers: list[int] = []
    first = threading.Thread(target=lambda: answers.append(bot.get("/getUpdates", params={"timeout": 4}).status_code))
    first.start()
    until(lambda: bot.get("/getUpdates").status_code and answers)
    first.join()
    assert answers == [409]


def test_a_webhook_carries_the_secret_and_comes_again_until_it_is_taken(platforms, bot, desk, until):
    desk.statuses = [500, 503]
    assert bot.post("/setWebhook", json={"url": desk.url, "secret_token": "s3cret"}).json()["result"] is True
    platforms.telegram.start_chat(SANNE)
    platforms.telegram.say(SANNE, "tweede", public=False)
    until(lambda: len(desk.taken) == 4)
    assert {headers["x-telegram-bot-api-secret-token"] for headers, _ in desk.taken} == {"s3cret"}
    assert texts([json.loads(body) for _, body in desk.taken]) == ["/start", "/start", "/start", "tweede"]
    info = until(lambda: (found := bot.get("/getWebhookInfo").json()["result"])["pending_update_count"] == 0 and found)
    assert "503" in info["last_error_message"]
    assert len(platforms.log.entries(kind="delivered")) == 2


def test_with_a_webhook_there_is_no_polling_and_deleting_it_brings_the_rest_back(platforms, bot, desk, until):
    desk.statuses = [500] * 1000
    bot.post("/setWebhook", data={"url": desk.url})
    refused = bot.get("/getUpdates")
    assert (refused.status_code, refused.json()["description"].split(":")[0]) == (409, "Conflict")
    platforms.telegram.start_chat(SANNE)
    until(lambda: desk.taken)
    bot.post("/deleteWebhook")
    assert texts(bot.get("/getUpdates").json()["result"]) == ["/start"]


def test_the_answer_to_a_webhook_may_itself_be_a_call(platforms, bot, desk, until):
    chat = platforms.telegram.place_of(SANNE)
    desk.answer = json.dumps({"method": "sendMessage", "chat_id": int(chat), "text": "dag!"}).encode()
    bot.post("/setWebhook", json={"url": desk.url})
    platforms.telegram.start_chat(SANNE)
    assert [entry.text for entry in until(lambda: platforms.telegram.sent_to(chat))] == ["dag!"]


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"url": "http://shop.example/hook"}, "HTTPS URL must be provided"),
        ({"url": "https://shop.example/", "secret_token": "with space"}, "unallowed characters"),
    ],
)
def test_a_webhook_that_telegram_would_not_take_is_refused(bot, fields, sentence):
    answer = bot.post("/setWebhook", json=fields)
    assert answer.status_code == 400
    assert sentence in answer.json()["description"]


def test_a_reply_in_html_is_heard_as_plain_text_with_entities_in_utf16_units(platforms, bot, chat):
    result = send(bot, chat, "😀 <b>dag</b> &lt;3 <a href='x'>x</a>", parse_mode="HTML")["result"]
    assert result["text"] == "😀 dag <3 x"
    assert result["entities"][0] == {"offset": 3, "length": 3, "type": "bold"}
    assert [heard.text for heard in platforms.telegram.replies_to(SANNE)] == ["😀 dag <3 x"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "message text is empty"),
        ("x" * 4097, "message is too long"),
        ("😀" * 2049, "message is too long"),
        ("<b>open", "Can't find end tag"),
        ("<script>", "Unsupported start tag"),
        ("1 < 2", "can't parse entities"),
        ("</i>", "Unexpected end tag"),
        ("<b>x</i>", "Unmatched end tag"),
    ],
)
def test_a_text_that_telegram_would_not_take_is_refused_in_its_words(platforms, bot, chat, text, sentence):
    answer = send(bot, chat, text, parse_mode="HTML")
    assert (answer["ok"], answer["error_code"]) == (False, 400)
    assert sentence in answer["description"]
    assert platforms.telegram.sent == []


def test_4096_units_are_taken(bot, chat):
    assert send(bot, chat, "😀" * 2048)["ok"]


def test_a_bot_cannot_write_first(bot):
    assert send(bot, "4711", "koopje!")["description"] == "Bad Request: chat not found"


def test_a_person_who_blocked_the_bot_is_reported_and_gets_nothing_more(platforms, bot, chat):
    platforms.telegram.block(SANNE)
    assert send(bot, chat, "dag")["error_code"] == 403
    told = bot.get("/getUpdates").json()["result"][-1]["my_chat_member"]
    assert told["new_chat_member"]["status"] == "kicked"


def test_a_chat_that_moved_names_its_new_id(platforms, bot, chat):
    moved = platforms.telegram.migrate(SANNE)
    answer = send(bot, chat, "dag")
    assert answer["parameters"] == {"migrate_to_chat_id": moved}
    assert send(bot, str(moved), "dag")["ok"]
    assert [heard.text for heard in platforms.telegram.replies_to(SANNE)] == ["dag"]


def test_photos_go_both_ways_byte_for_byte(platforms, bot, chat):
    platforms.telegram.say(SANNE, "kijk", public=False, media=[Attachment("kast.png", "image/png", PNG)])
    message = bot.get("/getUpdates").json()["result"][-1]["message"]
    assert message["caption"] == "kijk"
    found = bot.get("/getFile", params={"file_id": message["photo"][-1]["file_id"]}).json()["result"]
    url = f"{platforms.telegram.url}/file/bot{platforms.telegram.token}/{found['file_path']}"
    assert httpx.get(url, trust_env=False).content == PNG
    sent = bot.post("/sendPhoto", data={"chat_id": chat, "caption": "ah"}, files={"photo": ("a.png", PNG, "image/png")})
    assert sent.json()["result"]["caption"] == "ah"
    [heard] = platforms.telegram.replies_to(SANNE)
    assert (heard.text, heard.media[0].content) == ("ah", PNG)


def test_an_album_is_several_messages_of_one_group(platforms, bot, chat):
    files = [Attachment(f"{number}.png", "image/png", PNG) for number in range(2)]
    platforms.telegram.say(SANNE, "twee", public=False, media=files)
    one, two = [update["message"] for update in bot.get("/getUpdates").json()["result"][-2:]]
    assert one["media_group_id"] == two["media_group_id"]
    assert "caption" not in two
    media = [{"type": "document", "media": f"attach://f{number}", "caption": f"{number}"} for number in range(2)]
    uploads = {f"f{number}": (f"{number}.pdf", b"%PDF", "application/pdf") for number in range(2)}
    answer = bot.post("/sendMediaGroup", data={"chat_id": chat, "media": json.dumps(media)}, files=uploads).json()
    assert [message["document"]["file_name"] for message in answer["result"]] == ["0.pdf", "1.pdf"]


def test_a_persons_edit_is_told_and_their_deletion_is_not(platforms, bot):
    ref = platforms.telegram.say(SANNE, "hoi", public=False)
    platforms.telegram.edit(ref, "hallo")
    assert bot.get("/getUpdates").json()["result"][-1]["edited_message"]["text"] == "hallo"
    told = len(bot.get("/getUpdates").json()["result"])
    platforms.telegram.delete(ref)
    assert len(bot.get("/getUpdates").json()["result"]) == told


def test_the_bot_edits_and_deletes_what_it_wrote(platforms, bot, chat):
    number = send(bot, chat, "daag")["result"]["message_id"]
    fields = {"chat_id": chat, "message_id": number, "text": "dag"}
    assert bot.post("/editMessageText", json=fields).json()["result"]["text"] == "dag"
    assert "not modified" in bot.post("/editMessageText", json=fields).json()["description"]
    assert bot.post("/deleteMessage", json=fields).json()["result"] is True
    assert list(platforms.telegram.replies_to(SANNE)) == []
    assert "not found" in bot.post("/deleteMessage", json=fields).json()["description"]


def test_a_reply_quotes_its_message_and_a_lost_one_is_refused(platforms, bot):
    ref = platforms.telegram.say(SANNE, "vraag", public=False)
    chat, number = ref.split(":")
    send(bot, chat, "antwoord", reply_parameters={"message_id": int(number)})
    assert [heard.in_reply_to for heard in platforms.telegram.replies_to(SANNE)] == [ref]
    lost = send(bot, chat, "antwoord", reply_parameters={"message_id": 1})
    assert "message to be replied not found" in lost["description"]
    kind = {"message_id": 1, "allow_sending_without_reply": True}
    assert send(bot, chat, "antwoord", reply_parameters=kind)["ok"]


def test_a_pressed_button_is_a_callback_that_can_be_answered_once(platforms, bot, chat):
    markup = {"inline_keyboard": [[{"text": "Ja", "callback_data": "ja"}]]}
    number = send(bot, chat, "goed?", reply_markup=markup)["result"]["message_id"]
    identity = platforms.telegram.press(f"{chat}:{number}", "ja")
    query = bot.get("/getUpdates").json()["result"][-1]["callback_query"]
    assert (query["id"], query["data"]) == (identity, "ja")
    assert bot.post("/answerCallbackQuery", data={"callback_query_id": identity}).json()["ok"]
    assert not bot.post("/answerCallbackQuery", data={"callback_query_id": identity}).json()["ok"]


def test_a_wrong_token_is_401_and_a_chat_is_never_public(platforms):
    answer = httpx.get(f"{platforms.telegram.url}/bot1:wrong/getMe", trust_env=False)
    assert answer.json() == {"ok": False, "error_code": 401, "description": "Unauthorized"}
    with pytest.raises(StageError):
        platforms.telegram.say(SANNE, "hoi", public=True)
