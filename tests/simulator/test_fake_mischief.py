from __future__ import annotations

import imaplib
import json
import os
import signal
import smtplib
import subprocess
import sys
import time
from email.message import EmailMessage
from pathlib import Path

import httpx
import pytest
from fake_people import SANNE

from klankbord_simulator.faults import Fault, Mischief
from klankbord_simulator.platforms import SHOP, Platforms
from klankbord_simulator.record import Log, read_log
from klankbord_simulator.stage import Stage
from klankbord_simulator.stories.far import FarStage

POST = {"status": "dag"}


def publish(toots: httpx.Client, **more: object) -> httpx.Response:
    return toots.post("/api/v1/statuses", data=POST, **more)


@pytest.mark.parametrize("fault", [Fault.SILENT, Fault.CUT_AFTER])
def test_an_answer_that_never_comes_leaves_the_post_done_f15(platforms, toots, fault):
    platforms.mastodon.mischief.next(fault, only="POST")
    with pytest.raises((httpx.ReadTimeout, httpx.RemoteProtocolError)):
        publish(toots, timeout=0.3)
    assert len(platforms.mastodon.sent) == 1
    assert publish(toots).status_code == 200


@pytest.mark.parametrize(
    ("fault", "status", "body"), [(Fault.HTML, 200, b"<!DOCTYPE"), (Fault.EMPTY, 200, b""), (Fault.BROKEN, 503, b"{")]
)
def test_an_ill_answer_leaves_nothing_done_o2(platforms, toots, fault, status, body):
    platforms.mastodon.mischief.next(fault)
    answer = publish(toots)
    assert answer.status_code == status
    assert answer.content.startswith(body)
    assert platforms.mastodon.sent == []
    assert publish(toots).status_code == 200


def test_an_ill_answer_can_hide_that_the_post_was_taken(platforms, toots):
    platforms.mastodon.mischief.set(html=1.0, ill_answers_accept=True)
    assert publish(toots).content.startswith(b"<!DOCTYPE")
    assert len(platforms.mastodon.sent) == 1


def test_a_cut_connection_leaves_nothing_done(platforms, toots):
    platforms.mastodon.mischief.next("cut")
    with pytest.raises(httpx.RemoteProtocolError):
        publish(toots)
    assert platforms.mastodon.sent == []


def test_an_answer_can_trickle_f16(platforms, toots):
    platforms.mastodon.mischief.set(slow=1.0, bytes_per_second=2.0)
    began = time.monotonic()
    with pytest.raises(httpx.ReadTimeout):  # the next byte is always later than this client's patience
        publish(toots, timeout=0.3)
    assert time.monotonic() - began < 2
    assert len(platforms.mastodon.sent) == 1


@pytest.mark.parametrize("seconds", [1, 60, None])
def test_too_many_requests_name_a_pause_or_none_in_each_platforms_way_f13(platforms, toots, bot, seconds):
    for fake in (platforms.mastodon, platforms.telegram):
        fake.mischief.next("too_many", retry_after=seconds)
    answer = publish(toots)
    assert (answer.status_code, answer.headers.get("retry-after")) == (429, str(seconds) if seconds else None)
    assert "x-ratelimit-reset" in answer.headers
    value = bot.get("/getMe").json()
    assert value["error_code"] == 429
    assert value.get("parameters") == ({"retry_after": seconds} if seconds else None)


def test_a_token_is_revoked_at_the_third_call_and_works_again_after_reconnecting_o3(platforms, toots):
    platforms.mastodon.mischief.set(revoke_at_call=3, only="POST")
    assert [publish(toots).status_code for _ in range(4)] == [200, 200, 401, 401]
    assert toots.get("/api/v1/notifications").status_code == 200
    platforms.mastodon.mischief.set(revoke_at_call=None)
    assert publish(toots).status_code == 200


def test_a_share_of_failures_is_about_that_share_and_the_same_for_the_same_seed_f14():
    def draws(seed: int) -> list[Fault | None]:
        mischief = Mischief(seed=seed)
        mischief.set(broken=0.3)
        return [mischief.fate("POST /x").fault for _ in range(1000)]

    assert draws(5) == draws(5) != draws(6)
    assert 230 < draws(5).count(Fault.BROKEN) < 370


def test_deliveries_come_twice_and_shuffled_but_none_is_lost_f18():
    mischief = Mischief(seed=3)
    mischief.set(duplicates=0.2, shuffle=5)
    dealt = mischief.dealt(range(500))
    assert set(dealt) == set(range(500))
    assert 550 < len(dealt) < 650
    assert dealt != sorted(dealt)
    assert max(abs(place - each * len(dealt) / 500) for place, each in enumerate(dealt)) < 60


def test_webhooks_come_twice_and_late_but_all_come_f18(platforms, bot, desk, until):
    platforms.telegram.mischief.set(duplicates=0.5, shuffle=3, late=0.3, late_by=0.05)
    bot.post("/setWebhook", json={"url": desk.url})
    platforms.telegram.start_chat(SANNE)
    said = {f"nummer {number}" for number in range(20)}
    for text in sorted(said):
        platforms.telegram.say(SANNE, text, public=False)

    def heard() -> list[str]:
        return [json.loads(body)["message"]["text"] for _, body in desk.taken]

    until(lambda: said <= set(heard()) and len(heard()) > 21)


