"""A question by the form without a script: the same queue as the chat, but the answer can only go by mail."""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256

from django.utils.translation import gettext, override

from klankbord.channels.webchat.events import message_id_of, write_message
from klankbord.contract import Delivery
from klankbord.desk.inboxes.deliveries import put
from klankbord.desk.inboxes.models import Visitor
from klankbord.desk.organisations.models import Organisation
from klankbord.desk.wall import organisation

from .entering import FORM, Widget
from .writing import stand_in


def ask(*, widget: Widget, sheet: str, text: str, email: str, name: str = "", language: str = "", now: datetime) -> str:
    """Store a question for the intake; gives its id. sheet: of the form as it was opened, whatever makes it one.

    The same text on the same sheet is the same message, so that a second press of the button is none; other text on it
    goes on in the same conversation. Nothing is mailed to the address before somebody at the desk answers.
    """
    visitor = FORM + sha256(sheet.encode()).hexdigest()[:32]
    message_id = message_id_of(visitor, sha256(text.encode()).hexdigest()[:32])
    with organisation(widget.organisation_id):
        known, _ = Visitor.objects.update_or_create(
            inbox_id=widget.inbox_id,
            external_id=visitor,
            defaults={"email": email, "name": name, "language": language, "seen_at": now},
            create_defaults={"email": email, "name": name, "language": language, "seen_at": now, "created_at": now},
        )
        with override(Organisation.objects.values_list("language", flat=True).get(id=widget.organisation_id)):
            where = gettext("By the form on your site: your answer goes by e-mail")
        body = write_message(
            message_id=message_id,
            visitor=visitor,
            is_proven=False,
            text=text,
            at=now,
            name=name or stand_in(known, widget.organisation_id),
            email=email,
            language=language,
            page_title=where,
        )
        put([(widget.inbox_id, widget.lane, Delivery(body, now))])
    return message_id
