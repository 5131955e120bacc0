"""The Bot API's methods: parameters in, result out. The caller holds the fake's lock."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from ...stage import Attachment
from ..web import Request
from .bot import CAPTION_LIMIT, DOWNLOAD_LIMIT, LINK_LIFE, Json, Message, Refusal

if TYPE_CHECKING:
    from .fake import Telegram

DELETE_LIMIT = timedelta(hours=48)
PHOTO_LIMIT, DOCUMENT_LIMIT = 10_000_000, 50_000_000
PICTURE_STARTS = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"RIFF")


def parameter(request: Request, name: str) -> Any:
    """A parameter that is JSON inside a form, or already an object. None when absent."""
    value = request.fields.get(name)
    if isinstance(value, str) and value[:1] in "[{":
        try:
            return json.loads(value)
        except ValueError as error:
            raise Refusal(400, f"Bad Request: can't parse {name} JSON object") from error
    return value


def get_me(fake: Telegram, request: Request) -> Json:
    extras = {"can_join_groups": True, "can_read_all_group_messages": False, "supports_inline_queries": False}
    return {**fake.bot.me, **extras}


def set_webhook(fake: Telegram, request: Request) -> bool:
    url, secret = str(request.fields.get("url") or ""), str(request.fields.get("secret_token") or "")
    # Real servers want https on a public name; a fake on loopback also takes plain http there.
    if url and not re.match(r"https://|http://(127\.0\.0\.1|localhost)[:/]", url):
        raise Refusal(400, "Bad Request: bad webhook: An HTTPS URL must be provided for webhook")
    if secret and not re.fullmatch(r"[A-Za-z0-9_-]{1,256}", secret):
        raise Refusal(400, "Bad Request: secret token contains unallowed characters")
    if "allowed_updates" in request.fields:
        fake.bot.allowed_updates = list(parameter(request, "allowed_updates") or [])
    if request.fields.get("drop_pending_updates") in {True, "true", "True", "1"}:
        fake.bot.updates.clear()
    fake.use_webhook(url, secret)
    return True


def delete_webhook(fake: Telegram, request: Request) -> bool:
    if request.fields.get("drop_pending_updates") in {True, "true", "True", "1"}:
        fake.bot.updates.clear()
    fake.use_webhook("", "")
    return True


def get_webhook_info(fake: Telegram, request: Request) -> Json:
    value: Json = {
        "url": fake.hook_url,
        "has_custom_certificate": False,
        "pending_update_count": len(fake.bot.waiting(fake.now())),
    }
    if fake.hook_url:
        value |= {"max_connections": 40, "ip_address": "127.0.0.1"}
    if fake.bot.allowed_updates:
        value["allowed_updates"] = fake.bot.allowed_updates
    if fake.last_error:
        at, sentence = fake.last_error
        value |= {"last_error_date": int(at.timestamp()), "last_error_message": sentence}
    return value


def send_message(fake: Telegram, request: Request) -> Json:
    chat = fake.bot.open_chat(request.fields.get("chat_id", ""))
    text, entities = fake.bot.read_text(request.fields.get("text"), request.fields.get("parse_mode"))
    if not text:
        raise Refusal(400, "Bad Request: message text is empty")
    message = fake.bot.add(
        chat,
        text,
        at=fake.now(),
        is_ours=True,
        entities=entities,
        reply_to=replied(fake, request, chat.id),
        reply_markup=parameter(request, "reply_markup"),
    )
    return fake.sent_message(message)


def send_photo(fake: Telegram, request: Request) -> Json:
    return send_file(fake, request, "photo")


def send_document(fake: Telegram, request: Request) -> Json:
    return send_file(fake, request, "document")


def send_file(fake: Telegram, request: Request, name: str) -> Json:
    chat = fake.bot.open_chat(request.fields.get("chat_id", ""))
    mode = request.fields.get("parse_mode")
    caption, entities = fake.bot.read_text(request.fields.get("caption"), mode, limit=CAPTION_LIMIT)
    file = given_file(fake, request, name, request.fields.get(name))
    check_file(file, name)
    message = fake.bot.add(
        chat,
        caption,
        at=fake.now(),
        is_ours=True,
        entities=entities,
        files=(file,),
        content=fake.bot.content_of(file, as_document=name == "document"),
        reply_to=replied(fake, request, chat.id),
        reply_markup=parameter(request, "reply_markup"),
    )
    return fake.sent_message(message)


def send_media_group(fake: Telegram, request: Request) -> list[Json]:
    chat = fake.bot.open_chat(request.fields.get("chat_id", ""))
    group = parameter(request, "media") or []
    if not 2 <= len(group) <= 10:
        raise Refusal(400, "Bad Request: group send failed: 2-10 media expected")
    files = []
    for each in group:
        file = given_file(fake, request, str(each.get("media", "")).removeprefix("attach://"), each.get("media"))
        check_file(file, str(each.get("type")))
        texts = fake.bot.read_text(each.get("caption"), each.get("parse_mode"), limit=CAPTION_LIMIT)
        files.append((file, each.get("type") == "document", *texts))
    answered, album = replied(fake, request, chat.id), str(13_000_000_000_000_000 + len(fake.bot.messages))
    messages = []
    for file, as_document, caption, entities in files:
        content = {**fake.bot.content_of(file, as_document=as_document), "media_group_id": album}
        more: Json = {"entities": entities, "files": (file,), "content": content, "reply_to": answered}
        messages.append(fake.bot.add(chat, caption, at=fake.now(), is_ours=True, **more))
    return [fake.sent_message(message) for message in messages]


def edit_message_text(fake: Telegram, request: Request) -> Json:
    message = own_message(fake, request, "message to edit not found")
    if not message.is_ours or message.files:
        raise Refusal(400, "Bad Request: message can't be edited")
    text, entities = fake.bot.read_text(request.fields.get("text"), request.fields.get("parse_mode"))
    if not text:
        raise Refusal(400, "Bad Request: message text is empty")
    markup = parameter(request, "reply_markup")
    if (text, markup) == (message.text, message.reply_markup):
        sentence = "specified new message content and reply markup are exactly the same as a current content"
        raise Refusal(400, f"Bad Request: message is not modified: {sentence} and reply markup of the message")
    message.text, message.entities, message.reply_markup, message.edited_at = text, entities, markup, fake.now()
    fake.record("edited", place=str(message.chat.id), ref=message.ref, text=text)
    return message.as_json(fake.bot.me)


def delete_message(fake: Telegram, request: Request) -> bool:
    message = own_message(fake, request, "message to delete not found")
    if message.at < fake.now() - DELETE_LIMIT:
        raise Refusal(400, "Bad Request: message can't be deleted for everyone")
    message.is_deleted = True
    fake.record("deleted", place=str(message.chat.id), ref=message.ref)
    return True


def send_chat_action(fake: Telegram, request: Request) -> bool:
    chat = fake.bot.open_chat(request.fields.get("chat_id", ""))
    action = str(request.fields.get("action") or "")
    if not re.fullmatch(r"typing|upload_\w+|record_\w+|choose_sticker|find_location", action):
        raise Refusal(400, "Bad Request: wrong parameter action in request")
    fake.record("action", place=str(chat.id), text=action)
    return True


def answer_callback_query(fake: Telegram, request: Request) -> bool:
    identity = str(request.fields.get("callback_query_id") or "")
    if identity not in fake.bot.callbacks:
        raise Refusal(400, "Bad Request: query is too old and response timeout expired or query ID is invalid")
    fake.bot.callbacks.discard(identity)
    fake.record("answered", key=identity, text=str(request.fields.get("text") or ""))
    return True


def get_file(fake: Telegram, request: Request) -> Json:
    identity = str(request.fields.get("file_id") or "")
    file = fake.bot.files.get(identity)
    if file is None:
        raise Refusal(400, "Bad Request: wrong file_id or the file is temporarily unavailable")
    size = len(file.attachment.content)
    if size > DOWNLOAD_LIMIT:
        raise Refusal(400, "Bad Request: file is too big")
    file.link_ends = fake.now() + LINK_LIFE
    return {"file_id": identity, "file_unique_id": identity[:12], "file_size": size, "file_path": file.path}


# ------------------------------------------------------------------------------------------------ help


def replied(fake: Telegram, request: Request, chat: int) -> Message | None:
    wanted = parameter(request, "reply_parameters") or {}
    number = wanted.get("message_id") or request.fields.get("reply_to_message_id")
    if not number:
        return None
    message = fake.bot.messages.get(f"{chat}:{number}")
    if message and not message.is_deleted:
        return message
    if wanted.get("allow_sending_without_reply") or request.fields.get("allow_sending_without_reply"):
        return None
    raise Refusal(400, "Bad Request: message to be replied not found")


def own_message(fake: Telegram, request: Request, sentence: str) -> Message:
    chat = fake.bot.open_chat(request.fields.get("chat_id", ""))
    message = fake.bot.messages.get(f"{chat.id}:{request.fields.get('message_id')}")
    if message is None or message.is_deleted:
        raise Refusal(400, f"Bad Request: {sentence}")
    return message


def given_file(fake: Telegram, request: Request, name: str, value: Any) -> Attachment:
    """An upload under that name, or a file that Telegram already has. Raises Refusal."""
    _ = request.fields  # reading the form finds the uploads
    if upload := request.files.get(name):
        return Attachment(upload.name, upload.content_type, upload.content)
    if known := fake.bot.files.get(str(value)):
        return known.attachment
    raise Refusal(400, "Bad Request: wrong file identifier/HTTP URL specified")


def check_file(file: Attachment, kind: str) -> None:
    if not file.content:
        raise Refusal(400, "Bad Request: file must be non-empty")
    if len(file.content) > (PHOTO_LIMIT if kind == "photo" else DOCUMENT_LIMIT):
        raise Refusal(413, "Request Entity Too Large")
    if kind == "photo" and not file.content.startswith(PICTURE_STARTS):
        raise Refusal(400, "Bad Request: IMAGE_PROCESS_FAILED")


METHODS: dict[str, Callable[..., Any]] = {
    "getme": get_me,
    "setwebhook": set_webhook,
    "deletewebhook": delete_webhook,
    "getwebhookinfo": get_webhook_info,
    "sendmessage": send_message,
    "sendphoto": send_photo,
    "senddocument": send_document,
    "sendmediagroup": send_media_group,
    "editmessagetext": edit_message_text,
    "deletemessage": delete_message,
    "sendchataction": send_chat_action,
    "answercallbackquery": answer_callback_query,
    "getfile": get_file,
}
