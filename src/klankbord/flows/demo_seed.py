"""The demo's organisation: its people, teams and inboxes, and a past of forty finished conversations.

What the simulated platforms say of themselves comes in as plain words; nothing here knows how they work. The past goes
through the real intake, as history: deliveries are put into the door's own table and a worker takes them in.
"""

from __future__ import annotations

import html
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from importlib import resources
from random import Random
from typing import Any

from klankbord import channels, contract
from klankbord.desk.conversations.models import Conversation, Label, Message, Status
from klankbord.desk.errors import DeskError
from klankbord.desk.inboxes.deliveries import put
from klankbord.desk.inboxes.models import Inbox, InboxState
from klankbord.desk.organisations.models import Membership, Organisation, Role, Team, TeamMember
from klankbord.desk.wall import organisation

from . import casework
from .accounts import unseal
from .connect import make_inbox, reconnect
from .founding import add_person, found_organisation

NAME, SLUG = "Wolk & Zonen", "wolk-zonen"
ACCOUNT = "mirjam@wolkenzonen.example"
_PEOPLE = (
    ("Mirjam de Wit", ACCOUNT, Role.ADMINISTRATOR),
    ("Joost Hendriks", "joost@wolkenzonen.example", Role.LEAD),
    ("Noor Bakker", "noor@wolkenzonen.example", Role.AGENT),
    ("Daan Visser", "daan@wolkenzonen.example", Role.AGENT),
    ("Imane el Idrissi", "imane@wolkenzonen.example", Role.AGENT),
)
_TEAMS = {"Bezorging": ("Daan", "Noor"), "Facturen": ("Imane",), "Advies": ("Noor", "Imane", "Joost")}
_LABELS = ("vertraging", "schade", "retour", "terugbetaling", "factuur", "garantie", "product", "compliment", "klacht")
_INBOXES = {
    "mastodon": "Mastodon",
    "telegram": "Telegram",
    "email": "Klantenservice",
    "api": "Webwinkel",
    "webchat": "Chat op de site",
}
_PAST_DAYS = 9
_OPENING, _CLOSING = 8, 18  # hours, UTC: near enough to a Dutch working day


@dataclass(slots=True)
class Demo:
    """widget_key: for the shop's page. hook_token: of the address where the simulated partner posts.

    troubles: sentences on inboxes that could not be connected.
    """

    organisation: Organisation
    widget_key: str = ""
    hook_token: str = ""
    troubles: list[str] = field(default_factory=list)


def set_up(*, addresses: Mapping[str, Mapping[str, Any]], shop_url: str, password: str, now: datetime) -> Demo:
    """The organisation, found or made, with its inboxes connected to where the platforms are now.

    addresses: kind → server, token and so on, as the platforms name them.
    """
    ours = Organisation.objects.filter(slug=SLUG).first()
    if ours is None:
        ours = found_organisation(name=NAME, slug=SLUG, now=now, is_demo=True)
    members = {name.split()[0]: _add(ours, name, email, password, role) for name, email, role in _PEOPLE}
    demo = Demo(ours)
    with organisation(ours.id):
        for name, people in _TEAMS.items():
            team, _ = Team.objects.get_or_create(name=name)
            for person in people:
                TeamMember.objects.get_or_create(team=team, member=members[person])
        for place, name in enumerate(_LABELS):
            Label.objects.get_or_create(name=name, defaults={"colour": place % 7 + 1})
    for kind, credentials in _credentials(addresses, shop_url).items():
        try:
            with organisation(ours.id):
                inbox = _connected(kind, credentials, by=members["Mirjam"], now=now)
        except (DeskError, channels.UnknownChannel) as error:
            demo.troubles.append(f"{_INBOXES[kind]}: {error}")
            continue
        token = unseal(inbox.credentials)["hook_token"]
        if kind == "webchat":
            demo.widget_key = token
        elif kind == "api":
            demo.hook_token = token
    return demo


