"""Conversations (cases), the threads in which they run, their messages, and the engine's queues around them.

Few modules write messages and statuses; `tests/house/test_writers.py` names them all.
"""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import F, Q

from ..contacts.models import Contact, Handle
from ..inboxes.models import Inbox
from ..organisations.models import Membership, Team
from ..wall import OrganisationKey, Owned, Queued
from .joined import ConversationLink as ConversationLink  # Django looks for models here
from .joined import Merge as Merge
from .known_words import IndexProgress as IndexProgress  # Django looks for models here
from .known_words import KnownWord as KnownWord
from .saved import BulkDeed as BulkDeed  # Django looks for models here
from .saved import SavedView as SavedView

NOBODY = UUID(int=0)  # in counters: no owner, no team


class Status(models.TextChoices):
    OPEN = "open"  # we must act
    PENDING = "pending"  # waits for the contact, or a bot has it
    SNOOZED = "snoozed"  # waits until snoozed_until or the next message, then opens again
    RESOLVED = "resolved"  # done; a new message within the inbox's window reopens it
    SPAM = "spam"  # put aside by a person or a sign; nobody acts, new messages do not open it
    MERGED = "merged"  # its threads went on in another conversation; its number leads there


class Priority(models.IntegerChoices):
    """Small numbers wait longer; agents sort by it."""

    LOW = -1
    NORMAL = 0
    HIGH = 1
    URGENT = 2


class Conversation(Owned):
    number = models.BigIntegerField()
    contact = OrganisationKey(Contact, on_delete=models.PROTECT, related_name="conversations")
    inbox = OrganisationKey(Inbox, on_delete=models.PROTECT, related_name="+")
    team = OrganisationKey(Team, on_delete=models.PROTECT, null=True, related_name="+")
    owner = models.ForeignKey(Membership, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.OPEN)
    title = models.CharField(max_length=300, blank=True)
    preview = models.CharField(max_length=300, blank=True)  # the newest message on one line
    preview_by = models.CharField(max_length=10, blank=True)  # contact, agent, bot, system
    visibility = models.CharField(max_length=8)  # of the thread that spoke last
    language = models.CharField(max_length=8, blank=True)
    priority = models.SmallIntegerField(default=Priority.NORMAL)
    waiting_since = models.DateTimeField(null=True)  # first unanswered customer message
    # Maintained for the lists: is_idle = not (open and somebody waits); sort_at = waiting_since when not idle,
    # snoozed_until when snoozed, else last_message_at. One index order then serves every view.
    is_idle = models.BooleanField(default=False)
    sort_at = models.DateTimeField()
    snoozed_until = models.DateTimeField(null=True)
    resolved_at = models.DateTimeField(null=True)
    last_message_at = models.DateTimeField()
    last_inbound_at = models.DateTimeField(null=True)
    message_count = models.IntegerField(default=0)
    has_trouble = models.BooleanField(default=False)  # a reply failed or is uncertain: an agent must look
    previous = OrganisationKey("self", on_delete=models.PROTECT, null=True, related_name="+")
    merged_into = OrganisationKey("self", on_delete=models.PROTECT, null=True, related_name="+")
    rearranged_at = models.DateTimeField(null=True)  # threads came or went: who looked one up before looks again
    created_at = models.DateTimeField()

    class Meta(Owned.Meta):
        constraints = [
            models.UniqueConstraint(fields=["organisation", "number"], name="conversation_number_once"),
            models.CheckConstraint(
                name="snoozed_has_moment", condition=~Q(status="snoozed") | Q(snoozed_until__isnull=False)
            ),
            models.CheckConstraint(
                name="waiting_has_moment",
                condition=Q(is_idle=True) | Q(status="open", waiting_since__isnull=False),
            ),
        ]
        indexes = [
            models.Index(fields=["organisation", "status", "is_idle", "sort_at", "id"], name="conv_status"),
            models.Index(fields=["organisation", "owner", "status", "is_idle", "sort_at", "id"], name="conv_owner"),
            models.Index(fields=["organisation", "team", "status", "is_idle", "sort_at", "id"], name="conv_team"),
            models.Index(fields=["organisation", "inbox", "status", "is_idle", "sort_at", "id"], name="conv_inbox"),
            models.Index(fields=["organisation", "contact", "-last_message_at"], name="conv_contact"),
            models.Index(fields=["organisation", "status", "last_message_at", "id"], name="conv_spoken"),
            models.Index(
                F("organisation"), F("status"), -F("priority"), F("is_idle"), F("sort_at"), F("id"),
                name="conv_priority", condition=Q(status__in=["open", "snoozed"]),
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"#{self.number}"


class Thread(Owned):
    """Where a part of a conversation runs. `is_live`: its conversation can still be reopened from this place."""

    conversation = OrganisationKey(Conversation, related_name="threads")
    inbox = OrganisationKey(Inbox, on_delete=models.PROTECT, related_name="+")
    handle = OrganisationKey(Handle, on_delete=models.PROTECT, related_name="threads")
    place_key = models.CharField(max_length=600)
    post = models.CharField(
        max_length=600, blank=True, db_default=""
    )  # under which many people may write, each in a place of theirs
    visibility = models.CharField(max_length=8)
    target = models.CharField(max_length=600, blank=True)
    title = models.CharField(max_length=300, blank=True)
    url = models.TextField(blank=True)
    context = models.JSONField(null=True)
    facts = models.JSONField(default=dict)
    token = models.CharField(max_length=40)  # random; part of the reply tag
    is_live = models.BooleanField(default=True)
    last_inbound_at = models.DateTimeField(null=True)
    last_inbound_id = models.CharField(max_length=600, blank=True)  # external id of the newest customer message
    sent_at = models.DateTimeField(null=True)  # when we last sent something here, where the platform wants a pace
    created_at = models.DateTimeField()

    class Meta(Owned.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "inbox", "place_key"],
                name="one_live_thread_per_place",
                condition=Q(is_live=True),
            ),
            models.UniqueConstraint(fields=["organisation", "token"], name="thread_token_once"),
        ]
        indexes = [
            models.Index(fields=["organisation", "conversation"], name="thread_by_conversation"),
            models.Index(fields=["organisation", "handle"], name="thread_by_handle"),
        ]

    @property
    def muted_as(self) -> str:
        """What names it in its inbox' list of what is muted: the post, or the place where there is none."""
        return self.post or self.place_key

    @property
    def is_muted(self) -> bool:
        return self.muted_as in self.inbox.muted


