"""What only a person can mend stands where those look who see to it."""

from __future__ import annotations

import pytest

from klankbord.desk.inboxes.models import Inbox
from klankbord.desk.organisations.models import Role


def _alarm(page) -> str:
    return page.content.decode().partition('id="alarms"')[2].partition("</div>")[0]


@pytest.mark.parametrize(
    ("role", "sees", "opens"),
    [
        (Role.ADMINISTRATOR, True, True),
        (Role.LEAD, True, False),
        (Role.AGENT, False, False),
        (Role.ANALYST, False, False),
    ],
)
def test_a_broken_inbox_stands_above_the_list_of_who_sees_to_it(desk, sign_in, role, sees, opens):
    inbox = desk.inbox()
    client = sign_in(desk.person("Sam", role))
    assert "Webshop" not in _alarm(client.get("/inbox/all"))
    with desk.open():
        Inbox.objects.filter(id=inbox.id).update(state="broken", state_reason="Ingetrokken", state_since=desk.now)
    for address in ("/inbox/all", "/inbox/all/pulse", "/more"):
        said = _alarm(client.get(address))
        assert ("Webshop" in said and "opnieuw verbonden" in said) is sees
        assert (f'href="/settings/inboxes/{inbox.id}"' in said) is opens