def _add(ours: Organisation, name: str, email: str, password: str, role: Role) -> Membership:
    member = add_person(organisation=ours, email=email, name=name, password=password, role=role)
    if not member.user.check_password(password):  # the folder's notes were lost, and with them the former one
        member.user.set_password(password)
        member.user.save(update_fields=["password"])
    return member


def _credentials(addresses: Mapping[str, Mapping[str, Any]], shop_url: str) -> dict[str, dict[str, Any]]:
    """What an administrator would fill in, per channel."""
    wanted: dict[str, dict[str, Any]] = {}
    if found := addresses.get("mastodon"):
        wanted["mastodon"] = {"server": found["server"], "access_token": found["token"]}
    if found := addresses.get("telegram"):
        wanted["telegram"] = {"token": found["token"], "is_polling": True, "server": found["server"]}
    if found := addresses.get("api"):
        wanted["api"] = {"secret": found["secret"], "reply_url": found["replies"]}
    if found := addresses.get("email"):
        wanted["email"] = {
            "address": found["address"],
            "display_name": NAME,
            "imap_host": found["host"],
            "imap_port": found["imap_port"],
            "imap_security": "none",
            "imap_user": found["username"],
            "imap_password": found["password"],
            "smtp_host": found["host"],
            "smtp_port": found["smtp_port"],
            "smtp_security": "none",
            "folder": "INBOX",
        }
    wanted["webchat"] = {
        "site_name": NAME,
        "origins": "\n".join((shop_url, shop_url.replace("localhost", "127.0.0.1"))),
        "welcome": "Hoi! Waar kunnen we je mee helpen?",
    }
    return wanted


def _connected(kind: str, credentials: dict[str, Any], *, by: Membership, now: datetime) -> Inbox:
    """The inbox of this kind, connected anew when its platform moved."""
    inbox = Inbox.objects.filter(kind=kind, name=_INBOXES[kind]).first()
    if inbox is None:
        return make_inbox(
            kind=kind, name=_INBOXES[kind], credentials=credentials, by=by, now=now, imports_history=False
        )
    kept = unseal(inbox.credentials)["credentials"]
    if inbox.state == InboxState.BROKEN or any(kept.get(name) != value for name, value in credentials.items()):
        values = {name: "on" if value is True else str(value) for name, value in credentials.items()}
        return reconnect(inbox=inbox.id, values=values, by=by, now=now)
    return inbox


# ------------------------------------------------------------------------------------------ the past


@dataclass(frozen=True, slots=True)
class Past:
    """One finished conversation. lines: customer and shop by turns; moments: of each line."""

    number: int
    who: str
    where: str  # "mastodon" or "form"
    by: str
    team: str
    label: str
    title: str
    lines: tuple[str, ...]
    moments: tuple[datetime, ...]

    def line_id(self, place: int) -> str:
        """The line's id on its platform: lower than any that the simulated server gives."""
        return f"1000000{self.number:04d}{place:02d}" if self.where == "mastodon" else f"past-{self.number}-{place}"


def past(*, now: datetime) -> list[Past]:
    """Forty conversations of the days before a moment, in office hours. Times come from a fixed seed."""
    told = json.loads(resources.files(__package__).joinpath("demo_history.json").read_text(encoding="utf-8"))
    draw = Random(7)  # noqa: S311
    found = []
    for number, each in enumerate(told, start=1):
        day = (now - timedelta(days=1 + (number * 13) % _PAST_DAYS)).replace(hour=0, minute=0, second=0, microsecond=0)
        moment = day + timedelta(minutes=draw.uniform(_OPENING * 60, _CLOSING * 60))
        moments = []
        for _ in each["lines"]:
            moments.append(moment)
            moment += timedelta(minutes=min(draw.lognormvariate(2.8, 0.9), 180))
        lines = {"lines": tuple(each["lines"]), "moments": tuple(moments)}
        found.append(Past(number=number, **{**each, **lines}))
    return found


