"""The organisation wall: two locks between organisations that share a database.

First lock: every walled model is `Owned`; its manager adds the organisation to every query and raises outside
`with organisation(id):`. Second lock: row-level security in PostgreSQL for two roles that own nothing, built by
`desk.masonry`. Foreign keys between walled models are `OrganisationKey`s, so that joins and the database's own
checks carry the organisation as well.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any, ClassVar, Self, TypeVar
from uuid import UUID

from django.conf import settings
from django.db import connection, models, transaction
from django.db.models.lookups import Exact

from klankbord.kernel.ids import uuid7

_Row = TypeVar("_Row", bound=models.Model)

_current: ContextVar[UUID | None] = ContextVar("organisation", default=None)


class NoOrganisation(RuntimeError):
    """A walled table was used outside `with organisation(id):`."""


class OtherOrganisation(RuntimeError):
    """One organisation was opened inside another."""


@contextlib.contextmanager
def organisation(organisation_id: UUID) -> Iterator[UUID]:
    """Open the wall for one organisation: a transaction in which its rows, and no others, can be seen.

    May be nested for the same organisation. Raises OtherOrganisation when nested for another.
    """
    organisation_id = UUID(str(organisation_id))
    outer = _current.get()
    if outer == organisation_id:
        with transaction.atomic():
            yield organisation_id
        return
    if outer is not None:
        raise OtherOrganisation(f"{organisation_id} inside {outer}")
    is_nested = connection.in_atomic_block
    with transaction.atomic():
        _set_local(str(organisation_id))
        token = _current.set(organisation_id)
        try:
            yield organisation_id
        finally:
            _current.reset(token)
    # A savepoint's release keeps SET LOCAL, so inside an outer transaction it must be taken back by hand. An error
    # leaves by a rollback, which takes it back itself; a statement here would only hide what went wrong.
    if is_nested and not connection.needs_rollback:
        _set_local("")


def _set_local(value: str) -> None:
    # The statement, not set_config(): only SET LOCAL reaches the shards of a distributed database.
    # The value is a UUID's own text or empty, so it cannot carry anything else.
    with connection.cursor() as cursor:
        if settings.DATABASE_ROLE == "worker":
            listed = f"{{{value}}}" if value else ""
            cursor.execute(f"SET LOCAL klankbord.organisations = '{listed}'")
        else:
            cursor.execute(f"SET LOCAL klankbord.organisation = '{value}'")


def current_organisation_id() -> UUID:
    """The organisation that is open. Raises NoOrganisation when none is."""
    found = _current.get()
    if found is None:
        raise NoOrganisation("Open the wall first: with organisation(id): …")
    return found


class Scoped(models.Manager[_Row]):
    """The first lock: every query carries the organisation that is open."""

    use_in_migrations = False

    def get_queryset(self) -> models.QuerySet[_Row]:
        return super().get_queryset().filter(organisation_id=current_organisation_id())


class Owned(models.Model):
    """A row behind the wall. `rights`: what the two roles may do with its table."""

    rights: ClassVar[str] = "SELECT, INSERT, UPDATE, DELETE"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    organisation = models.ForeignKey(
        "organisations.Organisation",
        on_delete=models.PROTECT,
        db_index=False,
        related_name="+",
        default=current_organisation_id,
        editable=False,
    )

    objects: ClassVar[Scoped[Self]] = Scoped()

    class Meta:
        abstract = True
        base_manager_name = "objects"

    def _do_update(
        self, base_qs: Any, using: Any, pk_val: Any, values: Any, update_fields: Any, forced_update: Any, *more: Any
    ) -> Any:
        # A row never changes organisation; a distributed table refuses even an unchanged distribution column in SET.
        values = [each for each in values if each[0].attname != "organisation_id"]
        return super()._do_update(base_qs, using, pk_val, values, update_fields, forced_update, *more)


class Queued(models.Model):
    """A row of the engine's own queues: claimed across organisations by the worker, readable to its own in the app.

    Carries the organisation's id without a foreign key, so that queues can stay on one node.
    """

    rights: ClassVar[str] = "SELECT, INSERT, UPDATE, DELETE"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    organisation_id = models.UUIDField(editable=False)

    objects: ClassVar[models.Manager[Self]] = models.Manager()

    class Meta:
        abstract = True


class OrganisationKey(models.ForeignKey[Any, Any]):
    """A foreign key between walled rows: the real constraint is (organisation, id), made by `desk.masonry`."""

    def __init__(self, to: Any, on_delete: Any = models.CASCADE, **options: Any) -> None:
        options["db_constraint"] = False
        options.setdefault("db_index", False)
        super().__init__(to, on_delete, **options)

    def deconstruct(self) -> Any:
        name, path, args, options = super().deconstruct()
        options.pop("db_constraint", None)
        if not self.db_index:  # type: ignore[attr-defined]
            options.pop("db_index", None)
        return name, path, args, options

    def get_extra_restriction(self, alias: str | None, related_alias: str) -> Any:
        """Every JOIN over this key also compares the organisation."""
        remote: Any = self.remote_field.model._meta.get_field("organisation")
        local: Any = self.model._meta.get_field("organisation")
        return Exact(local.get_col(related_alias), remote.get_col(alias))