class MessageKind(models.TextChoices):
    INBOUND = "inbound"
    OUTBOUND = "outbound"
    NOTE = "note"  # for colleagues only
    CONTEXT = "context"  # our own post under which people write: shown, never work


class MessageState(models.TextChoices):
    RECEIVED = "received"
    QUEUED = "queued"  # can still be taken back until the outbox row is due
    SENDING = "sending"  # handed over, no answer yet
    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    FAILED = "failed"  # an agent must act
    UNCERTAIN = "uncertain"  # may have arrived: a look-up or a person decides
    TAKEN_BACK = "taken back"  # undone before it left; kept as a draft


class Message(Owned):
    conversation = OrganisationKey(Conversation, related_name="messages")
    thread = OrganisationKey(Thread, related_name="messages")
    inbox = OrganisationKey(Inbox, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=10, choices=MessageKind.choices)
    visibility = models.CharField(max_length=8)
    author_kind = models.CharField(max_length=10)
    author = models.ForeignKey(Membership, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    author_name = models.CharField(max_length=200, blank=True)
    handle = OrganisationKey(Handle, on_delete=models.PROTECT, null=True, related_name="+")
    text = models.TextField(blank=True)
    html = models.TextField(blank=True)  # sanitised
    quoted = models.TextField(blank=True)
    at = models.DateTimeField()  # the platform's time; ours for what we write
    received_at = models.DateTimeField()
    external_id = models.CharField(max_length=600, null=True)  # NULL: none yet
    in_reply_to = models.CharField(max_length=600, blank=True)
    state = models.CharField(max_length=12, choices=MessageState.choices, default=MessageState.RECEIVED)
    state_reason = models.TextField(blank=True)
    state_at = models.DateTimeField(null=True)
    client_key = models.CharField(max_length=64, null=True)  # the browser's key: a double click is one
    delivery_id = models.UUIDField(null=True)
    language = models.CharField(max_length=8, blank=True)
    is_automatic = models.BooleanField(default=False)
    is_history = models.BooleanField(default=False)
    keeps_open = models.BooleanField(default=False)  # the reply does not hand the turn to the contact
    edited_at = models.DateTimeField(null=True)
    deleted_at = models.DateTimeField(null=True)
    remarks = models.JSONField(default=list)
    also_to = models.JSONField(default=list)
    facts = models.JSONField(default=dict)

    class Meta(Owned.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "inbox", "external_id"],
                name="one_message_per_external_id",
                condition=Q(external_id__isnull=False),
            ),
            models.UniqueConstraint(
                fields=["organisation", "client_key"],
                name="one_message_per_client_key",
                condition=Q(client_key__isnull=False),
            ),
        ]
        indexes = [
            models.Index(fields=["organisation", "conversation", "at", "id"], name="message_timeline"),
            models.Index(fields=["organisation", "thread", "at", "id"], name="message_by_thread"),
        ]


