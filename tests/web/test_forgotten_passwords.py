"""A forgotten password: a link by mail that works once, and pages that tell strangers nothing."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from errands import run_errands
from klankbord.desk.organisations.models import Membership, ResetLink, User

from .pages import text_of

NEW = "een-ander-lang-wachtwoord"


@pytest.fixture(autouse=True)
def fresh_counts():
    cache.clear()


def _ask(address: str, client: Client | None = None, **options: str):
    return (client or Client()).post("/accounts/password/reset/", {"email": address}, follow=True, **options)


def _link(mail) -> str:
    return re.search(r"http\S+/accounts/password/reset/(\S+)", mail.body)[0].partition("://")[2].partition("/")[2]


def _choose(link: str, password: str = NEW, client: Client | None = None):
    client = client or Client()
    form = client.get(f"/{link}")
    return client.post(form.headers["location"], {"password1": password, "password2": password}, follow=True)


def _signs_in(member: Membership, password: str) -> bool:
    answer = Client().post("/accounts/login/", {"login": member.user.email, "password": password})
    return answer.status_code == 302


def test_a_link_by_mail_opens_once_and_the_old_password_is_gone(desk, mailoutbox):
    noor = desk.person("Noor")
    assert "Kijk in je mail" in text_of(_ask(noor.user.email))
    run_errands()
    [mail] = mailoutbox
    assert mail.to == [noor.user.email]
    assert mail.subject == "Kies een nieuw wachtwoord"
    assert "Je wachtwoord is gewijzigd" in text_of(_choose(_link(mail)))
    assert _signs_in(noor, NEW)
    assert not _signs_in(noor, "een-lang-wachtwoord")
    assert "werkt niet meer" in text_of(Client().get(f"/{_link(mail)}"))
    run_errands()
    assert mailoutbox[1].subject == "Je wachtwoord is gewijzigd"


def test_t5_a_known_and_an_unknown_address_get_the_same_answer_for_the_same_work(desk, mailoutbox):
    noor = desk.person("Noor")
    _ask("iemand@wolk.example")
    answers, work = [], []
    for address in (noor.user.email, "niemand@wolk.example"):
        with CaptureQueriesContext(connection) as queries:
            answers.append(text_of(_ask(address)))
        work.append([re.sub(r"'[^']*'|\d+", "", each["sql"])[:60] for each in queries])
    assert answers[0] == answers[1]
    assert work[0] == work[1]
    run_errands()
    assert [mail.to for mail in mailoutbox] == [[noor.user.email]]


def test_who_was_switched_off_or_works_nowhere_gets_no_link(desk, mailoutbox):
    noor, bram = desk.person("Noor"), desk.person("Bram")
    User.objects.filter(id=noor.user_id).update(is_active=False)
    Membership.objects.filter(id=bram.id).update(is_active=False)
    _ask(noor.user.email)
    _ask(bram.user.email)
    run_errands()
    assert mailoutbox == []


def test_u19_the_link_leads_to_the_configured_address_whatever_the_request_said(desk, mailoutbox, settings):
    settings.ALLOWED_HOSTS = ["*"]
    _ask(desk.person("Noor").user.email, headers={"host": "boef.example"})
    run_errands()
    assert "boef" not in mailoutbox[0].body
    assert f"{settings.PUBLIC_URL}/accounts/password/reset/" in mailoutbox[0].body


def test_t4_neither_the_link_nor_the_mail_can_be_read_in_the_database(desk, mailoutbox):
    noor = desk.person("Noor")
    _ask(noor.user.email)
    with connection.cursor() as cursor:
        cursor.execute("SELECT args::text FROM procrastinate_jobs WHERE task_name = 'klankbord.errand'")
        jobs = str(cursor.fetchall())
    assert noor.user.email not in jobs
    run_errands()
    token = _link(mailoutbox[0]).rstrip("/").rpartition("/")[2]
    assert not ResetLink.objects.filter(token_hash=token).exists()
    assert ResetLink.objects.count() == 1


def test_a_link_that_is_too_old_opens_nothing(desk, mailoutbox):
    _ask(desk.person("Noor").user.email)
    run_errands()
    link = ResetLink.objects.get()
    ResetLink.objects.filter(pk=link.pk).update(expires_at=link.expires_at - timedelta(hours=3))
    page = Client().get(f"/{_link(mailoutbox[0])}")
    assert "te oud" in text_of(page)


def test_a_new_password_ends_every_session_and_every_other_link(desk, sign_in, mailoutbox):
    noor = desk.person("Noor")
    elsewhere = sign_in(noor)
    assert elsewhere.get("/inbox/mine").status_code == 200
    _ask(noor.user.email)
    _ask(noor.user.email)
    run_errands()
    first, second = map(_link, mailoutbox)
    _choose(second)
    assert elsewhere.get("/inbox/mine").headers["location"].startswith("/accounts/login/")
    assert "werkt niet meer" in text_of(Client().get(f"/{first}"))


def test_t6_a_new_password_does_not_get_around_the_second_step(desk, mailoutbox):
    noor = desk.person("Noor")
    _ask(noor.user.email)
    run_errands()
    client = Client()
    _choose(_link(mailoutbox[0]), client=client)
    assert client.get("/inbox/mine").headers["location"].startswith("/accounts/login/")


def test_a_weak_password_is_refused_and_the_link_still_works(desk, mailoutbox):
    _ask(desk.person("Noor").user.email)
    run_errands()
    client = Client()
    refused = _choose(_link(mailoutbox[0]), "kort", client)
    assert "te kort" in text_of(refused)
    assert "is gewijzigd" in text_of(_choose(_link(mailoutbox[0]), NEW, client))


def test_asking_again_and_again_is_stopped(desk, mailoutbox):
    noor = desk.person("Noor")
    answers = [_ask(noor.user.email).status_code for _ in range(7)]
    assert answers[0] == 200
    assert answers[-1] == 429
    run_errands()
    assert len(mailoutbox) <= 5


def test_a_desk_without_mail_says_whom_to_ask_and_takes_no_address(desk, settings, mailoutbox):
    settings.DESK_MAIL = "none"
    page = Client().get("/accounts/password/reset/")
    assert "Vraag een beheerder" in text_of(page)
    assert 'name="email"' not in page.content.decode()
    assert "Vraag een beheerder" in text_of(_ask(desk.person("Noor").user.email))
    assert run_errands() == 0
    assert mailoutbox == []


def test_the_sign_in_page_shows_the_way(desk):
    page = Client().get("/accounts/login/")
    assert "Wachtwoord vergeten?" in text_of(page)
    assert 'href="/accounts/password/reset/"' in page.content.decode()


@pytest.mark.parametrize("language", ["nl", "en"])
def test_a_mail_is_in_the_language_of_its_reader(desk, mailoutbox, language):
    noor = desk.person("Noor")
    User.objects.filter(id=noor.user_id).update(language=language)
    _ask(noor.user.email)
    run_errands()
    assert ("Hallo Noor" if language == "nl" else "Hello Noor") in mailoutbox[0].body
