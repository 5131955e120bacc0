"""Connecting inboxes: from a form's values to an account that receives and sends, and its life after that.

A new inbox imports its history silently: nothing is sent for it and no clock starts.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime
from html import escape
from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils.translation import gettext as _

from klankbord import channels
from klankbord.contract import Account, Channel, ChannelError, Health, HealthState, Transport, secret_names
from klankbord.desk import access
from klankbord.desk.errors import Invalid
from klankbord.desk.inboxes.models import Inbox, InboxMember, InboxRoute, InboxState, Poll, SendGate
from klankbord.desk.organisations.models import AuditLine, Membership, Organisation
from klankbord.desk.rows import run
from klankbord.desk.wall import current_organisation_id
from klankbord.kernel.ids import random_token, uuid7
from klankbord.kernel.text import one_line

from . import alarms, governor, sendgate
from .accounts import credentials_of, hash_token, hook_url, open_account, reply_key_of, seal, unseal
from .doorway import ROUTES_CHANGED
from .platform_words import said
from .wiring import wires

_CHANGEABLE = frozenset(
    {"reopen_days", "acknowledges", "acknowledgement", "signature", "signs_with_initials", "is_open_to_all"}
)


@dataclass(frozen=True, slots=True)
class Field:
    """One line of a channel's form. value: as stored, never a secret's. kind and choices: see `contract.ask`."""

    name: str
    label: str
    help: str
    is_secret: bool
    is_required: bool
    kind: str
    value: str = ""
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ChannelCard:
    kind: str
    label: str
    readme: str  # Markdown
    logo_svg: str
    fields: tuple[Field, ...]
    is_public: bool
    is_private: bool
    has_webhook: bool
    has_door: bool  # visitors come in through our own door, by a script on the organisation's site


def catalogue(*, language: str) -> list[ChannelCard]:
    """Every channel that can be connected, by label."""
    return sorted((card(kind, language=language) for kind in channels.kinds()), key=lambda each: each.label)


def card(kind: str, *, language: str, inbox: Inbox | None = None) -> ChannelCard:
    channel = channels.channel(kind)
    visibilities = {str(each) for each in channel.capabilities.visibilities}
    return ChannelCard(
        kind=kind,
        label=channel.label,
        readme=channels.readme(kind, language),
        logo_svg=channels.logo(kind),
        fields=tuple(_form(channel, unseal(inbox.credentials)["credentials"] if inbox else {})),
        is_public="public" in visibilities,
        is_private="private" in visibilities,
        has_webhook=Transport.WEBHOOK in channel.capabilities.transports,
        has_door=Transport.DOOR in channel.capabilities.transports,
    )


def connect(*, kind: str, name: str, values: Mapping[str, str], by: Membership, now: datetime) -> Inbox:
    """Try the credentials and, when they work, start receiving. Raises Invalid with the platform's own reason."""
    access.require(by, "manage inboxes")
    name = one_line(name, limit=100)
    if not name:
        raise Invalid(_("Give the inbox a name."))
    if Inbox.objects.filter(name=name).exists():
        raise Invalid(_("There is already an inbox called %(name)s.") % {"name": name})
    return make_inbox(kind=kind, name=name, credentials=_checked(kind, values, {}), by=by, now=now)


def make_inbox(
    *,
    kind: str,
    name: str,
    credentials: dict[str, Any],
    by: Membership | None,
    now: datetime,
    hook_token: str | None = None,
    imports_history: bool = True,
) -> Inbox:
    """`connect` without a person: for the demo, `replay` and tests."""
    channel = channels.channel(kind)
    organisation = Organisation.objects.get(id=current_organisation_id())
    inbox_id = uuid7()
    token, secret = hook_token or random_token(), random_token()
    account: Account[Any] = Account(
        inbox=str(inbox_id),
        credentials=credentials_of(channel, credentials),
        reply_key=reply_key_of(organisation),
        hook_url=hook_url(token),
        hook_secret=secret,
        name=name,
    )
    facts = _connect_account(channel, account)
    inbox: Inbox = Inbox.objects.create(
        id=inbox_id,
        kind=kind,
        name=name,
        address=one_line(str(facts.get("address", "")), limit=250),
        credentials=seal(credentials, hook_token=token, hook_secret=secret),
        facts=facts,
        lane=inbox_id.int % settings.ENVIRONMENT.lanes,
        created_at=now,
        state_since=now,
        health=_as_json(Health(HealthState.WELL), now),
    )
    _write_route(inbox, token=token)
    Poll.objects.create(
        organisation_id=current_organisation_id(), inbox_id=inbox.id, kind=kind, due_at=now,
        history_cursor={} if imports_history else None,
    )  # fmt: skip
    SendGate.objects.create(organisation_id=current_organisation_id(), inbox_id=inbox.id, refilled_at=now)
    _audit("inbox connected", inbox, by, now)
    return inbox


