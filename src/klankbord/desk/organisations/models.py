"""Organisations and their people. Organisation, User and Membership are entrance tables: what must be known before
an organisation is open. The rest is behind the wall."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import models

from klankbord.kernel.ids import uuid7

from ..wall import OrganisationKey, Owned


class Language(models.TextChoices):
    DUTCH = "nl", "Nederlands"
    ENGLISH = "en", "English"


class Organisation(models.Model):
    worker_rights: ClassVar[str] = "SELECT, UPDATE"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=120)
    slug = models.SlugField(max_length=60, unique=True)
    language = models.CharField(max_length=8, choices=Language.choices, default=Language.DUTCH)
    time_zone = models.CharField(max_length=60, default="Europe/Amsterdam")
    undo_seconds = models.PositiveSmallIntegerField(default=10)  # how long a reply can be taken back
    answering_takes = models.BooleanField(default=True)  # whoever answers nobody's conversation becomes its owner
    reply_key = models.BinaryField()  # sealed; signs the tags by which answers find their thread
    sends_are_held = models.BooleanField(default=False)  # restore fence: nothing leaves until a person confirms
    is_demo = models.BooleanField(default=False)
    asks_second_step = models.BooleanField(default=True)  # two steps to sign in, for everybody
    second_step_from = models.DateTimeField(null=True)  # until then people are reminded and not stopped
    set_up_step = models.CharField(max_length=12, blank=True)  # where the first-run wizard is; empty when it is done
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


class Role(models.TextChoices):
    AGENT = "agent"  # answers
    LEAD = "lead"  # sees every inbox, assigns, coaches
    ANALYST = "analyst"  # reads everything, answers nothing
    ADMINISTRATOR = "administrator"  # connects channels, manages people


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **facts: Any) -> User:
        user = self.model(email=self.normalise(email), **facts)
        user.set_password(password)
        user.save()
        return user

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(email=self.normalise(username or ""))

    @staticmethod
    def normalise(email: str) -> str:
        """Addresses are look-up keys, so they are kept in one form: plain equality, no lower() in the database."""
        return email.strip().lower()


class User(AbstractBaseUser):
    worker_rights: ClassVar[str] = "SELECT"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    email = models.CharField(max_length=254, unique=True)
    name = models.CharField(max_length=120)
    language = models.CharField(max_length=8, choices=Language.choices, default=Language.DUTCH)
    theme = models.CharField(max_length=8, default="system")  # system, light, dark
    density = models.CharField(
        max_length=12, default="comfortable", db_default="comfortable"
    )  # of the rows of lists: comfortable, compact
    is_active = models.BooleanField(default=True)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    at_desks: Sequence[Membership] = ()  # where they work, once somebody looked it up

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """A person's place in one organisation: the `owner` of conversations, the author of replies."""

    worker_rights: ClassVar[str] = "SELECT"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=16, choices=Role.choices, default=Role.AGENT)
    initials = models.CharField(max_length=4, blank=True)
    needs_approval = models.BooleanField(default=False)  # a trainee: a colleague looks at each reply before it leaves
    is_active = models.BooleanField(default=True)
    seen_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organisation", "user"], name="one_membership_per_user")]

    def __str__(self) -> str:
        return self.user.name

    @property
    def name(self) -> str:
        return self.user.name


class Errand(models.Model):
    """Entrance: something to be done off the request, such as a mail of the desk's own. Gone when it is done.

    Sealed, because it holds addresses and links; without an organisation, because who forgot a password has none open.
    """

    rights: ClassVar[str] = "INSERT"
    worker_rights: ClassVar[str] = "SELECT, INSERT, DELETE"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    kind = models.CharField(max_length=40)
    sealed = models.BinaryField()  # JSON of what its work is told
    created_at = models.DateTimeField()


class ResetLink(models.Model):
    """Entrance: a way to choose a new password, once. Only the hash of its token is kept."""

    token_hash = models.CharField(max_length=64, primary_key=True)  # SHA-256, hexadecimal
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    expires_at = models.DateTimeField()


