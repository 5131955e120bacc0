"""The demo's organisation and its past, without processes."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from klankbord.desk.conversations.models import Conversation, Message
from klankbord.desk.inboxes.models import Inbox
from klankbord.desk.organisations.models import Team, User
from klankbord.flows import demo_seed
from klankbord.flows.accounts import seal, unseal

ADDRESSES = {"api": {"secret": "een-geheim-van-de-demo", "replies": ""}}
SHOP = "http://localhost:9180"


def set_up(desk: Any, **changes: Any) -> demo_seed.Demo:
    wanted = {"addresses": ADDRESSES, "shop_url": SHOP, "password": "wolk-en-zonen-1"} | changes
    demo = demo_seed.set_up(**wanted, now=desk.now)
    desk.organisation = demo.organisation
    return demo


def test_the_demo_is_founded_once_and_follows_its_platforms(desk: Any) -> None:
    first = set_up(desk)
    assert first.troubles == []
    second = set_up(desk, shop_url="http://localhost:9200", addresses={"api": {**ADDRESSES["api"], "secret": "x" * 30}})
    assert (second.organisation, second.widget_key) == (first.organisation, first.widget_key)
    with desk.open():
        assert {team.name for team in Team.objects.all()} == {"Bezorging", "Facturen", "Advies"}
        inboxes = {inbox.kind: unseal(inbox.credentials)["credentials"] for inbox in Inbox.objects.all()}
    assert inboxes["api"]["secret"] == "x" * 30
    assert "http://localhost:9200" in inboxes["webchat"]["origins"]
    assert User.objects.filter(email__endswith="@wolkenzonen.example").count() == 5


def test_a_platform_that_is_away_does_not_keep_the_demo_from_starting(desk: Any) -> None:
    away = {**ADDRESSES, "mastodon": {"server": "http://127.0.0.1:1", "token": "t"}}
    demo = set_up(desk, addresses=away)
    assert [trouble.partition(":")[0] for trouble in demo.troubles] == ["Mastodon"]
    assert demo.hook_token


def test_people_sign_in_with_the_printed_password_also_when_it_was_lost_once(desk: Any, client: Client) -> None:
    set_up(desk)
    set_up(desk, password="wolk-en-zonen-2")
    words = {"login": demo_seed.ACCOUNT, "password": "wolk-en-zonen-2"}
    assert client.post("/accounts/login/", words).status_code == 302


@pytest.mark.parametrize("has_mastodon", [False, True])
def test_forty_conversations_of_the_past_days_are_finished_and_nobody_waits(desk: Any, has_mastodon: bool) -> None:
    demo = set_up(desk)
    if has_mastodon:
        turn_into_mastodon(desk, desk.inbox("Mastodon"))
    told = demo_seed.tell_past(demo, now=desk.now)
    assert not demo_seed.is_past_told(demo, now=desk.now)
    desk.take_in()
    assert demo_seed.is_past_told(demo, now=desk.now)
    assert demo_seed.close_past(demo, now=desk.now) == 40
    with desk.open():
        conversations = list(Conversation.objects.all())
        messages = list(Message.objects.all())
    assert (len(conversations), len(messages)) == (40, told)
    assert {each.status for each in conversations} == {"resolved"}
    assert all(each.owner_id and each.team_id and each.waiting_since is None for each in conversations)
    assert all(desk.now - timedelta(days=11) < each.at < desk.now for each in messages)
    assert Counter(each.kind for each in messages)["outbound"] >= 40
    assert {each.visibility for each in messages} == ({"public", "private"} if has_mastodon else {"private"})
    demo_seed.tell_past(demo, now=desk.now + timedelta(days=1))
    desk.take_in()
    assert demo_seed.close_past(demo, now=desk.now) == 0
    with desk.open():
        assert Message.objects.count() == told


def turn_into_mastodon(desk: Any, inbox: Inbox) -> None:
    """As if it had been connected to a server, of which nothing else is needed here."""
    credentials = seal({"server": "http://127.0.0.1:9100", "access_token": "t"}, hook_token="t", hook_secret="s")
    with desk.open():
        Inbox.objects.filter(id=inbox.id).update(kind="mastodon", credentials=credentials, facts={"account_id": "77"})