def reconnect(*, inbox: UUID, values: Mapping[str, str], by: Membership, now: datetime) -> Inbox:
    """New credentials, same inbox: no history and no waiting reply is lost. Empty secrets stay as they are."""
    access.require(by, "manage inboxes")
    found = access.inbox_for(by, inbox)
    opened = unseal(found.credentials)
    credentials = _checked(found.kind, values, opened["credentials"])
    channel = channels.channel(found.kind)
    account = replace(
        open_account(found, Organisation.objects.get(id=by.organisation_id)).account,
        credentials=credentials_of(channel, credentials),
    )
    found.facts = _connect_account(channel, account)
    found.credentials = seal(credentials, hook_token=opened["hook_token"], hook_secret=opened["hook_secret"])
    found.state, found.state_reason, found.state_since = InboxState.CONNECTED, "", now
    found.save(update_fields=["facts", "credentials", "state", "state_reason", "state_since"])
    _write_route(found, token=opened["hook_token"])
    _start_again(found, now)
    alarms.silence(found.id, now=now)
    _audit("inbox reconnected", found, by, now)
    return found


def change_settings(*, inbox: UUID, by: Membership, now: datetime, name: str = "", **changes: Any) -> Inbox:
    """Change an inbox's own settings: name and those of _CHANGEABLE."""
    access.require(by, "manage inboxes")
    found = access.inbox_for(by, inbox)
    for key in _CHANGEABLE & changes.keys():
        setattr(found, key, changes[key])
    if name and name != found.name:
        if Inbox.objects.filter(name=one_line(name, limit=100)).exists():
            raise Invalid(_("There is already an inbox called %(name)s.") % {"name": name})
        found.name = one_line(name, limit=100)
    found.save(update_fields=["name", *sorted(_CHANGEABLE)])
    _audit("inbox changed", found, by, now)
    return found


def set_members(*, inbox: UUID, members: list[UUID], by: Membership, now: datetime) -> None:
    """Who may see an inbox that is not open to all."""
    access.require(by, "manage people")
    found = access.inbox_for(by, inbox)
    ours = Membership.objects.filter(organisation_id=by.organisation_id, id__in=members)
    InboxMember.objects.filter(inbox_id=found.id).exclude(member__in=ours).delete()
    for member in ours:
        InboxMember.objects.get_or_create(inbox_id=found.id, member=member)
    _audit("inbox members changed", found, by, now)


def pause(*, inbox: UUID, reason: str, by: Membership, now: datetime) -> Inbox:
    """Keep receiving, send nothing: replies wait in order."""
    access.require(by, "manage inboxes")
    found = access.inbox_for(by, inbox)
    if found.state not in (InboxState.CONNECTED, InboxState.PAUSED):
        raise Invalid(_("%(name)s sends nothing already.") % {"name": found.name})
    sendgate.pause(found, reason=reason, now=now)
    _audit("inbox paused", found, by, now)
    return found


def resume(*, inbox: UUID, by: Membership, now: datetime) -> Inbox:
    """Send again, and receive. What was more than paused is verified first: raises Invalid with the platform's answer.

    A paused inbox is not asked for: when its platform is away, replies are tried again as in every other.
    """
    access.require(by, "manage inboxes")
    found = access.inbox_for(by, inbox)
    if found.state != InboxState.PAUSED:
        _verify(found, by)
    found.state, found.state_reason, found.state_since = InboxState.CONNECTED, "", now
    found.save(update_fields=["state", "state_reason", "state_since"])
    governor.confirm(found.id, now=now)
    _start_again(found, now)
    alarms.silence(found.id, now=now)
    _audit("inbox resumed", found, by, now)
    return found


def disconnect(*, inbox: UUID, by: Membership, now: datetime) -> Inbox:
    """Receive and send nothing any more; what is there stays."""
    access.require(by, "manage inboxes")
    found = access.inbox_for(by, inbox)
    found.state, found.state_since = InboxState.DISCONNECTED, now
    found.save(update_fields=["state", "state_since"])
    InboxRoute.objects.filter(inbox_id=found.id).update(is_connected=False)
    sendgate.shut(found.id)
    alarms.forget(found.id)
    _forget_routes()
    _audit("inbox disconnected", found, by, now)
    return found


def check(*, inbox: UUID, by: Membership, now: datetime) -> Inbox:
    """Ask the platform how this account is."""
    access.require(by, "manage inboxes")
    found = access.inbox_for(by, inbox)
    connected = open_account(found, Organisation.objects.get(id=by.organisation_id))
    try:
        health = connected.channel.health(connected.account, wires())
    except ChannelError as error:
        health = Health(HealthState.BROKEN)
        found.health = {**_as_json(health, now), "sentence": error.sentence}
    else:
        found.health = _as_json(health, now)
    found.save(update_fields=["health"])
    return found


