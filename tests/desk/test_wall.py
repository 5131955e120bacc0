"""The organisation wall as the database itself describes it: every table, every key, every right."""

from __future__ import annotations

from typing import Any

import pytest
from django.apps import apps
from django.db import connection

from klankbord.desk.masonry import explain_wall, queue_models, walled_models
from klankbord.desk.wall import OrganisationKey

pytestmark = pytest.mark.django_db

ROLES = ("klankbord_app", "klankbord_worker")
# What must be known before an organisation is open: ids, hashes and names of people at work, nothing of customers.
ENTRANCES = {
    "organisations_membership",
    "inboxes_inboxroute",
    "inboxes_visitorsession",
    "conversations_liveevent",
    "integrations_tokenroute",
    "organisations_invitation",  # an e-mail address and the hash of a link, before its person works here
}
OWNERS_FUNCTIONS = {
    "klankbord_find",
    "klankbord_make_delivery_partitions",
    "klankbord_drop_delivery_partitions",
    "klankbord_find_contacts",
    "klankbord_gauges",  # counts of waiting work, whoever's it is
}
WALLED = sorted(model._meta.db_table for model in walled_models())
QUEUES = sorted(model._meta.db_table for model in queue_models())


def rows(sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return list(cursor.fetchall())


def test_every_table_that_names_an_organisation_is_behind_the_wall_or_a_known_entrance(db: None) -> None:
    found = {each["table"]: each for each in explain_wall()}
    assert {table for table, each in found.items() if not each["is_walled"]} == ENTRANCES
    assert set(found) - ENTRANCES == {*WALLED, *QUEUES}


@pytest.mark.parametrize("table", [*WALLED, *QUEUES])
def test_a_walled_table_has_one_policy_for_each_role_and_does_not_bind_its_owner(db: None, table: str) -> None:
    [wall] = [each for each in explain_wall() if each["table"] == table]
    assert wall["is_walled"]
    assert not wall["is_forced"]  # or a back-up by the owner would fail
    assert wall["policies"] == list(ROLES)


@pytest.mark.parametrize("table", WALLED)
def test_a_walled_tables_key_begins_with_the_organisation(db: None, table: str) -> None:
    [(columns,)] = rows(
        """SELECT array_agg(attname::text ORDER BY place)
             FROM pg_constraint c, unnest(c.conkey) WITH ORDINALITY AS k(number, place)
             JOIN pg_attribute a ON a.attnum = k.number
            WHERE c.conrelid = %s::regclass AND a.attrelid = c.conrelid AND c.contype = 'p'""",
        table,
    )
    assert columns == ["organisation_id", "id"]


@pytest.mark.parametrize("table", WALLED)
def test_every_index_of_a_walled_table_begins_with_the_organisation(db: None, table: str) -> None:
    """Unique ones, or one organisation could see that another has a row; the others, or lists would walk them all."""
    found = rows(
        """SELECT i.relname, a.attname
             FROM pg_index x
             JOIN pg_class i ON i.oid = x.indexrelid
             JOIN pg_am m ON m.oid = i.relam AND m.amname = 'btree'
             LEFT JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = x.indkey[0]
            WHERE x.indrelid = %s::regclass""",
        table,
    )
    assert found
    assert {name: column for name, column in found if column != "organisation_id"} == {}


def organisation_keys() -> list[tuple[str, str, str]]:
    return [
        (model._meta.db_table, field.column, field.remote_field.model._meta.db_table)
        for model in walled_models()
        for field in model._meta.local_fields
        if isinstance(field, OrganisationKey)
    ]


@pytest.mark.parametrize(("table", "column", "remote"), organisation_keys())
def test_a_key_between_walled_rows_carries_the_organisation_and_is_checked_at_once(
    db: None, table: str, column: str, remote: str
) -> None:
    found = rows(
        """SELECT (SELECT array_agg(attname::text ORDER BY place) FROM unnest(c.conkey) WITH ORDINALITY AS k(n, place)
                     JOIN pg_attribute ON attrelid = c.conrelid AND attnum = n),
                  (SELECT array_agg(attname::text ORDER BY place) FROM unnest(c.confkey) WITH ORDINALITY AS k(n, place)
                     JOIN pg_attribute ON attrelid = c.confrelid AND attnum = n),
                  c.condeferrable, c.convalidated
             FROM pg_constraint c
            WHERE c.contype = 'f' AND c.conrelid = %s::regclass AND c.confrelid = %s::regclass
              AND c.conkey @> ARRAY(SELECT attnum FROM pg_attribute WHERE attrelid = c.conrelid AND attname = %s)""",
        table,
        remote,
        column,
    )
    assert found == [(["organisation_id", column], ["organisation_id", "id"], False, True)]


def test_no_table_outside_the_wall_refers_to_one_inside(db: None) -> None:
    found = rows(
        "SELECT conrelid::regclass::text, confrelid::regclass::text FROM pg_constraint WHERE contype = 'f'"
        " AND confrelid::regclass::text = ANY(%s) AND NOT conrelid::regclass::text = ANY(%s)",
        WALLED,
        WALLED,
    )
    assert found == []


def test_models_behind_the_wall_refer_to_each_other_only_by_organisation_keys() -> None:
    wrong = [
        f"{model.__name__}.{field.name}"
        for model in walled_models()
        for field in model._meta.get_fields()
        if field.is_relation
        and field.concrete
        and field.related_model in walled_models()
        and not isinstance(field, OrganisationKey)
    ]
    assert wrong == []
    assert [model for model in apps.get_models() if model._meta.many_to_many and model in walled_models()] == []


@pytest.mark.parametrize("role", ROLES)
def test_a_role_is_no_way_around_the_wall(db: None, role: str) -> None:
    assert rows(
        "SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolcanlogin FROM pg_roles WHERE rolname = %s", role
    ) == [(False, False, False, False, False)]
    assert rows("SELECT relname FROM pg_class WHERE relowner = %s::regrole", role) == []
    assert rows("SELECT proname FROM pg_proc WHERE proowner = %s::regrole", role) == []
    assert rows("SELECT r.rolname FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.roleid"
                " WHERE m.member = %s::regrole", role) == []  # fmt: skip
    assert rows("SELECT has_schema_privilege(%s, 'public', 'CREATE')", role) == [(False,)]


@pytest.mark.parametrize("role", ROLES)
def test_a_role_may_not_empty_tables_or_set_triggers(db: None, role: str) -> None:
    found = rows(
        "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace"
        " AND (has_table_privilege(%s, oid, 'TRUNCATE') OR has_table_privilege(%s, oid, 'TRIGGER')"
        " OR has_table_privilege(%s, oid, 'REFERENCES'))",
        role, role, role,
    )  # fmt: skip
    assert found == []


@pytest.mark.parametrize("role", ROLES)
def test_a_role_reaches_partitions_only_through_their_parent(db: None, role: str) -> None:
    """A parent's policy does not hold on a partition that is touched directly."""
    partitions = rows(
        "SELECT oid, has_any_column_privilege(%s, oid, 'SELECT, INSERT, UPDATE') OR"
        " has_table_privilege(%s, oid, 'DELETE') FROM pg_class WHERE relispartition AND relkind = 'r'",
        role, role,
    )  # fmt: skip
    assert len(partitions) >= 8
    assert not any(is_reachable for _, is_reachable in partitions)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("table", ["organisations_auditline", "conversations_event"])
def test_what_happened_can_be_added_to_and_never_changed(db: None, role: str, table: str) -> None:
    granted = {
        right
        for right in ("SELECT", "INSERT", "UPDATE", "DELETE")
        if rows("SELECT has_table_privilege(%s, %s, %s)", role, table, right) == [(True,)]
    }
    assert granted == {"SELECT", "INSERT"}
    assert rows("SELECT has_any_column_privilege(%s, %s, 'UPDATE')", role, table) == [(False,)]


def test_the_worker_may_not_change_people(db: None) -> None:
    for table in ("organisations_user", "organisations_membership"):
        for right in ("INSERT", "UPDATE", "DELETE"):
            assert rows("SELECT has_table_privilege('klankbord_worker', %s, %s)", table, right) == [(False,)]


def test_few_functions_run_as_the_owner_and_not_everybody_may_call_them(db: None) -> None:
    found = rows(
        "SELECT proname, proconfig::text, has_function_privilege('public', oid, 'EXECUTE') FROM pg_proc"
        " WHERE prosecdef AND pronamespace = 'public'::regnamespace"
    )
    assert {name for name, _, _ in found} == OWNERS_FUNCTIONS
    assert all("search_path=public, pg_temp" in settings for _, settings, _ in found)
    assert not any(is_anyones for _, _, is_anyones in found)


def test_there_are_no_views_that_would_run_as_their_owner(db: None) -> None:
    found = rows(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND (relkind = 'm' OR"
        " (relkind = 'v' AND NOT coalesce(reloptions::text, '') LIKE '%%security_invoker=true%%'))"
    )
    assert found == []
