"""A caller who asks as another system would."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from django.test import Client

from desk_builder import Desk
from klankbord.desk.integrations.scopes import SCOPES
from klankbord.desk.organisations.models import Membership, Role
from klankbord.flows import tokens


class Caller:
    """Another system with a token. Answers are Django's, with `.json()`."""

    def __init__(self, token: str) -> None:
        self.token, self.client = token, Client(raise_request_exception=False)

    def get(self, path: str, headers: dict[str, str] | None = None, **query: Any) -> Any:
        return self.client.get(f"/api/v1{path}", query, headers=self._headers(headers))

    def post(self, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Any:
        return self.send("post", path, body, headers)

    def send(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Any:
        content = body if isinstance(body, bytes | str) else json.dumps(body) if body is not None else ""
        ask = getattr(self.client, method)
        return ask(f"/api/v1{path}", content, content_type="application/json", headers=self._headers(headers))

    def _headers(self, more: dict[str, str] | None) -> dict[str, str]:
        return {"authorization": f"Bearer {self.token}", **(more or {})}


def token_of(desk: Desk, member: Membership, scopes: Any = SCOPES, **more: Any) -> str:
    with desk.open():
        return tokens.make_token(name="Test", scopes=scopes, by=member, now=desk.now, **more)[1]


def caller_of(desk: Desk, member: Membership, scopes: Any = SCOPES) -> Caller:
    return Caller(token_of(desk, member, scopes))


def integration_of(desk: Desk, role: str = "agent", scopes: Any = SCOPES, name: str = "Winkel") -> tuple[UUID, Caller]:
    boss = desk.person(f"Baas{name}", Role.ADMINISTRATOR)
    with desk.open():
        made = tokens.make_integration(name=name, role=role, by=boss, now=desk.now)
        return made.member_id, Caller(
            tokens.make_token(name=name, scopes=scopes, by=boss, now=desk.now, integration=made.id)[1]
        )