def address_of_hook(*, inbox: UUID, by: Membership) -> str:
    """The address to give to the platform (for the chat widget: its public key is the last part)."""
    access.require(by, "manage inboxes")
    return hook_url(unseal(access.inbox_for(by, inbox).credentials)["hook_token"])


def script_of_door(*, inbox: UUID, by: Membership) -> str:
    """The line to put in the pages of a site, so that its visitors find our own door there."""
    key = address_of_hook(inbox=inbox, by=by).rpartition("/")[2]
    door = f"{settings.PUBLIC_URL}/widget/v1"
    without = f'<noscript><a href="{door}/form?key={key}">{escape(_("Ask us"))}</a></noscript>'
    return f'<script src="{door}/widget.js" data-klankbord="{key}" async></script>{without}'


def _form(channel: Channel, stored: Mapping[str, Any]) -> list[Field]:
    secrets = secret_names(channel.Credentials)
    return [
        Field(
            name=each.name,
            label=each.metadata["label"],
            help=each.metadata["help"],
            is_secret=each.name in secrets,
            is_required=each.metadata["is_required"],
            kind=each.metadata["kind"],
            value="" if each.name in secrets else str(stored.get(each.name, _default(each))),
            choices=each.metadata["choices"],
        )
        for each in fields(channel.Credentials)
        if "label" in each.metadata
    ]


def _default(field: Any) -> Any:
    return field.default if isinstance(field.default, str | int | bool) else ""


def _checked(kind: str, values: Mapping[str, str], stored: Mapping[str, Any]) -> dict[str, Any]:
    """Form values as credentials. A secret that is left empty keeps its stored value. Raises Invalid."""
    checked: dict[str, Any] = {}
    channel = channels.channel(kind)
    for each in _form(channel, stored):
        value: Any = values.get(each.name, "").strip()
        if not value and each.is_secret:
            value = stored.get(each.name, "")
        if each.choices and value not in each.choices:
            value = ""  # what the form did not offer was not chosen
        if not value and each.is_required and each.kind != "tick":
            raise Invalid(_("%(field)s is still empty.") % {"field": _(each.label)})
        if each.kind == "number" and value:
            if not str(value).isdigit():
                raise Invalid(_("%(field)s must be a number.") % {"field": _(each.label)})
            value = int(value)
        if each.kind == "tick":
            value = value in ("on", "true", "True", "1")
        if value != "":
            checked[each.name] = value
    return checked


def _verify(inbox: Inbox, by: Membership) -> None:
    """Ask the platform whether it lets us in with what we have; raises Invalid when it does not."""
    connected = open_account(inbox, Organisation.objects.get(id=by.organisation_id))
    try:
        inbox.facts = _connect_account(connected.channel, connected.account)
    except Invalid as refusal:
        raise Invalid(
            _("%(name)s cannot go on. We asked the platform, and this is the answer: %(answer)s")
            % {"name": inbox.name, "answer": refusal.sentence}
        ) from refusal
    inbox.save(update_fields=["facts"])
    _write_route(inbox, token=unseal(inbox.credentials)["hook_token"])


def _connect_account(channel: Channel, account: Account[Any]) -> dict[str, Any]:
    try:
        return dict(channel.connect(account, wires()))
    except ChannelError as error:
        raise Invalid(said(error.sentence)) from error


def _write_route(inbox: Inbox, *, token: str) -> None:
    opened = unseal(inbox.credentials)
    sealed = settings.VAULT.seal(json.dumps({**opened, "facts": inbox.facts}))
    InboxRoute.objects.update_or_create(
        inbox_id=inbox.id,
        defaults={
            "token_hash": hash_token(token), "organisation_id": current_organisation_id(), "kind": inbox.kind,
            "lane": inbox.lane, "is_connected": True, "account": bytes(sealed),
        },
    )  # fmt: skip
    _forget_routes()


def _forget_routes() -> None:
    run("SELECT pg_notify(%s, '')", [ROUTES_CHANGED])


def _start_again(inbox: Inbox, now: datetime) -> None:
    InboxRoute.objects.filter(inbox_id=inbox.id).update(is_connected=True)
    Poll.objects.filter(inbox_id=inbox.id).update(due_at=now, failures=0, lease_until=None)
    sendgate.open_again(inbox.id)
    _forget_routes()


def _as_json(health: Health, now: datetime) -> dict[str, Any]:
    return {
        "state": str(health.state),
        "at": now.isoformat(),
        "expires_at": health.expires_at and health.expires_at.isoformat(),
        "checks": [{"name": each.name, "is_well": each.is_well, "sentence": each.sentence} for each in health.checks],
    }


def _audit(deed: str, inbox: Inbox, by: Membership | None, now: datetime) -> None:
    AuditLine.objects.create(at=now, by=by, deed=deed, subject="inbox", subject_id=inbox.id, facts={"name": inbox.name})
