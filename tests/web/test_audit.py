"""The audit log: who came in, who was refused, and who read what."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import DatabaseError, connection, transaction
from django.test import Client

from desk_builder import Desk
from errands import run_errands
from klankbord.desk.organisations.models import AuditLine, ReadingLine, Role
from klankbord.flows import readings
from klankbord.flows.founding import add_person
from klankbord.flows.readings import READINGS
from roles import become_within

from .pages import FRAGMENT, text_of
from .test_accounts import _code, _set_up

PASSWORD = "een-lang-wachtwoord"


@pytest.fixture(autouse=True)
def fresh_counts() -> None:
    cache.clear()
    READINGS.__init__()  # what other tests looked at is undone in the database


def _log_in(client: Client, email: str, password: str = PASSWORD, **options: Any) -> Any:
    return client.post("/accounts/login/", {"login": email, "password": password}, **options)


def _deeds(desk: Desk) -> list[tuple[str, str]]:
    """Who did what, oldest first."""
    run_errands()
    with desk.open():
        return [(line.by.name, line.deed) for line in AuditLine.objects.order_by("at", "id") if line.by]


def _read(desk: Desk) -> list[tuple[str, int]]:
    READINGS.write()
    with desk.open():
        return [(line.by.name, line.number) for line in ReadingLine.objects.order_by("at", "id")]


def test_coming_and_going_are_written_down_with_where_from(desk):
    noor, client = desk.person("Noor"), Client()
    desk.organisation.is_demo = True
    desk.organisation.save()
    _log_in(client, noor.user.email, REMOTE_ADDR="192.0.2.7")
    client.post("/accounts/logout/")
    assert _deeds(desk) == [("Noor", "signed in"), ("Noor", "signed out")]
    with desk.open():
        assert AuditLine.objects.get(deed="signed in").facts == {"origin": "192.0.2.7"}


def test_u20_where_from_is_an_address_and_only_our_own_proxy_may_say_another(desk, settings):
    noor = desk.person("Noor")
    forged = {"x-forwarded-for": "<b>boef</b>\n, 203.0.113.5"}
    for trusted, origin in (("", "192.0.2.7"), ("192.0.2.0/24", "203.0.113.5")):
        settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(update={"trusted_proxies": trusted})
        _log_in(Client(), noor.user.email, REMOTE_ADDR="192.0.2.7", headers=forged)
        with desk.open():
            assert AuditLine.objects.order_by("-id")[0].facts["origin"] == origin


def test_a_wrong_password_and_being_locked_out_are_written_down_for_who_works_here_only(desk):
    noor = desk.person("Noor")
    for _ in range(8):
        _log_in(Client(), noor.user.email, "verkeerd")
    for _ in range(3):
        _log_in(Client(), "niemand@wolk.example", "verkeerd", REMOTE_ADDR="192.0.2.9")
    deeds = _deeds(desk)
    assert deeds.count(("Noor", "sign-in failed")) == 5
    assert deeds.count(("Noor", "sign-in locked")) == 1
    assert len(deeds) == 6


def test_t5_a_wrong_password_costs_the_same_work_for_any_address(desk):
    from django.test.utils import CaptureQueriesContext

    noor, work = desk.person("Noor"), []
    _log_in(Client(), "eerst@wolk.example", "verkeerd")
    for address in (noor.user.email, "niemand@wolk.example"):
        with CaptureQueriesContext(connection) as queries:
            _log_in(Client(), address, "verkeerd")
        work.append([each["sql"].split(" ")[0] for each in queries if "organisations_errand" in each["sql"]])
    assert work[0] == work[1] == ["INSERT"]


@pytest.mark.django_db(transaction=True)  # what is added counts once it is committed
def test_the_second_step_is_written_down(desk):
    noor, client = desk.person("Noor"), Client()
    _log_in(client, noor.user.email)
    secret = _set_up(client)
    client.post("/accounts/logout/")
    client = Client()
    _log_in(client, noor.user.email)
    client.post("/accounts/2fa/authenticate/", {"code": "000000"})
    client.post("/accounts/2fa/authenticate/", {"code": _code(secret)})
    deeds = [deed for _, deed in _deeds(desk)]
    assert deeds[:3] == ["signed in", "two-step added", "recovery codes made"]
    assert deeds[3:] == ["signed out", "second step failed", "signed in"]


def test_a_changed_and_a_reset_password_are_written_down(desk, sign_in, mailoutbox):
    noor = desk.person("Noor")
    new = {"password1": "een-ander-lang-wachtwoord", "password2": "een-ander-lang-wachtwoord"}
    sign_in(noor).post("/accounts/password/", {"oldpassword": PASSWORD, **new})
    Client().post("/accounts/password/reset/", {"email": noor.user.email})
    run_errands()
    link = next(re.search(r"/accounts/password/reset/\S+", mail.body)[0] for mail in mailoutbox if "reset" in mail.body)
    client = Client()
    client.post(
        client.get(link).headers["location"], {"password1": "nog-een-wachtwoord", "password2": "nog-een-wachtwoord"}
    )
    assert [deed for _, deed in _deeds(desk)] == ["password changed", "reset link sent", "password reset"]


def test_who_works_for_two_is_written_down_in_both(desk):
    noor, other = desk.person("Noor"), Desk("buren")
    add_person(organisation=other.organisation, email=noor.user.email, name="Noor", password="", role=Role.AGENT)
    client = Client()
    _log_in(client, noor.user.email)
    client.post("/accounts/logout/")
    assert _deeds(desk) == _deeds(other) == [("Noor", "signed in"), ("Noor", "signed out")]


def test_reading_is_written_down_once_an_hour_for_each_person(desk, sign_in):
    desk.receive(desk.inbox(), desk.event(), desk.event(place="bram", person={"id": "bram", "name": "Bram"}))
    noor, lea = sign_in(desk.person("Noor")), sign_in(desk.person("Lea", Role.LEAD))
    for _ in range(3):
        noor.get("/inbox/all/1")
        noor.get("/conversations/1/timeline", headers=FRAGMENT)
        noor.get("/conversations/1/about", headers=FRAGMENT)
    lea.get("/conversations/2/about", headers=FRAGMENT)
    noor.get("/inbox/all")
    assert _read(desk) == [("Noor", 1), ("Lea", 2)]


def test_another_process_in_the_same_hour_adds_no_second_line_and_the_next_hour_does(desk):
    [conversation] = desk.receive(desk.inbox(), desk.event())
    noor = desk.person("Noor")
    for gatherer, at in ((readings.Readings(), desk.now), (readings.Readings(), desk.now + timedelta(minutes=5)),
                         (readings.Readings(), desk.now + timedelta(hours=1))):  # fmt: skip
        gatherer.note(conversation=conversation.id, by=noor, now=at)
        gatherer.write()
    assert len(_read(desk)) == 2


def test_what_could_not_be_written_is_written_later(desk):
    [conversation] = desk.receive(desk.inbox(), desk.event())
    READINGS.note(conversation=conversation.id, by=desk.person("Noor"), now=desk.now)
    with connection.execute_wrapper(_refuse), pytest.raises(DatabaseError):
        READINGS.write()
    assert _read(desk) == [("Noor", 1)]


def _refuse(*_: Any) -> Any:
    raise DatabaseError("away")


@pytest.mark.parametrize("role", ["app", "worker"])
@pytest.mark.parametrize(
    ("table", "verbs"),
    [("organisations_auditline", ("UPDATE", "DELETE")), ("organisations_readingline", ("UPDATE",))],
)
def test_nobody_can_alter_what_is_written(desk, role, table, verbs):
    """Not by the role of a process; the worker alone may forget readings, when they are old."""
    become_within(role)
    for verb in verbs:
        with connection.cursor() as cursor:
            cursor.execute("SELECT has_table_privilege(current_user, %s, %s)", [table, verb])
            assert cursor.fetchone() == (False,)
    become_within("app")


def test_old_readings_are_forgotten(desk):
    [conversation] = desk.receive(desk.inbox(), desk.event())
    noor = desk.person("Noor")
    for at in (desk.now - timedelta(days=401), desk.now):
        READINGS.note(conversation=conversation.id, by=noor, now=at)
    assert len(_read(desk)) == 2
    become_within("worker")
    readings.forget_old(now=desk.now)
    become_within("app")
    assert len(_read(desk)) == 1


def test_an_administrator_sees_it_by_kind_and_person_and_nobody_else_does(desk, sign_in):
    ada, noor = desk.person("Ada", Role.ADMINISTRATOR), desk.person("Noor")
    [conversation] = desk.receive(desk.inbox(), desk.event())
    _log_in(Client(), noor.user.email, REMOTE_ADDR="192.0.2.7")
    sign_in(noor).get("/inbox/all/1")
    READINGS.write()
    client = sign_in(ada)
    assert "Logboek" in text_of(client.get("/settings/inboxes"))
    every = text_of(client.get("/settings/audit"))
    assert "Noor Logde in vanaf 192.0.2.7" in every
    assert "Verbond een inbox: Webshop" in every
    entry = text_of(client.get("/settings/audit?kind=entry"))
    assert "Logde in" in entry
    assert "Verbond" not in entry
    assert "Logde in" not in text_of(client.get(f"/settings/audit?by={ada.id}"))
    assert "#1 met Anouk de Wit" in text_of(client.get("/settings/audit?kind=reading"))
    about = client.get(f"/settings/audit?kind=reading&contact={conversation.contact_id}")
    assert "Wie gesprekken met Anouk de Wit bekeek" in text_of(about)
    for role in (Role.AGENT, Role.LEAD, Role.ANALYST):
        assert sign_in(desk.person(f"X{role}", role)).get("/settings/audit").status_code == 403


def test_it_is_paged_by_where_one_is_and_not_by_number(desk, sign_in):
    ada, shown = desk.person("Ada", Role.ADMINISTRATOR), []
    with desk.open(), transaction.atomic():
        for number in range(120):
            AuditLine.objects.create(
                at=desk.now + timedelta(minutes=number // 3), by=ada, deed="inbox changed", subject="inbox",
                subject_id=desk.organisation.id, facts={"name": f"Inbox-{number:03}"},
            )  # fmt: skip
    client, address = sign_in(ada), "/settings/audit?kind=inboxes"
    while address:
        page = client.get(address).content.decode()
        shown += re.findall(r"Inbox-\d+", page)
        further = re.search(r'href="(\?[^"]*before=[^"]*)">Ouder', page)
        address = f"/settings/audit{further[1].replace('&amp;', '&')}" if further else ""
    assert len(shown) == len(set(shown)) == 120
    assert client.get("/settings/audit?before=onzin&kind=x&by=y").status_code == 200


def test_names_of_inboxes_and_people_are_words_only(desk, sign_in):
    ada = desk.person("Ada", Role.ADMINISTRATOR)
    desk.inbox("<script>alert(1)</script>")
    assert "<script>alert" not in sign_in(ada).get("/settings/audit").content.decode()
