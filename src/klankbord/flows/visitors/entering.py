"""Who is at the widget's door: which widget, and which visitor."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from klankbord.channels.webchat.adapter import Credentials
from klankbord.channels.webchat.identity import is_proven
from klankbord.channels.webchat.origins import origins_in
from klankbord.desk.inboxes.models import InboxRoute, Visitor, VisitorSession
from klankbord.desk.wall import organisation
from klankbord.kernel.ids import random_token

from ..accounts import hash_token, open_route

KIND = "webchat"
FORM = "form:"  # how the ids of visitors begin who asked by the form without a script
_TOKEN_BITS = 160
_SEEN_AGAIN = timedelta(minutes=10)  # a session's last use is written down no more often than this
_IDLE = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Widget:
    """A chat inbox as its door sees it. origins: the sites on which it may open."""

    organisation_id: UUID
    inbox_id: UUID
    lane: int
    site_name: str
    welcome: str
    accent: str
    asks_email: bool
    origins: tuple[str, ...]
    identity_secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a site says its visitor is. expires: Unix seconds. Nothing here is believed before it is checked."""

    user_id: object
    expires: object
    signature: object


@dataclass(frozen=True, slots=True)
class Visit:
    """A visitor who showed their token. visitor: their id, which is also the place where they chat."""

    widget: Widget
    visitor: str
    is_proven: bool


def find_widget(key: str) -> Widget | None:
    """The widget with this public key; None when there is none, or it was disconnected."""
    route = InboxRoute.objects.filter(token_hash=hash_token(key), kind=KIND, is_connected=True).first()
    return _widget(route) if route else None


def start_visit(*, widget: Widget, identity: Identity | None, now: datetime) -> tuple[str, Visit]:
    """A new session: its token, which is kept nowhere but in the visitor's browser, and who they are.

    A signed identity is that person on every device. Anything else, a wrong or expired signature included, is an
    anonymous newcomer with nothing to read.
    """
    user_id = _proven_user(widget, identity, now)
    visitor = f"user:{user_id}" if user_id else f"anon:{random_token(100)}"
    token = random_token(_TOKEN_BITS)
    with transaction.atomic():
        VisitorSession.objects.create(
            token_hash=hash_token(token),
            organisation_id=widget.organisation_id,
            inbox_id=widget.inbox_id,
            visitor=visitor,
            is_proven=bool(user_id),
            created_at=now,
            last_seen_at=now,
        )
        with organisation(widget.organisation_id):
            Visitor.objects.get_or_create(
                inbox_id=widget.inbox_id, external_id=visitor, defaults={"seen_at": now, "created_at": now}
            )
    return token, Visit(widget, visitor, bool(user_id))


def find_visit(token: str, *, now: datetime) -> Visit | None:
    """The visitor who holds this token; None when nobody does, or their chat was disconnected."""
    session = VisitorSession.objects.filter(token_hash=hash_token(token)).first()
    if session is None:
        return None
    route = InboxRoute.objects.filter(inbox_id=session.inbox_id, kind=KIND, is_connected=True).first()
    if route is None or route.organisation_id != session.organisation_id:
        return None
    if session.last_seen_at < now - _SEEN_AGAIN:
        VisitorSession.objects.filter(token_hash=session.token_hash).update(last_seen_at=now)
    return Visit(_widget(route), session.visitor, session.is_proven)


def forget_idle_visitors(*, now: datetime) -> int:
    """End the sessions of browsers that did not come back for a quarter of a year. Their conversations stay."""
    return VisitorSession.objects.filter(last_seen_at__lt=now - _IDLE).delete()[0]


def _proven_user(widget: Widget, identity: Identity | None, now: datetime) -> str:
    if identity is None or not is_proven(
        identity.user_id, identity.expires, identity.signature, secret=widget.identity_secret, now=now
    ):
        return ""
    return str(identity.user_id)


def _widget(route: InboxRoute) -> Widget:
    credentials: Credentials = open_route(route)[1].credentials
    return Widget(
        organisation_id=route.organisation_id,
        inbox_id=route.inbox_id,
        lane=route.lane,
        site_name=credentials.site_name,
        welcome=credentials.welcome,
        accent=credentials.accent,
        asks_email=credentials.asks_email,
        origins=origins_in(credentials.origins),
        identity_secret=credentials.identity_secret,
    )
