"""Foreign keys point down, as imports do; and no row outside the wall points behind it."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState
from django.db.models import ForeignObject
from django.utils import translation

from klankbord.desk.wall import Owned

# Lowest first. What is not named here (Django's own, sign-in, jobs) stands under all of it.
ORDER = ["organisations", "library", "inboxes", "contacts", "conversations", "notices", "integrations"]
HOUSE = [model for model in apps.get_models(include_auto_created=True) if model.__module__.startswith("klankbord.")]


def rank(label: str) -> int:
    return ORDER.index(label) if label in ORDER else -1


def keys(model):
    return [field for field in model._meta.get_fields() if isinstance(field, ForeignObject) and not field.auto_created]


def test_every_app_with_tables_has_its_place_in_the_order():
    assert {model._meta.app_label for model in HOUSE} <= set(ORDER)


@pytest.mark.parametrize("model", HOUSE, ids=lambda model: model._meta.label)
def test_foreign_keys_point_down(model):
    upward = [
        field.name for field in keys(model) if rank(field.related_model._meta.app_label) > rank(model._meta.app_label)
    ]
    assert upward == []


@pytest.mark.parametrize("model", [each for each in HOUSE if not issubclass(each, Owned)], ids=lambda m: m._meta.label)
def test_rows_before_the_wall_do_not_point_behind_it(model):
    assert [field.name for field in keys(model) if issubclass(field.related_model, Owned)] == []


def test_no_model_waits_for_a_migration():
    written = MigrationLoader(None)
    with translation.override(None, deactivate=True):  # names of fields are compared as written, not as translated
        changes = MigrationAutodetector(written.project_state(), ProjectState.from_apps(apps)).changes(written.graph)
    waiting = {app: [str(one) for each in found for one in each.operations] for app, found in changes.items()}
    assert {app: operations for app, operations in waiting.items() if app in ORDER} == {}