class MessagePart(Owned):
    """Further platform ids of one message of ours that went out in several parts."""

    message = OrganisationKey(Message, related_name="parts")
    inbox = OrganisationKey(Inbox, on_delete=models.PROTECT, related_name="+")
    external_id = models.CharField(max_length=600)
    position = models.SmallIntegerField()

    class Meta(Owned.Meta):
        constraints = [
            models.UniqueConstraint(fields=["organisation", "inbox", "external_id"], name="one_part_per_external_id")
        ]
        indexes = [models.Index(fields=["organisation", "message", "position"], name="part_by_message")]


class MessageVersion(Owned):
    """What a message said before it was edited or withdrawn."""

    message = OrganisationKey(Message, related_name="versions")
    text = models.TextField(blank=True)
    html = models.TextField(blank=True)
    replaced_at = models.DateTimeField()

    class Meta(Owned.Meta):
        indexes = [models.Index(fields=["organisation", "message", "replaced_at"], name="version_by_message")]


class EarlyChange(Owned):
    """An edit, deletion or receipt that came before the message it speaks of; applied when that arrives."""

    inbox = OrganisationKey(Inbox, related_name="+")
    external_id = models.CharField(max_length=600)
    change = models.JSONField()
    at = models.DateTimeField()

    class Meta(Owned.Meta):
        indexes = [models.Index(fields=["organisation", "inbox", "external_id"], name="early_change")]


class AttachmentState(models.TextChoices):
    WAITING = "waiting"  # to be fetched from the platform
    READY = "ready"
    REFUSED = "refused"  # will not be fetched or shown; the reason says why
    MISSING = "missing"  # fetching or storing failed; can be tried again


class Attachment(Owned):
    message = OrganisationKey(Message, null=True, related_name="attachments")  # null: uploaded, not sent yet
    conversation = OrganisationKey(Conversation, null=True, related_name="+")
    kind = models.CharField(max_length=10)
    name = models.CharField(max_length=300)
    content_type = models.CharField(max_length=120)
    size = models.BigIntegerField(null=True)
    key = models.CharField(max_length=120, blank=True)  # in the file store
    state = models.CharField(max_length=10, choices=AttachmentState.choices, default=AttachmentState.WAITING)
    reason = models.TextField(blank=True)
    source = models.JSONField(default=dict)  # where to fetch it; emptied once fetched
    content_id = models.CharField(max_length=300, blank=True)
    description = models.TextField(blank=True)
    uploaded_by = models.ForeignKey(Membership, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False)
    created_at = models.DateTimeField()

    class Meta(Owned.Meta):
        indexes = [models.Index(fields=["organisation", "message"], name="attachment_by_message")]


class Label(Owned):
    name = models.CharField(max_length=60)
    colour = models.SmallIntegerField(default=5)  # one of the seven face colours
    group = models.CharField(max_length=40, blank=True, db_default="")  # under which heading it is offered

    class Meta(Owned.Meta):
        constraints = [models.UniqueConstraint(fields=["organisation", "name"], name="label_once")]

    def __str__(self) -> str:
        return self.name


class ConversationLabel(Owned):
    conversation = OrganisationKey(Conversation, related_name="label_links")
    label = OrganisationKey(Label, related_name="+")

    class Meta(Owned.Meta):
        constraints = [
            models.UniqueConstraint(fields=["organisation", "conversation", "label"], name="conversation_label_once")
        ]
        indexes = [
            models.Index(fields=["organisation", "label", "conversation"], name="conversations_of_label"),
        ]


class DraftKind(models.TextChoices):
    REPLY = "reply"
    NOTE = "note"
    PROPOSAL = "proposal"  # a trainee's reply: a colleague lets it go, or gives it back with a remark


class Draft(Owned):
    conversation = OrganisationKey(Conversation, related_name="drafts")
    member = models.ForeignKey(Membership, on_delete=models.CASCADE, related_name="+", db_index=False)
    kind = models.CharField(max_length=8, choices=DraftKind.choices)
    thread = OrganisationKey(Thread, null=True, related_name="+")
    text = models.TextField()
    saved_at = models.DateTimeField()
    facts = models.JSONField(default=dict)  # of a proposal: how to send it; of one that came back: who said what

    class Meta(Owned.Meta):
        constraints = [
            models.UniqueConstraint(fields=["organisation", "conversation", "member", "kind"], name="one_draft_each")
        ]
        indexes = [
            models.Index(fields=["organisation", "saved_at"], name="proposals", condition=models.Q(kind="proposal"))
        ]


