"""The typed client and the example, against the real server."""

from __future__ import annotations

import json
import runpy
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from api_callers import integration_of
from django.db import transaction

from desk_builder import Desk
from klankbord.desk.integrations.models import TokenRoute
from klankbord.kernel import standardwebhooks
from klankbord_client import Klankbord, ProblemError, webhooks

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def shop(transactional_db: None, desk: Desk, live_server: Any) -> Klankbord:
    inbox = desk.inbox()
    with transaction.atomic():
        for name in ("anouk", "bob", "carla"):
            person = {"id": name, "name": name.title(), "email": f"{name}@x.example"}
            desk.receive(inbox, desk.event(place=name, person=person))
    _, caller = integration_of(desk, name="Webwinkel")
    return Klankbord(live_server.url, token=caller.token, attempts=2, sleep=lambda seconds: None)


def test_the_client_is_what_the_schema_gives() -> None:
    done = subprocess.run([sys.executable, "scripts/make_client.py", "--check"], cwd=ROOT, check=False)
    assert done.returncode == 0, "run: python scripts/make_client.py"


def test_all_pages_come_one_after_the_other(shop: Klankbord) -> None:
    assert [each["number"] for each in shop.all_conversations(limit=1, status="open")] == [3, 2, 1]


def test_a_change_goes_through_and_a_second_of_the_same_version_does_not(shop: Klankbord) -> None:
    shop.get_conversation(1)
    seen = shop.etag
    assert shop.resolve(1, if_match=seen)["status"] == "resolved"
    with pytest.raises(ProblemError) as refusal:
        shop.reopen(1, if_match=seen)
    assert (refusal.value.status, refusal.value.type) == (412, "changed")


def test_what_is_wrong_is_told(shop: Klankbord) -> None:
    with pytest.raises(ProblemError) as refusal:
        shop.snooze(1, until="gisteren")
    assert refusal.value.errors[0]["where"].endswith("until")


def test_a_token_that_is_not_known_is_an_error_with_a_name(shop: Klankbord) -> None:
    TokenRoute.objects.all().delete()
    with pytest.raises(ProblemError) as refusal:
        shop.me()
    assert refusal.value.type == "token"


def test_the_shop_of_the_example_tells_each_order_once(desk: Desk, shop: Klankbord) -> None:
    tell = runpy.run_path(str(ROOT / "examples" / "order_shipped.py"))["tell"]
    for _ in range(2):
        assert tell(shop, email="bob@x.example", order="1234", parcel="3SABC") == 1
    notes = [each for each in desk.messages() if each.kind == "note"]
    assert [(each.text, each.author_name) for each in notes] == [("Order 1234 has shipped. Parcel: 3SABC", "Webwinkel")]


def test_the_client_knows_our_webhooks_from_others(desk: Desk) -> None:
    secret, body = standardwebhooks.new_secret(), json.dumps({"type": "test.ping"}).encode()
    headers = standardwebhooks.headers("call-1", body, keys=[secret], at=desk.now)
    now = desk.now.timestamp()
    assert webhooks.is_authentic(headers, body, secret=secret, now=now)
    assert not webhooks.is_authentic(headers, body + b" ", secret=secret, now=now)
    assert not webhooks.is_authentic(headers, body, secret=standardwebhooks.new_secret(), now=now)
    assert not webhooks.is_authentic(headers, body, secret=secret, now=now + timedelta(minutes=6).total_seconds())
