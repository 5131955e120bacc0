"""Two organisations in one database: neither lock lets one see, change or point at what is the other's."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import UTC
from uuid import UUID

import psycopg
import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from desk_builder import Desk
from klankbord.desk.conversations.asking import read
from klankbord.desk.conversations.models import (
    Conversation,
    Label,
    Message,
    Outbox,
    Thread,
)
from klankbord.desk.conversations.search import find
from klankbord.desk.inboxes.models import Delivery, Inbox
from klankbord.desk.masonry import WallBroken, check_wall, queue_models, walled_models
from klankbord.desk.organisations.models import Membership, Role, Team
from klankbord.desk.rows import run
from klankbord.desk.wall import NoOrganisation, OtherOrganisation, current_organisation_id, organisation
from klankbord.kernel.ids import uuid7
from roles import become_within

pytestmark = pytest.mark.django_db


@pytest.fixture
def zon(db: None) -> Desk:
    return Desk("zon")


@contextlib.contextmanager
def refused(*kinds: type[Exception]) -> Iterator[None]:
    """The database refuses; what ran before stays."""
    with pytest.raises(kinds or (DatabaseError, psycopg.Error)), transaction.atomic():
        yield


# ------------------------------------------------------------------------------------------ the first lock


@pytest.mark.parametrize("model", walled_models(), ids=lambda model: model.__name__)
def test_a_walled_table_cannot_be_asked_for_outside_an_organisation(db: None, model: type) -> None:
    with pytest.raises(NoOrganisation):
        model.objects.count()  # type: ignore[attr-defined]
    with pytest.raises(NoOrganisation):
        model._base_manager.first()  # type: ignore[attr-defined]


def test_a_row_cannot_be_made_outside_an_organisation(db: None) -> None:
    with pytest.raises(NoOrganisation):
        Team(name="Bezorging")


def test_relations_and_refreshing_are_scoped_as_well(desk: Desk) -> None:
    [conversation] = desk.receive(desk.inbox(), desk.event())
    with pytest.raises(NoOrganisation):
        conversation.refresh_from_db()
    with pytest.raises(NoOrganisation):
        list(conversation.threads.all())
    with pytest.raises(NoOrganisation):
        _ = conversation.contact.name


def test_one_organisation_cannot_be_opened_inside_another(desk: Desk, zon: Desk) -> None:
    with desk.open():
        with pytest.raises(OtherOrganisation), zon.open():
            raise AssertionError("the other wall was opened")
        assert current_organisation_id() == desk.organisation.id


def test_the_same_organisation_may_be_opened_inside_itself(desk: Desk) -> None:
    with desk.open(), desk.open():
        Team.objects.create(name="Bezorging")
    with desk.open():
        assert Team.objects.count() == 1


def test_an_organisations_name_is_taken_as_a_uuid_and_never_as_sql(db: None) -> None:
    with pytest.raises(ValueError, match="badly formed"), organisation("'; SELECT 1 --"):  # type: ignore[arg-type]
        raise AssertionError("opened")


# ------------------------------------------------------------------------------------------ the second lock


@pytest.mark.parametrize("model", [*walled_models(), *queue_models()], ids=lambda model: model.__name__)
def test_raw_sql_outside_an_organisation_fails_loudly(db: None, model: type) -> None:
    """Not zero rows: a forgotten wall must be seen at once. (The planner may skip the policy of an empty table's
    scan, so the condition itself is asked for.)"""
    table = model._meta.db_table  # type: ignore[attr-defined]
    with refused(), connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table} UNION ALL SELECT 1 WHERE"
                       " current_setting('klankbord.organisation')::uuid IS NULL")  # fmt: skip
        cursor.fetchall()


def test_raw_sql_outside_an_organisation_fails_loudly_when_there_are_rows(desk: Desk) -> None:
    desk.receive(desk.inbox(), desk.event())
    for table in ("conversations_conversation", "conversations_message", "contacts_contact", "conversations_outbox"):
        with refused():
            run(f"SELECT * FROM {table} WHERE id IS NOT NULL")
        with refused():
            run(f"DELETE FROM {table}")


def test_another_organisations_rows_are_invisible_and_unchangeable(desk: Desk, zon: Desk) -> None:
    [theirs] = zon.receive(zon.inbox(), zon.event(text="Geheim van Zon"))
    with desk.open():
        assert run("SELECT * FROM conversations_message") == []
        assert run("SELECT * FROM conversations_conversation WHERE id = %s", [theirs.id]) == []
        assert run("UPDATE conversations_conversation SET title = 'x' WHERE id = %s RETURNING id", [theirs.id]) == []
        assert run("DELETE FROM conversations_message RETURNING id") == []
        assert not Conversation.objects.filter(id=theirs.id).exists()
        assert not Conversation._base_manager.filter(id=theirs.id).exists()
    assert [message.text for message in zon.messages()] == ["Geheim van Zon"]


def test_no_row_can_be_made_for_another_organisation_nor_given_to_it(desk: Desk, zon: Desk) -> None:
    with desk.open():
        label = Label.objects.create(name="klacht")
        with refused():
            Label.objects.create(name="gestolen", organisation_id=zon.organisation.id)
        with refused():
            run("UPDATE conversations_label SET organisation_id = %s WHERE id = %s", [zon.organisation.id, label.id])
        with refused():
            Outbox.objects.create(
                id=uuid7(), organisation_id=zon.organisation.id, inbox_id=uuid7(), thread_id=uuid7(),
                due_at=zon.now, queued_at=zon.now,
            )  # fmt: skip


def test_saving_a_row_never_moves_it_to_another_organisation(desk: Desk, zon: Desk) -> None:
    with desk.open():
        label = Label.objects.create(name="klacht")
        label.organisation_id = zon.organisation.id
        label.name = "compliment"
        label.save()
        assert Label.objects.get().name == "compliment"
    with zon.open():
        assert not Label.objects.exists()


def test_no_row_can_point_at_another_organisations_row(desk: Desk, zon: Desk) -> None:
    """Row-level security does not look at foreign keys; the composite keys do."""
    [theirs] = zon.receive(zon.inbox(), zon.event())
    [ours] = desk.receive(desk.inbox(), desk.event())
    with desk.open():
        with refused(IntegrityError):
            Thread.objects.filter(conversation_id=ours.id).update(conversation_id=theirs.id)
        with refused(IntegrityError):
            Message.objects.filter(conversation_id=ours.id).update(conversation_id=theirs.id)


def test_both_organisations_may_have_a_row_with_the_same_id(desk: Desk, zon: Desk) -> None:
    """Or the key of a row would tell whether somebody else has it."""
    same = uuid7()
    for each in (desk, zon):
        with each.open():
            Label.objects.create(id=same, name=each.organisation.slug)
    with desk.open():
        assert Label.objects.get(id=same).name == "wolk"


def test_leaving_the_wall_inside_a_larger_transaction_closes_it(desk: Desk) -> None:
    with transaction.atomic():
        with desk.open():
            Label.objects.create(name="klacht")
        with pytest.raises(NoOrganisation):
            Label.objects.count()
        with refused():
            run("SELECT * FROM conversations_label WHERE name <> ''")


def test_leaving_the_wall_by_an_error_closes_it_and_tells_that_error(desk: Desk) -> None:
    """The error of the database must not be hidden by what closes the wall: its kind decides what happens next."""
    with transaction.atomic():
        with pytest.raises(IntegrityError), desk.open():
            run(
                "INSERT INTO conversations_label (id, organisation_id, name, colour)"
                " SELECT gen_random_uuid(), %s, 'twice', n FROM generate_series(1, 2) n",
                [desk.organisation.id],
            )
        with pytest.raises(NoOrganisation):
            Label.objects.count()
        with refused():
            run("SELECT * FROM conversations_label WHERE name <> ''")


def test_a_reference_check_never_shows_another_organisations_row(desk: Desk, zon: Desk) -> None:
    with zon.open():
        theirs = Label.objects.create(name="klacht")
    [ours] = desk.receive(desk.inbox(), desk.event())
    with desk.open(), refused(IntegrityError):
        ours.label_links.create(label_id=theirs.id)


# ------------------------------------------------------------------------------------------ the worker


def test_the_worker_sees_only_the_organisation_it_declared(desk: Desk, zon: Desk) -> None:
    desk.receive(desk.inbox(), desk.event(text="van Wolk"))
    zon.receive(zon.inbox(), zon.event(text="van Zon"))
    become_within("worker")
    try:
        with refused():
            run("SELECT * FROM conversations_message WHERE id IS NOT NULL")
        with zon.open():
            assert run("SELECT text FROM conversations_message") == [("van Zon",)]
            with refused():
                run("UPDATE conversations_message SET organisation_id = %s", [desk.organisation.id])
    finally:
        become_within("app")


def test_the_worker_claims_from_all_organisations_and_the_app_sees_its_own(desk: Desk, zon: Desk) -> None:
    desk.deliver(desk.inbox(), desk.event())
    zon.deliver(zon.inbox(), zon.event())
    with desk.open():
        assert Delivery.objects.count() == 1
    become_within("worker")
    try:
        assert Delivery.objects.count() == 2
    finally:
        become_within("app")


# ------------------------------------------------------------------------------------------ SQL that carries the wall


def test_every_join_compares_the_organisation_too(desk: Desk) -> None:
    """Pins OrganisationKey.get_extra_restriction, which Django does not promise to keep."""
    with desk.open():
        sql = str(Message.objects.select_related("thread__inbox", "conversation__contact", "handle").query)
        reverse = str(Conversation.objects.filter(threads__messages__text="x").query)
    for one, other in [
        ("conversations_message", "conversations_thread"),
        ("conversations_thread", "inboxes_inbox"),
        ("conversations_message", "conversations_conversation"),
        ("conversations_conversation", "contacts_contact"),
        ("conversations_message", "contacts_handle"),
    ]:
        assert f'"{one}"."organisation_id" = ("{other}"."organisation_id")' in sql
    assert '"conversations_conversation"."organisation_id" = ("conversations_thread"."organisation_id")' in reverse or (
        '"conversations_thread"."organisation_id" = ("conversations_conversation"."organisation_id")' in reverse
    )


def test_saving_names_the_organisation_in_where_and_never_in_set(desk: Desk) -> None:
    """Pins Owned._do_update, which Django does not promise to keep."""
    from django.test.utils import CaptureQueriesContext

    with desk.open():
        label = Label.objects.create(name="klacht")
        with CaptureQueriesContext(connection) as seen:
            label.name = "compliment"
            label.save()
            label.save(update_fields=["name"])
            label.refresh_from_db()
    updates = [each["sql"] for each in seen.captured_queries if each["sql"].startswith("UPDATE")]
    assert len(updates) == 2
    for sql in updates:
        changed, _, where = sql.partition(" WHERE ")
        assert "organisation_id" not in changed
        assert '"conversations_label"."organisation_id" = ' in where


# ------------------------------------------------------------------------------------------ search


def search_for(desk: Desk, words: str, by: Membership) -> list[int]:
    with desk.open():
        question = read(words, zone=UTC, today=desk.now.date())
        return [each.conversation.number for each in find(question, by=by).found]


def test_search_finds_only_the_own_organisations_words(desk: Desk, zon: Desk) -> None:
    desk.receive(desk.inbox(), desk.event(text="Mijn gietijzeren braadpan"))
    zon.receive(zon.inbox(), zon.event(text="Een gietijzeren hek"))
    assert search_for(desk, "gietijzeren", desk.person("Noor")) == [1]
    assert search_for(desk, "hek", desk.person("Sem")) == []


def test_search_leaves_out_inboxes_that_a_person_may_not_see(desk: Desk) -> None:
    directie, webshop = desk.inbox("Directie"), desk.inbox("Webshop")
    with desk.open():
        Inbox.objects.filter(id=directie.id).update(is_open_to_all=False)
    desk.receive(directie, desk.event(text="een stroopwafel", place="a"))
    desk.receive(webshop, desk.event(text="nog een stroopwafel", place="b"))
    assert search_for(desk, "stroopwafel", desk.person("Noor")) == [2]
    assert sorted(search_for(desk, "stroopwafel", desk.person("Lea", Role.LEAD))) == [1, 2]


def test_search_uses_its_index_under_the_apps_role(desk: Desk) -> None:
    """`@@` is not leakproof: asked under the policies, the planner may not use the index and reads every document."""
    inbox = desk.inbox()
    places = [f"klant-{number}" for number in range(100)]
    desk.receive(inbox, [desk.event(place=place, person={"id": place}, text="stroopwafel") for place in places])
    with desk.open():
        run(
            """INSERT INTO conversations_message (id, organisation_id, conversation_id, thread_id, inbox_id, kind,
                      visibility, author_kind, author_name, text, html, quoted, at, received_at, in_reply_to, state,
                      state_reason, language, is_automatic, is_history, keeps_open, remarks, also_to, facts)
               SELECT gen_random_uuid(), organisation_id, conversation_id, thread_id, inbox_id, kind, visibility,
                      author_kind, '', 'woord' || n, '', '', at, received_at, '', state, '', '', false, false, false,
                      '[]', '[]', '{}'
                 FROM conversations_message, generate_series(1, 60) n"""
        )
        run(
            """INSERT INTO conversations_searchdocument
                      (id, organisation_id, message_id, conversation_id, inbox_id, at, document)
               SELECT gen_random_uuid(), organisation_id, id, conversation_id, inbox_id, at,
                      to_tsvector('simple', text || ' nr' || replace(id::text, '-', ''))
                 FROM conversations_message WHERE text LIKE 'woord%%'"""
        )
        [(word,)] = run("SELECT 'woord7 & nr' || replace(id::text, '-', '') FROM conversations_message"
                        " WHERE text = 'woord7' LIMIT 1")  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL ROLE NONE")
        cursor.execute("ANALYZE conversations_searchdocument")
    become_within("app")

    def index_scans() -> int:
        [(scans,)] = run("SELECT pg_stat_get_xact_numscans('search_words'::regclass)")
        return int(scans)

    with desk.open():
        before = index_scans()
        found = run("SELECT message_id"
                    " FROM klankbord_find(to_tsquery('simple', %s), %s::uuid[], 50, NULL, NULL, NULL, NULL,"
                    " NULL, NULL, NULL)", [word, [inbox.id]])  # fmt: skip
        assert (len(found), index_scans() - before) == (1, 1)
        before = index_scans()
        found = run(
            "SELECT message_id FROM conversations_searchdocument WHERE document @@ to_tsquery('simple', %s)", [word]
        )
        assert (len(found), index_scans() - before) == (1, 0)


# ------------------------------------------------------------------------------------------ the start-up check


def test_the_product_refuses_to_run_as_the_tables_owner(db: None) -> None:
    check_wall()
    with connection.cursor() as cursor:
        cursor.execute("RESET ROLE")
        cursor.execute("SET LOCAL ROLE NONE")
    try:
        with pytest.raises(WallBroken):
            check_wall()
    finally:
        become_within("app")


@pytest.mark.django_db(transaction=True)
def test_a_pooled_connection_carries_nothing_into_the_next_request() -> None:
    from roles import become

    desk = Desk()
    options = connection.settings_dict["OPTIONS"]
    connection.close()
    connection.settings_dict["OPTIONS"] = {**options, "pool": {"min_size": 1, "max_size": 1, "timeout": 5}}
    try:
        with desk.open():
            Label.objects.create(name="klacht")
            [(first,)] = run("SELECT pg_backend_pid()")
        connection.close()
        [(second,)] = run("SELECT pg_backend_pid()")
        assert second == first
        with pytest.raises(DatabaseError):
            run("SELECT * FROM conversations_label WHERE name <> ''")
    finally:
        connection.close()
        connection.close_pool()
        become("app")


def test_ids_of_other_organisations_are_not_told_by_conflicts(desk: Desk, zon: Desk) -> None:
    with zon.open():
        Label.objects.create(name="klacht")
    with desk.open():
        assert isinstance(Label.objects.create(name="klacht").id, UUID)
