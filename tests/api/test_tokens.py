"""Tokens: shown once, kept as a hash, never stronger than who made them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from api_callers import Caller, caller_of, integration_of, token_of
from django.db import connection

from desk_builder import Desk
from klankbord.desk.errors import Invalid, NotAllowed, NotFound
from klankbord.desk.integrations.models import ApiToken, TokenRoute
from klankbord.desk.organisations.models import AuditLine, Membership, Role
from klankbord.flows import tokens

pytestmark = pytest.mark.django_db


def test_a_token_says_who_it_is(desk: Desk, boss: Membership, api: Caller) -> None:
    answer = api.get("/me")
    assert answer.status_code == 200
    assert answer.json()["name"] == "Baas"
    assert answer.json()["is_integration"] is False


def test_the_token_itself_is_kept_nowhere(desk: Desk, boss: Membership) -> None:
    token = token_of(desk, boss)
    with desk.open(), connection.cursor() as cursor:
        for table in ("integrations_apitoken", "integrations_tokenroute", "organisations_auditline"):
            cursor.execute(f"SELECT count(*) FROM {table} t WHERE t::text LIKE %s", [f"%{token[6:]}%"])
            assert cursor.fetchone() == (0,)
        assert ApiToken.objects.get().ending == token[-4:]


def test_making_and_revoking_stand_in_the_audit(desk: Desk, boss: Membership) -> None:
    token_of(desk, boss)
    with desk.open():
        made = ApiToken.objects.get()
        tokens.revoke(token=made.id, by=boss, now=desk.now)
        assert [line.deed for line in AuditLine.objects.order_by("id")][-2:] == ["token made", "token revoked"]


def test_a_revoked_token_opens_nothing(desk: Desk, boss: Membership, api: Caller) -> None:
    with desk.open():
        tokens.revoke(token=ApiToken.objects.get().id, by=boss, now=desk.now)
    assert api.get("/me").status_code == 401


def test_an_expired_token_opens_nothing(desk: Desk, boss: Membership) -> None:
    caller = Caller(token_of(desk, boss, expires_at=desk.now + timedelta(days=1)))
    TokenRoute.objects.update(expires_at=datetime.now(UTC) - timedelta(seconds=1))
    assert caller.get("/me").status_code == 401


def test_when_it_was_last_used_is_noted(desk: Desk, boss: Membership, api: Caller) -> None:
    api.get("/me")
    with desk.open():
        [(_, used)] = tokens.tokens_for(boss)
    assert used is not None


def test_the_token_of_somebody_who_left_opens_nothing(desk: Desk) -> None:
    noor = desk.person("Noor")
    caller = caller_of(desk, noor)
    Membership.objects.filter(id=noor.id).update(is_active=False)
    assert caller.get("/me").status_code == 401


def test_a_token_follows_the_role_of_its_person(desk: Desk) -> None:
    noor = desk.person("Noor", Role.LEAD)
    caller = caller_of(desk, noor)
    assert caller.get("/ledger").status_code == 200
    Membership.objects.filter(id=noor.id).update(role=Role.AGENT)
    assert caller.get("/ledger").status_code == 403


def test_an_agent_makes_tokens_for_themselves_and_for_no_integration(desk: Desk, boss: Membership) -> None:
    noor = desk.person("Noor")
    with desk.open():
        place = tokens.make_integration(name="Winkel", role="lead", by=boss, now=desk.now)
        tokens.make_token(name="Mijn", scopes=["labels:read"], by=noor, now=desk.now)
        with pytest.raises(NotAllowed):
            tokens.make_token(name="x", scopes=["labels:read"], by=noor, now=desk.now, integration=place.id)
        with pytest.raises(NotAllowed):
            tokens.make_integration(name="Sterk", role="lead", by=noor, now=desk.now)
        tokens.make_token(name="Winkel", scopes=["labels:read"], by=boss, now=desk.now, integration=place.id)
        assert [each.name for each, _ in tokens.tokens_for(noor)] == ["Mijn"]
        assert len(tokens.tokens_for(boss)) == 2
        with pytest.raises(NotFound):
            tokens.revoke(token=ApiToken.objects.get(name="Winkel").id, by=noor, now=desk.now)


@pytest.mark.parametrize("wrong", [{"name": " "}, {"scopes": ["people:write", "everything"]}, {"is_past": True}])
def test_a_token_without_name_scope_or_future_is_refused(
    desk: Desk, boss: Membership, wrong: dict[str, object]
) -> None:
    past = desk.now if wrong.pop("is_past", None) else None
    with desk.open(), pytest.raises(Invalid):
        tokens.make_token(**{"name": "x", "scopes": ["labels:read"], **wrong}, by=boss, now=desk.now, expires_at=past)


def test_an_integration_has_a_role_and_is_nobodys_colleague(desk: Desk, boss: Membership) -> None:
    member, caller = integration_of(desk, role="analyst")
    answer = caller.get("/me").json()
    assert (answer["role"], answer["is_integration"]) == ("analyst", True)
    assert str(member) not in [each["id"] for each in caller.get("/people").json()["items"]]


def test_an_integration_cannot_be_an_administrator(desk: Desk, boss: Membership) -> None:
    with desk.open(), pytest.raises(Invalid):
        tokens.make_integration(name="Sterk", role="administrator", by=boss, now=desk.now)


def test_the_tokens_of_an_integration_that_ended_open_nothing(desk: Desk, boss: Membership) -> None:
    _, caller = integration_of(desk)
    with desk.open():
        [place] = tokens.integrations(boss)
        tokens.end_integration(integration=place.id, by=boss, now=desk.now)
        assert tokens.integrations(boss) == []
    assert caller.get("/me").status_code == 401


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer kb_wrong", "Basic eDp5", "Bearer " + "kb_" + "x" * 5000])
def test_who_shows_no_token_gets_a_401_that_says_how(desk: Desk, header: str) -> None:
    answer = Caller("").get("/me", headers={"authorization": header})
    assert answer.status_code == 401
    assert answer["www-authenticate"] == "Bearer"
    assert answer["content-type"] == "application/problem+json"


def test_a_session_is_no_token(desk: Desk, boss: Membership) -> None:
    caller = Caller("")
    caller.client.force_login(boss.user)
    assert caller.get("/me").status_code == 401
