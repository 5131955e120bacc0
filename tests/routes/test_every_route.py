"""Every address, every kind of visitor: who may not see something learns nothing about it (attacks A1, A3, A5, C1).

The routes come from the URL table, so that a new one cannot be forgotten: it must be named here or the test fails.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from desk_builder import Desk
from klankbord.desk.contacts.models import Company, Contact, ContactImport
from klankbord.desk.conversations.filters import Filters
from klankbord.desk.conversations.listing import View
from klankbord.desk.conversations.models import Attachment, Conversation, Event, Message
from klankbord.desk.inboxes.models import DeadLetter, Inbox
from klankbord.desk.organisations.models import Membership, Role, Team
from klankbord.flows import bulk, invitations, library, reply, views
from klankbord.kernel.ids import uuid7

pytestmark = pytest.mark.django_db

CANARY = "kanarie-in-de-kolenmijn"
KNOWN = "bekend-bij-iedereen"  # labels, teams and colleagues: what every agent may name
_SLUGS = {"slug": "all", "deed": "resolve", "kind": "api"}
_WITHOUT_OBJECT = {  # pages about oneself or about what one may see; the rest name an object
    "contacts", "contact_imports", "contact_export", "contact_fields", "colleagues", "teams", "label_list",
    "organisation_settings", "set_up", "my_sessions", "end_session",
    "home", "more", "list", "pulse", "narrow", "bulk", "bulk_do", "save_view", "view_counts", "density", "ledger",
    "dead_letters", "inboxes", "catalogue", "connect", "me",
    "choose_organisation", "my_settings", "shift", "hand_over", "take_shift_back", "sign", "be", "notices",
    "notices_read", "here", "audit", "search", "search_hints", "palette", "saved_replies", "new_reply", "save_fact",
    "proposals", "who_needs_approval", "tokens", "add_integration", "webhooks",
}  # fmt: skip
OBJECTS = (
    "person", "team", "label", "invitation", "message", "attachment", "letter", "inbox", "reply", "fact",
    "draft", "saved", "many", "contact", "company", "batch", "token", "integration", "webhook",
    "call",
)  # fmt: skip
_SIGN_IN = {"account_login", "account_inactive"}


@dataclass
class World:
    desk: Desk
    conversation: Conversation
    message: Message
    attachment: Attachment
    letter: DeadLetter
    inbox: Inbox
    saved_reply: UUID
    fact: UUID
    draft: UUID
    saved_view: UUID
    many: UUID

    def address(self, route: URLPattern) -> dict[str, Any]:
        values = {
            "number": self.conversation.number,
            "message": self.message.id,
            "attachment": self.attachment.id,
            "letter": self.letter.id,
            "inbox": self.inbox.id,
            "contact": self.conversation.contact_id,
            "company": company_of(self),
            "batch": import_of(self),
            **people_of(self),
            **systems_of(self),
            "reply": self.saved_reply,
            "fact": self.fact,
            "draft": self.draft,
            "saved": self.saved_view,
            "many": self.many,
            **_SLUGS,
        }
        return {name: values[name] for name in route.pattern.converters}


def routes() -> Iterator[URLPattern]:
    def walk(found: list[Any]) -> Iterator[URLPattern]:
        for each in found:
            if isinstance(each, URLResolver):
                yield from walk(each.url_patterns)
            else:
                yield each

    return walk(get_resolver().url_patterns)


ROUTES = {str(route.name): route for route in routes()}
WEB = {name: route for name, route in ROUTES.items() if not name.startswith(("widget", "account_", "mfa_", "api"))}


@pytest.fixture
def world(desk: Desk) -> World:
    """A conversation in an inbox that is open to its members only, all its words canaries."""
    inbox = desk.inbox("Geheim")
    with desk.open():
        Inbox.objects.filter(id=inbox.id).update(is_open_to_all=False)
    [conversation] = desk.receive(
        inbox, desk.event(text=CANARY, person={"id": "anouk", "name": CANARY}), {"type": "message", "id": ["x"]}
    )
    boss = desk.person("Baas", Role.ADMINISTRATOR)
    with desk.open():
        reply.write_note(conversation=conversation.id, text=CANARY, by=boss, now=desk.now, client_key="n-1")
        message = Message.objects.order_by("at", "id")[0]
        attachment = Attachment.objects.create(
            message=message, conversation=conversation, kind="file", name=CANARY, content_type="text/plain",
            created_at=desk.now,
        )  # fmt: skip
        letter = DeadLetter.objects.get()
        saved = library.save_reply(
            reply=None, name=CANARY, text_nl=CANARY, text_en="", audience="me", by=boss, now=desk.now
        )
        fact = library.save_fact(name="kade", value_nl="Kade 1", value_en="", by=boss)
        kept = views.save_view(name="canarie", view=View("all"), filters=Filters(), team=None, by=boss, now=desk.now)
        many = uuid7()
        wish, seen = bulk.Wish("label", label=KNOWN), {conversation.number: ""}
        bulk.do(wish=wish, deed_id=many, seen=seen, by=boss, now=desk.now)
        draft = reply.save_draft(
            conversation=conversation.id, kind="reply", text=CANARY, thread=None, by=boss, now=desk.now
        )
        assert draft is not None
    return World(desk, conversation, message, attachment, letter, inbox, saved.id, fact.id, draft.id, kept.id, many)


def systems_of(world: World) -> dict[str, UUID]:
    """An integration with a token, and a webhook with a call, all named by the canary. Made once."""
    from klankbord.desk.integrations.models import ApiToken, Webhook, WebhookCall
    from klankbord.flows import tokens, webhooks

    desk = world.desk
    with desk.open():
        if not Webhook.objects.exists():
            boss = Membership.objects.get(organisation=desk.organisation, user__email__startswith="baas@")
            place = tokens.make_integration(name=CANARY, role="agent", by=boss, now=desk.now)
            tokens.make_token(name=CANARY, scopes=["labels:read"], by=boss, now=desk.now, integration=place.id)
            hook, _ = webhooks.add(
                name=CANARY, url="https://x.example/", events=["note.written"], by=boss, now=desk.now
            )
            webhooks.send_test(webhook=hook.id, by=boss, now=desk.now)
        token = ApiToken.objects.get()
        return {
            "token": token.id, "integration": token.integration_id, "webhook": Webhook.objects.get().id,
            "call": WebhookCall.objects.get().id,
        }  # fmt: skip


def people_of(world: World) -> dict[str, UUID]:
    """A colleague, a team and a label, which everybody may see, and an invitation named by the canary."""
    from klankbord.desk.conversations.models import Label

    colleague, boss = world.desk.person("Bekende Collega"), world.desk.person("Baas", Role.ADMINISTRATOR)
    with world.desk.open():
        team, _ = Team.objects.get_or_create(name=KNOWN)
        label, _ = Label.objects.get_or_create(name=KNOWN)
        made = invitations.invite(email=f"{CANARY}@x.example", role="agent", by=boss, now=world.desk.now)
    return {"person": colleague.id, "team": team.id, "label": label.id, "invitation": made.invitation.id}


def import_of(world: World) -> UUID:
    """A file that is read and waits for a person to decide."""
    with world.desk.open():
        found: UUID = ContactImport.objects.create(
            name=CANARY, text=f"name,e-mail\n{CANARY},{CANARY}@wolk.example", rows=1, at=world.desk.now,
            by=Membership.objects.filter(organisation=world.desk.organisation)[0],
        ).id  # fmt: skip
        return found


def company_of(world: World) -> UUID:
    """Where the writer of the canaries works."""
    with world.desk.open():
        company, _ = Company.objects.get_or_create(name=CANARY, key=CANARY, defaults={"created_at": world.desk.now})
        Contact.objects.filter(id=world.conversation.contact_id).update(company=company)
        found: UUID = company.id
        return found


def client_of(member: Membership | None) -> Client:
    client = Client()
    if member is not None:
        type(member.organisation).objects.filter(id=member.organisation_id).update(is_demo=True)  # no second factor
        client.force_login(member.user)
    return client


def url_of(world: World, route: URLPattern) -> str:
    from django.urls import reverse

    return reverse(str(route.name), kwargs=world.address(route))


def body_of(response: Any) -> str:
    return b"".join(response).decode() if response.streaming else response.content.decode()


@pytest.mark.parametrize("name", sorted(WEB))
@pytest.mark.parametrize("method", ["get", "post"])
def test_a1_who_is_not_signed_in_gets_nothing(world: World, name: str, method: str) -> None:
    response = getattr(Client(), method)(url_of(world, WEB[name]))
    assert response.status_code in (302, 401, 403, 404, 405)
    assert CANARY not in body_of(response)


@pytest.mark.parametrize("name", sorted(set(WEB) - _WITHOUT_OBJECT))
@pytest.mark.parametrize("method", ["get", "post"])
def test_a1_an_administrator_of_another_organisation_finds_nothing(world: World, name: str, method: str) -> None:
    stranger = Desk("vreemd").person("Vreemde", Role.ADMINISTRATOR)
    response = getattr(client_of(stranger), method)(url_of(world, WEB[name]))
    assert response.status_code in (404, 405)
    assert CANARY not in body_of(response)


@pytest.mark.parametrize("name", sorted(set(WEB) - _WITHOUT_OBJECT))
@pytest.mark.parametrize("method", ["get", "post"])
def test_a1_an_agent_outside_the_inbox_finds_nothing(world: World, name: str, method: str) -> None:
    outsider = world.desk.person("Buiten")
    response = getattr(client_of(outsider), method)(url_of(world, WEB[name]))
    assert response.status_code in (403, 404, 405)
    assert CANARY not in body_of(response)


@pytest.mark.parametrize("name", sorted(_WITHOUT_OBJECT))
def test_a5_lists_and_counters_of_an_agent_outside_the_inbox_hold_no_trace_of_it(world: World, name: str) -> None:
    outsider = client_of(world.desk.person("Buiten"))
    response = outsider.get(url_of(world, WEB[name]), {"q": "kolenmijn"})
    assert response.status_code in (200, 302, 403, 404, 405)
    assert CANARY not in body_of(response)


@pytest.mark.parametrize("name", sorted(WEB))
def test_u18_asking_never_changes_anything(world: World, name: str) -> None:
    boss = client_of(world.desk.person("Baas", Role.ADMINISTRATOR))
    before = footprint(world)
    response = boss.get(url_of(world, WEB[name]))
    assert response.status_code < 500
    assert footprint(world) == before


@pytest.mark.parametrize("name", sorted(set(WEB) - _WITHOUT_OBJECT))
def test_unknown_objects_are_not_found(world: World, name: str) -> None:
    from django.urls import reverse

    if "number" not in WEB[name].pattern.converters and not any(key in WEB[name].pattern.converters for key in OBJECTS):
        pytest.fail(f"{name} names no object: list it under _WITHOUT_OBJECT")
    unknown = {"number": 999_999, **{key: uuid4() for key in OBJECTS}, **_SLUGS}
    boss = client_of(world.desk.person("Baas", Role.ADMINISTRATOR))
    for method in ("get", "post"):
        kwargs = {key: unknown[key] for key in WEB[name].pattern.converters}
        assert getattr(boss, method)(reverse(name, kwargs=kwargs)).status_code in (404, 405)


def test_an_analyst_reads_and_does_nothing_else(world: World) -> None:
    analyst = client_of(world.desk.person("Ana", Role.ANALYST))
    number = world.conversation.number
    assert CANARY in body_of(analyst.get(f"/conversations/{number}", follow=True))
    before = footprint(world)
    for path in ("reply", "note", "do/resolve", "do/claim", "do/spam"):
        assert analyst.post(f"/conversations/{number}/{path}", {"text": "x", "client_key": "k"}).status_code >= 400
    assert footprint(world) == before


def footprint(world: World) -> tuple[Any, ...]:
    """What would differ if anything had been done."""
    with world.desk.open():
        conversation = Conversation.objects.get(id=world.conversation.id)
        return (
            Event.objects.count(),
            Message.objects.count(),
            conversation.status,
            conversation.owner_id,
            DeadLetter.objects.filter(settled_at=None).count(),
            Inbox.objects.get(id=world.inbox.id).state,
        )