class Event(Owned):
    """What happened to a conversation. Append-only: figures and clocks are computed from these rows."""

    rights: ClassVar[str] = "SELECT, INSERT"

    kind = models.CharField(max_length=40)
    conversation = OrganisationKey(Conversation, related_name="events")
    message_id = models.UUIDField(null=True)
    by = models.ForeignKey(Membership, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    by_kind = models.CharField(max_length=10)  # contact, agent, bot, system
    at = models.DateTimeField()
    facts = models.JSONField(default=dict)

    class Meta(Owned.Meta):
        indexes = [
            models.Index(fields=["organisation", "conversation", "at", "id"], name="event_by_conversation"),
            models.Index(fields=["organisation", "kind", "at"], name="event_by_kind"),
        ]


class ViewCounter(Owned):
    """How many conversations stand where: maintained with every change, never counted. NOBODY for none."""

    inbox_id = models.UUIDField()
    team_id = models.UUIDField(default=NOBODY)
    owner_id = models.UUIDField(default=NOBODY)
    status = models.CharField(max_length=10)
    count = models.BigIntegerField(default=0)

    class Meta(Owned.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "inbox_id", "team_id", "owner_id", "status"], name="view_counter_once"
            )
        ]


class Viewing(Owned):
    """Who has a conversation open now (seen within the last half minute), and whether they are typing."""

    conversation = OrganisationKey(Conversation, related_name="+")
    member = models.ForeignKey(Membership, on_delete=models.CASCADE, related_name="+", db_index=False)
    seen_at = models.DateTimeField()
    typed_at = models.DateTimeField(null=True)

    class Meta(Owned.Meta):
        constraints = [models.UniqueConstraint(fields=["organisation", "conversation", "member"], name="viewing_once")]


class SearchDocument(Owned):
    """A message's words for searching; filled by the worker, at most seconds behind."""

    message = OrganisationKey(Message, related_name="+")
    conversation_id = models.UUIDField()
    inbox_id = models.UUIDField()
    at = models.DateTimeField()
    document = SearchVectorField()

    class Meta(Owned.Meta):
        constraints = [models.UniqueConstraint(fields=["organisation", "message"], name="one_document_per_message")]
        indexes = [models.Index(fields=["organisation", "-at", "-id"], name="search_newest")]


class OutboxState(models.TextChoices):
    QUEUED = "queued"
    SENDING = "sending"  # committed before the call; an expired lease makes it uncertain
    UNCERTAIN = "uncertain"  # its thread sends nothing further until resolved


class Outbox(Queued):
    """A message of ours on its way to the platform; the row goes when it has arrived or failed. id: the message's."""

    inbox_id = models.UUIDField()
    thread_id = models.UUIDField()
    state = models.CharField(max_length=10, choices=OutboxState.choices, default=OutboxState.QUEUED)
    due_at = models.DateTimeField()
    attempts = models.SmallIntegerField(default=0)
    lease_until = models.DateTimeField(null=True)
    is_automatic = models.BooleanField(default=False)
    queued_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["due_at"], name="outbox_due", condition=Q(state="queued")),
            models.Index(fields=["thread_id", "id"], name="outbox_lane"),
            models.Index(fields=["lease_until"], name="outbox_lease", condition=Q(state="sending")),
        ]


class Timer(Queued):
    """Something to do at a moment, once. subject_id: what it is about; key tells several of a kind apart."""

    kind = models.CharField(max_length=40)
    subject_id = models.UUIDField()
    key = models.CharField(max_length=80, blank=True)
    due_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organisation_id", "kind", "subject_id", "key"], name="timer_once")
        ]
        indexes = [models.Index(fields=["due_at"], name="timer_due")]


class LiveEvent(models.Model):
    """Entrance: what open screens should fetch again: ids only. Readers remember the last number they saw."""

    number = models.BigAutoField(primary_key=True)
    organisation_id = models.UUIDField()
    at = models.DateTimeField()
    changes = models.JSONField()  # [{"conversation": id, "inbox": id, "what": …}]

    class Meta:
        indexes = [models.Index(fields=["organisation_id", "number"], name="live_event_tail")]