def tell_past(demo: Demo, *, now: datetime) -> int:
    """Put the past at the door. Gives how many messages it holds."""
    with organisation(demo.organisation.id):
        inboxes = {inbox.kind: inbox for inbox in Inbox.objects.filter(name__in=_INBOXES.values())}
        rows = []
        for each in past(now=now):
            kind = "mastodon" if each.where == "mastodon" and "mastodon" in inboxes else "api"
            inbox = inboxes.get(kind)
            if inbox is None:
                continue
            bodies = _statuses(each, inbox) if kind == "mastodon" else [_events(each)]
            for body in bodies:
                delivery = contract.Delivery(json.dumps(body).encode(), now, is_history=True)
                rows.append((inbox.id, inbox.lane, delivery))
        put(rows)
    return sum(len(each.lines) for each in past(now=now))


def is_past_told(demo: Demo, *, now: datetime) -> bool:
    """Whether all of it stands in the desk."""
    ids = [each.line_id(place) for each in past(now=now) for place in range(len(each.lines))]
    with organisation(demo.organisation.id):
        return bool(Message.objects.filter(external_id__in=ids).count() == len(ids))


def close_past(demo: Demo, *, now: datetime) -> int:
    """Give each past conversation its team, owner and label, and resolve it a little after its last line."""
    members = {each.name.split()[0]: each for each in Membership.objects.filter(organisation=demo.organisation)}
    closed = 0
    with organisation(demo.organisation.id):
        teams = {team.name: team.id for team in Team.objects.all()}
        for each in past(now=now):
            first = Message.objects.filter(external_id=each.line_id(0), is_history=True).first()
            case = first and Conversation.objects.filter(id=first.conversation_id, status=Status.PENDING).first()
            if not case:
                continue
            by, end = members[each.by], each.moments[-1] + timedelta(minutes=3)
            casework.assign(conversation=case.id, owner=by.id, team=teams[each.team], by=by, now=end)
            casework.add_label(conversation=case.id, name=each.label, by=by, now=end)
            casework.resolve(conversation=case.id, by=by, now=end)
            closed += 1
    return closed


def _events(each: Past) -> list[dict[str, Any]]:
    """A conversation of the shop's contact form, in the words of the api channel."""
    person = {"id": f"past-{each.number}", "name": each.who, "email": _address(each.who)}
    return [
        {
            "type": "message",
            "id": each.line_id(place),
            "at": each.moments[place].isoformat(),
            "place": {"id": f"past-{each.number}", "title": each.title},
            "person": person,
            "text": line,
            **({"is_own": True, "author": each.by} if place % 2 else {}),
        }
        for place, line in enumerate(each.lines)
    ]


def _statuses(each: Past, inbox: Inbox) -> list[dict[str, Any]]:
    """A public conversation, as the Mastodon channel stores what it fetched."""
    us = {"id": str(inbox.facts.get("account_id", "")), "acct": "wolkenzonen", "display_name": NAME}
    name = _address(each.who).partition("@")[0].replace(".", "_")
    them = {"id": f"1000000{each.number:04d}", "acct": f"{name}@klets.example", "display_name": each.who}
    ids = [each.line_id(place) for place in range(len(each.lines))]
    bodies = []
    for place, line in enumerate(each.lines):
        is_ours = bool(place % 2)
        status = {
            "id": ids[place],
            "created_at": each.moments[place].isoformat(),
            "in_reply_to_id": ids[place - 1] if place else None,
            "in_reply_to_account_id": (them if is_ours else us)["id"] if place else None,
            "visibility": "public",
            "content": f"<p>{html.escape(line)}</p>",
            "account": us if is_ours else them,
            "mentions": [them if is_ours else us],
            "media_attachments": [],
        }
        beside = {"root": ids[0], "thread": ids[:place]}
        if is_ours:
            bodies.append({"status": status, "klankbord": {**beside, "event": "own"}})
        else:
            bodies.append({"id": ids[place], "type": "mention", "status": status, "klankbord": beside})
    return bodies


def _address(who: str) -> str:
    first, *rest = who.lower().replace("-", "").split()
    return f"{first}.{''.join(rest) or 'x'}@post.example"
