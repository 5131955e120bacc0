"""Reply approval: a trainee proposes, a colleague reads, changes, lets it go or gives it back with a remark.

A proposal is a draft that waits. Nothing of it is a message before somebody let it go: see `sending.new_message`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from klankbord.desk import access
from klankbord.desk.conversations.cases import record
from klankbord.desk.conversations.models import Draft, DraftKind, Message
from klankbord.desk.errors import Invalid, NotFound
from klankbord.desk.organisations.models import Membership
from klankbord.desk.wall import current_organisation_id
from klankbord.kernel.text import clean, one_line

from . import sendable
from .reply import discard_draft, send_reply
from .sharing import tell_of_drafts


def propose(
    *,
    conversation: UUID,
    thread: UUID,
    text: str,
    by: Membership,
    now: datetime,
    visibility: str | None = None,
    keep_open: bool = False,
    then: str = "",
    answers: UUID | None = None,
    attachments: Sequence[UUID] = (),
) -> Draft:
    """Lay a reply before a colleague; another one of this person here is replaced. Raises what sending would."""
    access.require(by, "answer")
    found = access.thread_for(by, conversation, thread)
    files = sendable.own_uploads(attachments, found, by)
    sendable.answered_message(found, answers)
    sendable.check(found, text, files, by)
    facts: dict[str, Any] = {
        "visibility": visibility or found.visibility, "keep_open": keep_open, "then": then,
        "answers": str(answers) if answers else "", "attachments": [str(each.id) for each in files],
        "inbox": str(found.inbox_id),
    }  # fmt: skip
    draft: Draft
    draft, _made = Draft.objects.update_or_create(
        conversation_id=found.conversation_id,
        member=by,
        kind=DraftKind.PROPOSAL,
        defaults={"text": clean(text).strip(), "thread_id": thread, "saved_at": now, "facts": facts},
    )
    discard_draft(conversation=conversation, kind=DraftKind.REPLY, by=by)
    _record("reply proposed", found.conversation_id, by, now)
    tell_of_drafts(found.conversation, now=now)
    return draft


def accept(*, proposal: UUID, text: str, by: Membership, now: datetime) -> Message:
    """Let it go, with these words, in the name of who proposed it. Raises NotFound when a colleague was first."""
    draft = _proposal(proposal, by)
    author, facts = draft.member, draft.facts
    if draft.thread_id is None:
        raise NotFound
    message = send_reply(
        conversation=draft.conversation_id,
        thread=draft.thread_id,
        text=text,
        by=author,
        now=now,
        client_key=f"proposal-{draft.id.hex}",
        visibility=facts.get("visibility"),
        keep_open=bool(facts.get("keep_open")),
        then=facts.get("then", ""),
        answers=UUID(facts["answers"]) if facts.get("answers") else None,
        attachments=[UUID(each) for each in facts.get("attachments", ())],
        confirmed=True,
        public_confirmed=True,
        approved_by=by,
        proposed=draft.text if clean(text).strip() != draft.text else "",
    )
    draft.delete()
    _record("proposal accepted", draft.conversation_id, by, now, whom=author.name)
    tell_of_drafts(draft.conversation, now=now)
    return message


def give_back(*, proposal: UUID, remark: str, by: Membership, now: datetime) -> Draft:
    """Back to who proposed it, as a draft with a remark above it."""
    draft, remark = _proposal(proposal, by), one_line(remark, limit=500)
    if not remark:
        raise Invalid(_("Say what should be different."))
    returned = _as_draft(draft, {"returned": {"by": by.name, "remark": remark, "at": now.isoformat()}}, now)
    _record("proposal given back", draft.conversation_id, by, now, whom=draft.member.name)
    tell_of_drafts(draft.conversation, now=now)
    return returned


def withdraw(*, proposal: UUID, by: Membership, now: datetime) -> Draft:
    """One's own again, to go on writing."""
    draft = _waiting().filter(id=proposal, member=by).first()
    if draft is None:
        raise NotFound
    access.conversation_for(by, draft.conversation_id)
    own = _as_draft(draft, {}, now)
    tell_of_drafts(draft.conversation, now=now)
    return own


def waiting(*, by: Membership) -> list[Draft]:
    """All that waits for approval where this person may see it, oldest first, each with its conversation."""
    access.require(by, "approve replies")
    visible = access.visible_inboxes(by)
    found = _waiting().filter(conversation__inbox_id__in=visible).exclude(member=by)
    return list(found.select_related("conversation__contact", "member__user").order_by("saved_at", "id"))


def set_needs_approval(*, member: UUID, needs: bool, by: Membership, now: datetime) -> Membership:
    """Whether a colleague looks at this person's replies before they leave."""
    access.require(by, "approve replies")
    found = Membership.objects.filter(id=member, organisation_id=current_organisation_id(), is_active=True).first()
    if found is None:
        raise NotFound
    if found.id == by.id:
        raise Invalid(_("Somebody else decides about your own replies."))
    found.needs_approval = needs
    found.save(update_fields=["needs_approval"])
    return found


def _proposal(proposal: UUID, by: Membership) -> Draft:
    access.require(by, "approve replies")
    draft = _waiting().select_for_update(of=("self",)).filter(id=proposal).exclude(member=by).first()
    if draft is None:
        raise NotFound
    access.conversation_for(by, draft.conversation_id)
    return draft


def _waiting() -> QuerySet[Draft]:
    return Draft.objects.filter(kind=DraftKind.PROPOSAL).select_related(
        "conversation", "member__user", "member__organisation"
    )


def _as_draft(draft: Draft, facts: dict[str, Any], now: datetime) -> Draft:
    """What was begun here meanwhile stays below it."""
    begun = Draft.objects.filter(conversation_id=draft.conversation_id, member=draft.member, kind=DraftKind.REPLY)
    texts = [draft.text, *begun.values_list("text", flat=True)]
    begun.delete()
    draft.kind, draft.text, draft.facts, draft.saved_at = DraftKind.REPLY, "\n\n".join(texts), facts, now
    draft.save(update_fields=["kind", "text", "facts", "saved_at"])
    return draft


def _record(kind: str, conversation: UUID, by: Membership, now: datetime, whom: str = "") -> None:
    record(
        [
            {
                "kind": kind, "conversation_id": conversation, "message_id": None, "by_id": by.id, "by_kind": "agent",
                "at": now, "facts": {"whom": whom} if whom else {},
            }
        ]
    )  # fmt: skip
