"""Operations of Klankbord's API, written by scripts/make_client.py: change nothing here."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from .documents import (
    Contact,
    ContactPage,
    Conversation,
    ConversationPage,
    Inboxes,
    Labels,
    Ledger,
    Message,
    MessagePage,
    OneConversation,
    People,
    SavedReplies,
    Self,
    Teams,
)


class Operations:
    """What the API can do; `call` is the transport's."""

    def call(
        self,
        method: str,
        path: str,
        *,
        query: dict[str, Any] | None = None,
        body: Any = None,
        idempotency_key: str | None = None,
        if_match: str | None = None,
    ) -> Any:
        raise NotImplementedError

    def me(self) -> Self:
        """Who this token is."""
        answer: Self = self.call("GET", "/me")
        return answer

    def list_conversations(
        self,
        *,
        cursor: str | None = None,
        limit: int | None = None,
        status: Literal["open", "pending", "snoozed", "resolved", "spam"] | None = None,
        inbox: str | None = None,
        team: str | None = None,
        owner: str | Literal["nobody"] | None = None,
        label: str | None = None,
        contact: str | None = None,
        visibility: Literal["public", "private"] | None = None,
        since: str | None = None,
        order: Literal["newest", "queue"] | None = None,
    ) -> ConversationPage:
        """Conversations, newest first or in the order of the queue."""
        answer: ConversationPage = self.call(
            "GET",
            "/conversations",
            query=_said(
                cursor=cursor,
                limit=limit,
                status=status,
                inbox=inbox,
                team=team,
                owner=owner,
                label=label,
                contact=contact,
                visibility=visibility,
                since=since,
                order=order,
            ),
        )
        return answer

    def all_conversations(
        self,
        *,
        limit: int | None = None,
        status: Literal["open", "pending", "snoozed", "resolved", "spam"] | None = None,
        inbox: str | None = None,
        team: str | None = None,
        owner: str | Literal["nobody"] | None = None,
        label: str | None = None,
        contact: str | None = None,
        visibility: Literal["public", "private"] | None = None,
        since: str | None = None,
        order: Literal["newest", "queue"] | None = None,
    ) -> Iterator[Conversation]:
        """Conversations, newest first or in the order of the queue: all pages, one after the other."""
        cursor: str | None = None
        while True:
            page = self.list_conversations(
                limit=limit,
                status=status,
                inbox=inbox,
                team=team,
                owner=owner,
                label=label,
                contact=contact,
                visibility=visibility,
                since=since,
                order=order,
                cursor=cursor,
            )
            yield from page["items"]
            cursor = page["next"]
            if cursor is None:
                return

    def get_conversation(self, number: int) -> OneConversation:
        """One conversation with its threads and newest messages; its ETag changes with all that happens in it."""
        answer: OneConversation = self.call("GET", f"/conversations/{number}")
        return answer

    def list_messages(self, number: int, *, cursor: str | None = None, limit: int | None = None) -> MessagePage:
        """The messages of a conversation, newest first."""
        answer: MessagePage = self.call(
            "GET", f"/conversations/{number}/messages", query=_said(cursor=cursor, limit=limit)
        )
        return answer

    def all_messages(self, number: int, *, limit: int | None = None) -> Iterator[Message]:
        """The messages of a conversation, newest first: all pages, one after the other."""
        cursor: str | None = None
        while True:
            page = self.list_messages(number, limit=limit, cursor=cursor)
            yield from page["items"]
            cursor = page["next"]
            if cursor is None:
                return

    def list_contacts(
        self, *, cursor: str | None = None, limit: int | None = None, email: str | None = None
    ) -> ContactPage:
        """People who wrote to an inbox that this token may see, newest first."""
        answer: ContactPage = self.call("GET", "/contacts", query=_said(cursor=cursor, limit=limit, email=email))
        return answer

    def all_contacts(self, *, limit: int | None = None, email: str | None = None) -> Iterator[Contact]:
        """People who wrote to an inbox that this token may see, newest first: all pages, one after the other."""
        cursor: str | None = None
        while True:
            page = self.list_contacts(limit=limit, email=email, cursor=cursor)
            yield from page["items"]
            cursor = page["next"]
            if cursor is None:
                return

    def get_contact(self, contact: str) -> Contact:
        """One contact with their handles."""
        answer: Contact = self.call("GET", f"/contacts/{contact}")
        return answer

    def list_inboxes(self) -> Inboxes:
        """The inboxes that this token may see."""
        answer: Inboxes = self.call("GET", "/inboxes")
        return answer

    def list_labels(self) -> Labels:
        """All labels, by name."""
        answer: Labels = self.call("GET", "/labels")
        return answer

    def list_teams(self) -> Teams:
        """All teams with their members."""
        answer: Teams = self.call("GET", "/teams")
        return answer

    def list_people(self) -> People:
        """The people who work here."""
        answer: People = self.call("GET", "/people")
        return answer

    def list_saved_replies(self) -> SavedReplies:
        """Saved replies: everybody's, those of one's teams and one's own, the ones used most first."""
        answer: SavedReplies = self.call("GET", "/saved-replies")
        return answer

    def get_ledger(self, *, inbox: str | None = None, days: int | None = None) -> Ledger:
        """What arrived and what became of it, by inbox and day (UTC), newest day first."""
        answer: Ledger = self.call("GET", "/ledger", query=_said(inbox=inbox, days=days))
        return answer

    def send_reply(
        self,
        number: int,
        *,
        text: str,
        thread_id: str | None = None,
        visibility: Literal["private"] | None = None,
        keep_open: bool | None = None,
        resolve: bool | None = None,
        seen_message_id: str | None = None,
        idempotency_key: str | None = None,
        if_match: str | None = None,
    ) -> Message:
        """Answer the contact. It leaves after the organisation's undo time."""
        answer: Message = self.call(
            "POST",
            f"/conversations/{number}/replies",
            body={
                "text": text,
                **_said(
                    thread_id=thread_id,
                    visibility=visibility,
                    keep_open=keep_open,
                    resolve=resolve,
                    seen_message_id=seen_message_id,
                ),
            },
            idempotency_key=idempotency_key,
            if_match=if_match,
        )
        return answer

    def write_note(
        self, number: int, *, text: str, idempotency_key: str | None = None, if_match: str | None = None
    ) -> Message:
        """Write a note for colleagues; customers never see it."""
        answer: Message = self.call(
            "POST",
            f"/conversations/{number}/notes",
            body={"text": text},
            idempotency_key=idempotency_key,
            if_match=if_match,
        )
        return answer

    def assign(
        self,
        number: int,
        *,
        owner_id: str | None,
        team_id: str | None,
        idempotency_key: str | None = None,
        if_match: str | None = None,
    ) -> Conversation:
        """Give it to a person, a team, both or nobody (null)."""
        answer: Conversation = self.call(
            "PUT",
            f"/conversations/{number}/assignment",
            body={"owner_id": owner_id, "team_id": team_id},
            idempotency_key=idempotency_key,
            if_match=if_match,
        )
        return answer

    def resolve(self, number: int, *, idempotency_key: str | None = None, if_match: str | None = None) -> Conversation:
        """Done: it leaves the queue until the contact writes again."""
        answer: Conversation = self.call(
            "POST", f"/conversations/{number}/resolve", idempotency_key=idempotency_key, if_match=if_match
        )
        return answer

    def reopen(self, number: int, *, idempotency_key: str | None = None, if_match: str | None = None) -> Conversation:
        """Back in the queue."""
        answer: Conversation = self.call(
            "POST", f"/conversations/{number}/reopen", idempotency_key=idempotency_key, if_match=if_match
        )
        return answer

    def snooze(
        self, number: int, *, until: str, idempotency_key: str | None = None, if_match: str | None = None
    ) -> Conversation:
        """Put it aside until a moment, or until the contact's next message."""
        answer: Conversation = self.call(
            "POST",
            f"/conversations/{number}/snooze",
            body={"until": until},
            idempotency_key=idempotency_key,
            if_match=if_match,
        )
        return answer

    def add_label(
        self, number: int, *, name: str, idempotency_key: str | None = None, if_match: str | None = None
    ) -> Conversation:
        """Put a label on it. A name that is new becomes a new label."""
        answer: Conversation = self.call(
            "POST",
            f"/conversations/{number}/labels",
            body={"name": name},
            idempotency_key=idempotency_key,
            if_match=if_match,
        )
        return answer

    def remove_label(
        self, label: str, number: int, *, idempotency_key: str | None = None, if_match: str | None = None
    ) -> Conversation:
        """Take a label off."""
        answer: Conversation = self.call(
            "DELETE", f"/conversations/{number}/labels/{label}", idempotency_key=idempotency_key, if_match=if_match
        )
        return answer


def _said(**given: Any) -> dict[str, Any]:
    return {n: v for n, v in given.items() if v is not None}
