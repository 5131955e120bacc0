"""People who write to us, their identities on platforms, and what colleagues know of them."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from ..organisations.models import Membership
from ..wall import OrganisationKey, Owned


class Company(Owned):
    """An organisation that contacts work for. key: its name folded, so that two spellings are one."""

    name = models.CharField(max_length=200)
    key = models.CharField(max_length=250)
    created_at = models.DateTimeField()

    class Meta(Owned.Meta):
        constraints = [models.UniqueConstraint(fields=["organisation", "key"], name="company_once")]

    def __str__(self) -> str:
        return self.name


class Contact(Owned):
    """A person. The database keeps two columns more for lists and searching: name_key and words.

    merged_into: this row was joined with another and stands aside until that is undone. values: of the fields that
    administrators defined, by the field's id in hexadecimal.
    """

    name = models.CharField(max_length=200)
    language = models.CharField(max_length=8, blank=True)
    notes = models.TextField(blank=True)
    facts = models.JSONField(default=dict)
    company = OrganisationKey(Company, on_delete=models.PROTECT, null=True, related_name="contacts")
    is_vip = models.BooleanField(default=False, db_default=False)
    blocked_at = models.DateTimeField(null=True)
    values = models.JSONField(default=dict, db_default={})
    merged_into = OrganisationKey("self", on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField()

    class Meta(Owned.Meta):
        indexes = [
            models.Index(
                fields=["organisation", "company"], name="contact_by_company", condition=models.Q(company__isnull=False)
            )
        ]

    def __str__(self) -> str:
        return self.name


class Handle(Owned):
    """A person's opaque id on one platform. Names, addresses and numbers are attributes: they change or are absent.

    realm: where the id is unique when the kind alone is not enough (a Mastodon server).
    """

    contact = OrganisationKey(Contact, related_name="handles")
    kind = models.CharField(max_length=40)
    realm = models.CharField(max_length=254, blank=True)
    external_id = models.CharField(max_length=512)
    name = models.CharField(max_length=200, blank=True)
    username = models.CharField(max_length=254, blank=True)
    email = models.CharField(max_length=254, blank=True)
    phone = models.CharField(max_length=40, blank=True)
    avatar_url = models.TextField(blank=True)
    profile_url = models.TextField(blank=True)
    is_proven = models.BooleanField(default=False)
    is_reachable = models.BooleanField(default=True)
    unreachable_reason = models.TextField(blank=True)
    facts = models.JSONField(default=dict)

    class Meta(Owned.Meta):
        constraints = [
            models.UniqueConstraint(fields=["organisation", "kind", "realm", "external_id"], name="handle_once")
        ]
        indexes = [
            models.Index(fields=["organisation", "contact"], name="handle_by_contact"),
            models.Index(fields=["organisation", "email"], name="handle_by_email"),
        ]

    def __str__(self) -> str:
        return self.username or self.email or self.name or self.external_id


class ContactNote(Owned):
    """What a colleague wrote down about a contact; for colleagues only."""

    contact = OrganisationKey(Contact, related_name="note_lines")
    text = models.TextField()
    by = models.ForeignKey(Membership, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    at = models.DateTimeField()

    class Meta(Owned.Meta):
        indexes = [models.Index(fields=["organisation", "contact", "-at"], name="contact_note_by_contact")]


class Purpose(models.TextChoices):
    """What somebody may agree to, apart from being answered."""

    NEWS = "news"  # news and offers in writing
    CALLS = "calls"  # being called with offers
    SURVEYS = "surveys"  # questions about how it went
    NAMING = "naming"  # being named in public as a fan


class ContactConsent(Owned):
    """A consent given or withdrawn. Only ever added to: the newest line of a purpose holds."""

    rights: ClassVar[str] = "SELECT, INSERT, UPDATE"  # UPDATE: a merge takes the lines along

    contact = OrganisationKey(Contact, related_name="consents")
    purpose = models.CharField(max_length=10, choices=Purpose.choices)
    is_given = models.BooleanField()
    source = models.CharField(max_length=200)  # how we know: a form, a call, a message
    at = models.DateTimeField()
    by = models.ForeignKey(Membership, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)

    class Meta(Owned.Meta):
        indexes = [models.Index(fields=["organisation", "contact", "purpose", "-at"], name="consent_by_contact")]


class FieldKind(models.TextChoices):
    TEXT = "text"
    NUMBER = "number"
    DATE = "date"
    CHOICE = "choice"
    YES_NO = "yes or no"


class ContactField(Owned):
    """A fact that an organisation wants to keep of its contacts. choices: only of kind choice."""

    name = models.CharField(max_length=60)
    kind = models.CharField(max_length=10, choices=FieldKind.choices)
    choices = models.JSONField(default=list)
    position = models.SmallIntegerField(default=0)

    class Meta(Owned.Meta):
        constraints = [models.UniqueConstraint(fields=["organisation", "name"], name="contact_field_once")]

    def __str__(self) -> str:
        return self.name


class ContactMerge(Owned):
    """Two contacts that became one, with all that is needed to part them again.

    moved: table → ids of the rows that went from `gone` to `kept`. filled: what `kept` took over, with what stood there
    before.
    """

    kept = OrganisationKey(Contact, on_delete=models.PROTECT, related_name="+")
    gone = OrganisationKey(Contact, on_delete=models.PROTECT, related_name="+")
    moved = models.JSONField()
    filled = models.JSONField()
    by = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+", db_index=False)
    at = models.DateTimeField()
    undone_at = models.DateTimeField(null=True)

    class Meta(Owned.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "gone"], name="merged_once", condition=models.Q(undone_at__isnull=True)
            )
        ]
        indexes = [models.Index(fields=["organisation", "kept", "-at"], name="merge_by_kept")]


class DifferentPeople(Owned):
    """Somebody said that these two are not the same person: not suggested again. first < second."""

    first = OrganisationKey(Contact, related_name="+")
    second = OrganisationKey(Contact, related_name="+")

    class Meta(Owned.Meta):
        constraints = [models.UniqueConstraint(fields=["organisation", "first", "second"], name="different_people")]


class ImportState(models.TextChoices):
    CHECKED = "checked"  # read and counted; a person decides
    WAITING = "waiting"  # for a worker
    RUNNING = "running"
    DONE = "done"


class ContactImport(Owned):
    """A file of contacts. counts: outcome → rows. troubles: [line, reason] of the rows that are not taken in."""

    name = models.CharField(max_length=200)
    text = models.TextField()  # emptied once it is done
    state = models.CharField(max_length=10, choices=ImportState.choices, default=ImportState.CHECKED)
    rows = models.IntegerField()
    rows_done = models.IntegerField(default=0)
    counts = models.JSONField(default=dict)
    troubles = models.JSONField(default=list)
    by = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+", db_index=False)
    at = models.DateTimeField()

    class Meta(Owned.Meta):
        indexes = [models.Index(fields=["organisation", "-at"], name="contact_import_by_time")]
