"""Settings of the API and of webhooks: a token or secret is seen once, and only by who may."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from desk_builder import Desk
from klankbord.desk.integrations.models import ApiToken, Webhook, WebhookCall
from klankbord.desk.organisations.models import Membership, Role

from .pages import text_of

pytestmark = pytest.mark.django_db


def client_of(desk: Desk, member: Membership) -> Client:
    type(member.organisation).objects.filter(id=member.organisation_id).update(is_demo=True)  # no second factor
    Membership.objects.filter(id=member.id).update()
    member.user.language = "en"
    member.user.save(update_fields=["language"])
    client = Client()
    client.force_login(member.user)
    return client


@pytest.fixture
def boss(desk: Desk) -> Client:
    return client_of(desk, desk.person("Baas", Role.ADMINISTRATOR))


def test_a_token_is_shown_once_and_works(desk: Desk, boss: Client) -> None:
    made = boss.post("/settings/api", {"name": "Shop", "scopes": ["labels:read"], "days": "30"})
    assert made.status_code == 201
    [token] = set(re.findall(r"kb_[\w-]{43}", made.content.decode()))
    answer = Client().get("/api/v1/labels", headers={"authorization": f"Bearer {token}"})
    assert answer.status_code == 200
    later = boss.get("/settings/api")
    assert token not in later.content.decode()
    assert f"…{token[-4:]}" in text_of(later)
    assert "last used" in text_of(later)


def test_a_token_without_a_scope_is_refused_with_a_sentence(desk: Desk, boss: Client) -> None:
    answer = boss.post("/settings/api", {"name": "Shop"})
    assert answer.status_code == 422
    assert "Choose what it may do." in text_of(answer)


def test_a_token_is_revoked(desk: Desk, boss: Client) -> None:
    boss.post("/settings/api", {"name": "Shop", "scopes": ["labels:read"]})
    with desk.open():
        token = ApiToken.objects.get()
    boss.post(f"/settings/api/tokens/{token.id}/revoke")
    assert "No tokens yet" in text_of(boss.get("/settings/api"))


def test_an_integration_gets_a_token_of_its_own_and_ends(desk: Desk, boss: Client) -> None:
    boss.post("/settings/api/integrations", {"name": "Webwinkel", "role": "agent"})
    page = boss.get("/settings/api").content.decode()
    [key] = re.findall(r'<option value="([0-9a-f-]{36})">Webwinkel', page)
    made = boss.post("/settings/api", {"name": "Shop", "scopes": ["labels:read"], "integration": key})
    assert made.status_code == 201
    boss.post(f"/settings/api/integrations/{key}/end")
    assert "Webwinkel" not in text_of(boss.get("/settings/api"))


def test_an_agent_makes_tokens_of_their_own_and_sees_no_integrations(desk: Desk, boss: Client) -> None:
    boss.post("/settings/api", {"name": "Geheim", "scopes": ["labels:read"]})
    noor = client_of(desk, desk.person("Noor"))
    assert noor.post("/settings/api", {"name": "Mine", "scopes": ["labels:read"]}).status_code == 201
    page = text_of(noor.get("/settings/api"))
    assert "Mine" in page
    assert "Geheim" not in page
    assert "Integrations" not in page
    assert noor.get("/settings/webhooks").status_code == 403
    assert noor.post("/settings/api/integrations", {"name": "x", "role": "agent"}).status_code == 403


def test_a_webhook_is_made_tested_paused_and_removed(desk: Desk, boss: Client) -> None:
    made = boss.post(
        "/settings/webhooks", {"name": "Shop", "url": "https://shop.example/x", "events": ["message.received"]}
    )
    assert made.status_code == 201
    assert "whsec_" in made.content.decode()
    with desk.open():
        webhook = Webhook.objects.get()
    address = f"/settings/webhooks/{webhook.id}"
    assert "whsec_" not in boss.get(address).content.decode()
    boss.post(f"{address}/do/test")
    assert "test.ping" in text_of(boss.get(address))
    assert "whsec_" in boss.post(f"{address}/do/secret").content.decode()
    boss.post(f"{address}/do/pause")
    assert "Paused" in text_of(boss.get(address))
    assert boss.post(f"{address}/do/test").status_code == 422
    boss.post(f"{address}/do/resume")
    assert "1 call is on its way." not in text_of(boss.post(f"{address}/do/again-failed", follow=True))
    with desk.open():
        WebhookCall.objects.update(state="given up")
    assert "1 call is on its way." in text_of(boss.post(f"{address}/do/again-failed", follow=True))
    boss.post(f"{address}/do/remove")
    assert "Nobody is told anything yet" in text_of(boss.get("/settings/webhooks"))


@pytest.mark.parametrize("wrong", [{"url": "javascript:alert(1)"}, {"name": ""}, {"events": []}])
def test_a_webhook_that_cannot_be_is_refused_and_what_was_typed_stays(
    desk: Desk, boss: Client, wrong: dict[str, object]
) -> None:
    typed = {"name": "Shop", "url": "https://shop.example/x", "events": ["message.received"], **wrong}
    answer = boss.post("/settings/webhooks", typed)
    assert answer.status_code == 422
    assert 'role="alert"' in answer.content.decode()
    assert str(typed["url"]) in answer.content.decode()
