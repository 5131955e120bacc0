"""A desk to test with: reads like the domain, goes through the real use cases."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from klankbord.contract import Delivery
from klankbord.desk.conversations import asking, search
from klankbord.desk.conversations.models import Conversation, Message
from klankbord.desk.inboxes import deliveries
from klankbord.desk.inboxes.models import Inbox
from klankbord.desk.organisations.models import Membership, Organisation, Role, Team
from klankbord.desk.wall import organisation
from klankbord.flows import connect
from klankbord.flows.founding import add_person, found_organisation
from klankbord.flows.intake import take_in_lane
from roles import become_within

MONDAY_9AM = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)  # nine o'clock in Amsterdam
SECRET = "een-geheim-van-ons-samen"


class Desk:
    """One organisation with people and inboxes. `now` moves only when a test says so."""

    def __init__(self, slug: str = "wolk") -> None:
        self.now = MONDAY_9AM
        self.organisation: Organisation = found_organisation(name=slug.title(), slug=slug, now=self.now)
        self.organisation.undo_seconds = 0
        self.organisation.save(update_fields=["undo_seconds"])
        self._numbers = iter(range(1, 1_000_000))

    @contextmanager
    def open(self) -> Iterator[UUID]:
        with organisation(self.organisation.id) as opened:
            yield opened

    def person(self, name: str, role: Role = Role.AGENT) -> Membership:
        address = f"{name.lower()}@{self.organisation.slug}.example"
        return add_person(
            organisation=self.organisation, email=address, name=name, password="een-lang-wachtwoord", role=role
        )

    def team(self, name: str) -> Team:
        with self.open():
            team: Team = Team.objects.create(name=name)
            return team

    def inbox(self, name: str = "Webshop", *, kind: str = "api", **credentials: Any) -> Inbox:
        with self.open():
            return connect.make_inbox(
                kind=kind, name=name, credentials=credentials or {"secret": SECRET}, by=None, now=self.now,
                imports_history=False,
            )  # fmt: skip

    def event(self, *, place: str = "anouk", visibility: str = "private", **changes: Any) -> dict[str, Any]:
        """One message event of the api channel, as another system would post it."""
        number = next(self._numbers)
        return {
            "type": "message",
            "id": f"m-{number}",
            "at": self.now.isoformat(),
            "place": {"id": place, "visibility": visibility},
            "person": {"id": "anouk", "name": "Anouk de Wit"},
            "text": f"Bericht {number}",
        } | changes

    def deliver(self, inbox: Inbox, *bodies: Any, is_history: bool = False) -> None:
        """Put deliveries in the queue, as the door does: one for each body (an event, a list of events, or bytes)."""
        with self.open():
            deliveries.put(
                [
                    (
                        inbox.id,
                        inbox.lane,
                        Delivery(
                            body if isinstance(body, bytes) else json.dumps(body).encode(),
                            self.now,
                            is_history=is_history,
                        ),
                    )
                    for body in bodies
                ]
            )

    def found(self, words: str, *, by: Membership) -> list[Any]:
        """What the search page would show this person for these words."""
        question = asking.read(words, zone=UTC, today=self.now.date())
        return list(search.find(question, by=by).found)

    def take_in(self) -> int:
        """Let the worker settle all that waits."""
        become_within("worker")
        done = 0
        try:
            while lanes := deliveries.waiting_lanes():
                settled = sum(take_in_lane(lane, now=self.now).deliveries for lane in lanes)
                if not settled:
                    break  # what is left was put off
                done += settled
        finally:
            become_within("app")
        return done

    def receive(self, inbox: Inbox, *bodies: Any) -> list[Conversation]:
        """Deliver and take in; gives all conversations, oldest first."""
        self.deliver(inbox, *bodies)
        self.take_in()
        return self.conversations()

    def conversations(self) -> list[Conversation]:
        with self.open():
            return list(Conversation.objects.order_by("number"))

    def messages(self, conversation: Conversation | None = None) -> list[Message]:
        with self.open():
            found = Message.objects.order_by("at", "id")
            return list(found.filter(conversation_id=conversation.id) if conversation else found)

    def later(self, **span: float) -> None:
        self.now += timedelta(**span)