class DeskSession(models.Model):
    """Entrance: somebody's browser, signed in or about to. Only the hash of what its cookie says is kept."""

    worker_rights: ClassVar[str] = "SELECT, DELETE"

    key_hash = models.CharField(max_length=64, primary_key=True)  # SHA-256, hexadecimal
    data = models.TextField()  # signed
    user = models.ForeignKey(User, on_delete=models.CASCADE, null=True, related_name="+")
    device = models.CharField(max_length=200, blank=True)  # what the browser says of itself
    origin = models.CharField(max_length=45, blank=True)  # the address from which somebody signed in
    began_at = models.DateTimeField()
    seen_at = models.DateTimeField()  # within five minutes
    expires_at = models.DateTimeField(db_index=True)


class Invitation(models.Model):
    """Entrance: a place that waits for somebody, in one organisation and with one role. Gone once it is taken."""

    worker_rights: ClassVar[str] = "SELECT"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    token_hash = models.CharField(max_length=64, unique=True)  # SHA-256, hexadecimal
    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="+")
    email = models.CharField(max_length=254)
    role = models.CharField(max_length=16, choices=Role.choices)
    by = models.ForeignKey(Membership, on_delete=models.CASCADE, related_name="+")
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organisation", "email"], name="one_invitation_each")]


class Branding(Owned):
    """How an organisation looks to its customers. Apart, because a logo is not read with every request."""

    accent = models.CharField(max_length=7, blank=True)  # "#0a6b5e"; empty for the house's own
    logo = models.BinaryField(null=True)  # a PNG that we drew ourselves
    changed_at = models.DateTimeField()

    class Meta(Owned.Meta):
        constraints = [models.UniqueConstraint(fields=["organisation"], name="one_branding")]


class ReadingLine(Owned):
    """Who looked at which conversation, once an hour. Nobody may change a line; the worker forgets old ones.

    Ids without foreign keys: the line stands when the conversation is gone. at: the first look in that hour.
    """

    rights: ClassVar[str] = "SELECT, INSERT"
    worker_rights: ClassVar[str] = "SELECT, DELETE"

    hour = models.DateTimeField()
    at = models.DateTimeField()
    by = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+", db_index=False)
    conversation_id = models.UUIDField()
    number = models.BigIntegerField()
    contact_id = models.UUIDField()

    class Meta(Owned.Meta):
        indexes = [
            models.Index(fields=["organisation", "-at", "id"], name="reading_by_time"),
            models.Index(fields=["organisation", "contact_id", "-at"], name="reading_by_contact"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "by", "conversation_id", "hour"], name="reading_once_an_hour"
            )
        ]


class Team(Owned):
    """is_gone: removed; what is over still names it, and a new team of that name is this one again."""

    name = models.CharField(max_length=80)
    is_gone = models.BooleanField(default=False, db_default=False)

    class Meta(Owned.Meta):
        constraints = [models.UniqueConstraint(fields=["organisation", "name"], name="team_name_once")]

    def __str__(self) -> str:
        return self.name


class TeamMember(Owned):
    team = OrganisationKey(Team, related_name="members")
    member = models.ForeignKey(Membership, on_delete=models.CASCADE, related_name="+", db_index=False)

    class Meta(Owned.Meta):
        constraints = [models.UniqueConstraint(fields=["organisation", "team", "member"], name="team_member_once")]


class NumberSeries(Owned):
    """A counter row: short numbers per organisation, given out by UPDATE … RETURNING."""

    name = models.CharField(max_length=40)
    last = models.BigIntegerField(default=0)

    class Meta(Owned.Meta):
        constraints = [models.UniqueConstraint(fields=["organisation", "name"], name="number_series_once")]


class AuditLine(Owned):
    """Who did or read what. Append-only: neither role may change or remove a line."""

    rights: ClassVar[str] = "SELECT, INSERT"

    at = models.DateTimeField()
    by = models.ForeignKey(Membership, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    deed = models.CharField(max_length=60)
    subject = models.CharField(max_length=60, blank=True)
    subject_id = models.UUIDField(null=True)
    facts = models.JSONField(default=dict)

    class Meta(Owned.Meta):
        indexes = [models.Index(fields=["organisation", "-at", "id"], name="audit_by_time")]
