"""How often other systems can ask: pages of fifty conversations through the API, by several at once."""

from __future__ import annotations

import asyncio
import statistics
from datetime import UTC, datetime

from . import load
from .figures import Figure, milliseconds, quantile
from .place import Place, place
from .seed import seed

_CONVERSATIONS = 20_000
_CONNECTIONS = 8
_EACH = 280  # requests of one token: within what a token may ask at once


def api(seconds: float) -> list[Figure]:
    """Pages a second, each asked with a token of an integration among many."""
    with place() as desk:
        inbox, _target = desk.inbox()
        assert desk.organisation is not None
        seed(desk.address, organisation=desk.organisation, inbox=inbox, count=_CONVERSATIONS, each=20)
        count = int(seconds * 900)
        requests = [_request(each) for each in _tokens(desk, count // _EACH + 1)]
        asyncio.run(load.post(desk.port, requests[:1] * 20, connections=2))
        lined_up = [requests[place // _EACH] for place in range(_EACH, count)]
        posted = asyncio.run(load.post(desk.port, lined_up, connections=_CONNECTIONS, seconds=seconds))
    if set(posted.statuses) != {200}:
        raise RuntimeError(f"the API answered {posted.statuses}")
    conditions = {
        "conversations": _CONVERSATIONS, "page": 50, "connections": _CONNECTIONS,
        "p50_ms": milliseconds(statistics.median(posted.latencies)),
        "p95_ms": milliseconds(quantile(posted.latencies, 0.95)),
    }  # fmt: skip
    return [Figure("api reads", round(posted.accepted / posted.seconds), "pages/s", conditions, at_least=400)]


def _request(token: str) -> bytes:
    head = f"GET /api/v1/conversations HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\n\r\n"
    return head.encode()


def _tokens(desk: Place, count: int) -> list[str]:
    from klankbord.desk.integrations.scopes import SCOPES
    from klankbord.desk.organisations.models import Membership
    from klankbord.desk.wall import organisation
    from klankbord.flows import tokens

    assert desk.organisation is not None
    assert desk.person is not None
    now = datetime.now(UTC)
    with organisation(desk.organisation):
        boss = Membership.objects.select_related("organisation", "user").get(
            organisation_id=desk.organisation, user_id=desk.person
        )
        return [tokens.make_token(name=str(each), scopes=SCOPES, by=boss, now=now)[1] for each in range(count)]
