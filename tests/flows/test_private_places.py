"""A private place belongs to one case: what is written in another case never ends up in it."""

from __future__ import annotations

import pytest
from far_platform import FarPlatform, again, answer
from test_outgoing import mention, polled

from desk_builder import Desk
from klankbord.desk.conversations.models import Thread
from klankbord.desk.errors import CannotReply
from klankbord.desk.organisations.models import Membership

pytestmark = pytest.mark.django_db


def test_o6_a_private_answer_does_not_land_in_another_case_of_the_same_person(
    desk: Desk, platform: FarPlatform, noor: Membership
) -> None:
    inbox = platform.mastodon_inbox()
    desk.receive(
        inbox, polled(desk, platform, inbox, mention("115480000000000001", "mijn rekening klopt niet", "direct"))
    )
    desk.later(minutes=5)
    question = mention("115480000000000002", "de bus reed door")
    private, public = desk.receive(inbox, polled(desk, platform, inbox, question))
    with pytest.raises(CannotReply) as refusal:
        answer(desk, public, "Welke halte was dat?", noor, visibility="private")
    assert f"#{private.number}" in refusal.value.sentence
    platform.deliver_all()
    assert [call for call in platform.offered if call.url.endswith("/api/v1/statuses")] == []
    for case in (private, public):
        assert again(desk, case).message_count == 1
        assert again(desk, case).waiting_since == case.waiting_since


def test_o6_a_case_goes_on_in_its_own_private_place(desk: Desk, platform: FarPlatform, noor: Membership) -> None:
    inbox = platform.mastodon_inbox()
    [case] = desk.receive(inbox, polled(desk, platform, inbox, mention("115480000000000001", "de bus reed door")))
    answer(desk, case, "Welke halte was dat?", noor, visibility="private")
    answer(desk, case, "En hoe laat?", noor, visibility="private")
    platform.deliver_all()
    assert again(desk, case).message_count == 3
    with desk.open():
        assert Thread.objects.filter(conversation_id=case.id, visibility="private").count() == 1