def test_unknown_fields_can_appear_anywhere(platforms, toots, bot):
    platforms.mastodon.say(SANNE, "hoi", public=True)
    for fake in (platforms.mastodon, platforms.telegram):
        fake.mischief.set(unknown_fields=True)
    assert "brand_new_field" in toots.get("/api/v1/notifications").json()[0]
    assert "brand_new_field" in bot.get("/getMe").json()["result"]


def test_the_mail_server_hangs_after_the_final_dot_having_taken_the_mail_o1(platforms):
    platforms.mail.enrol(SANNE)
    platforms.mail.mischief.next("silent", only="SMTP DATA")
    message = EmailMessage()
    message["From"], message["To"] = SHOP.email, SANNE.email
    with smtplib.SMTP("127.0.0.1", platforms.mail.smtp_port, timeout=0.3) as client:
        client.login(SHOP.email, platforms.mail.shop_box.password)
        with pytest.raises((TimeoutError, smtplib.SMTPServerDisconnected)):
            client.send_message(message)
        client.close()
    assert len(platforms.mail.sent_to(SANNE.email)) == 1


def test_the_mail_server_refuses_for_now_and_loses_heart_in_imap_e26(platforms):
    platforms.mail.enrol(SANNE)
    platforms.mail.mischief.next("broken", only="SMTP DATA")
    message = EmailMessage()
    message["From"], message["To"] = SHOP.email, SANNE.email
    with smtplib.SMTP("127.0.0.1", platforms.mail.smtp_port, timeout=5) as client:
        client.login(SHOP.email, platforms.mail.shop_box.password)
        with pytest.raises(smtplib.SMTPDataError) as refusal:
            client.send_message(message)
        assert refusal.value.smtp_code == 451
        client.send_message(message)
    platforms.mail.mischief.next("html", only="IMAP SELECT")
    reader = imaplib.IMAP4("127.0.0.1", platforms.mail.imap_port, timeout=5)
    reader.login(SHOP.email, platforms.mail.shop_box.password)
    with pytest.raises(imaplib.IMAP4.abort):
        reader.select("INBOX")


def test_a_platform_that_was_down_has_kept_what_people_said_f23(platforms, toots):
    port = platforms.mastodon.web.port
    platforms.mastodon.stop()
    with pytest.raises(httpx.ConnectError):
        publish(toots)
    ref = platforms.mastodon.say(SANNE, "is daar iemand?", public=True)
    platforms.mastodon.start(port)
    assert [notice["status"]["id"] for notice in toots.get("/api/v1/notifications").json()] == [ref]


def test_the_mood_the_log_and_the_stage_are_reached_through_the_control_door(platforms, toots):
    url = f"{platforms.mastodon.url}/_control"
    httpx.post(f"{url}/next", json={"fault": "broken"}, trust_env=False)
    assert publish(toots).status_code == 503
    httpx.post(url, json={"broken": 1.0}, trust_env=False)
    assert publish(toots).status_code == 503
    httpx.post(url, json={"calm": True}, trust_env=False)
    assert publish(toots).status_code == 200
    assert httpx.post(url, json={"grumpy": 1}, trust_env=False).status_code == 400
    [entry] = httpx.get(f"{url}/log", params={"kind": "sent"}, trust_env=False).json()
    assert entry["text"] == "dag"


def test_every_fake_is_a_stage_here_and_from_another_process(platforms):
    for kind, stage in platforms.stages.items():
        facts = platforms.addresses()[kind]
        far = FarStage(kind, facts["url"], facts["address"])
        assert isinstance(stage, Stage)
        assert isinstance(far, Stage)
        assert far.say(SANNE, "hoi", public=False)
        assert list(far.replies_to(SANNE)) == []
    assert len(platforms.log.entries(kind="said")) == 5  # Telegram's Start is one more


def test_the_log_on_the_disk_is_the_log_in_memory_and_half_a_line_does_no_harm(tmp_path: Path):
    path = tmp_path / "log.jsonl"
    log = Log(path)
    entries = [log.append("mastodon", "sent", key=f"k{number}", text="é\n") for number in range(3)]
    assert list(read_log(path)) == entries
    with open(path, "a") as file:
        file.write('{"number": 4, "at"')
    assert list(read_log(path)) == entries
    log.close()


def test_the_platforms_run_alone_and_leave_their_log_when_killed(tmp_path: Path):
    source = Path(sys.modules[Platforms.__module__].__file__ or "").parents[1]
    command = [sys.executable, "-m", "klankbord_simulator.platforms", "--seed", "3", "--log", str(tmp_path / "log")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(source)})
    assert process.stdout
    facts = json.loads(process.stdout.readline())["mastodon"]
    headers = {"Authorization": f"Bearer {facts['token']}"}
    httpx.post(f"{facts['url']}/api/v1/statuses", data=POST, headers=headers, trust_env=False).raise_for_status()
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=5)
    assert [(entry.kind, entry.text) for entry in read_log(tmp_path / "log")] == [("sent", "dag")]


def test_the_platforms_end_well_when_asked_and_keep_their_credentials_by_seed():
    source = Path(sys.modules[Platforms.__module__].__file__ or "").parents[1]
    tokens = []
    for _ in range(2):
        command = [sys.executable, "-m", "klankbord_simulator.platforms", "--seed", "3", "--tied"]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        with subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(source)}, **pipes) as process:
            assert process.stdout
            tokens.append(json.loads(process.stdout.readline())["telegram"]["token"])
            process.communicate(timeout=10)  # closes its standard input
        assert process.returncode == 0
    assert tokens[0] == tokens[1]
