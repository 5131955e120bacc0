"""What requests do: redirects, limits, and the difference between surely not and perhaps sent."""

from __future__ import annotations

import gzip
import logging
import socket
import ssl
import threading
import time
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from klankbord.contract import Response, Unavailable, Uncertain
from klankbord.plumbing.http import GuardedHttp

from .far_side import far_side, own_certificate, says


def new_http(**settings: object) -> GuardedHttp[Response]:
    words = {"answer": Response, "unavailable": Unavailable, "uncertain": Uncertain, "allow_loopback": True}
    return GuardedHttp(**{**words, **settings})  # type: ignore[arg-type]


@pytest.fixture
def http() -> GuardedHttp[Response]:
    return new_http()


# ------------------------------------------------------------------------------------------------ asking


def test_an_answer_comes_back_whatever_its_status(http: GuardedHttp[Response]) -> None:
    with far_side(says(b'{"error": "no"}', status="422 No", headers="X-Rate: 1\r\nX-Rate: 2\r\n")) as server:
        answer = http.request("POST", server.url + "/x", json={"text": "hé"})
    assert (answer.status, answer.json(), answer.headers["x-rate"]) == (422, {"error": "no"}, "1, 2")
    assert answer.url == server.url + "/x"
    assert server.requests[0].startswith(b"POST /x HTTP/1.1\r\n")
    assert server.requests[0].endswith('{"text":"hé"}'.encode())


def test_parameters_join_those_that_the_address_has(http: GuardedHttp[Response]) -> None:
    with far_side(says()) as server:
        http.request("GET", server.url + "/?a=1", params=[("b", "2 &"), ("b", "3")])
    assert server.requests[0].startswith(b"GET /?a=1&b=2+%26&b=3 HTTP/1.1")


def test_forms_and_files_are_encoded(http: GuardedHttp[Response]) -> None:
    with far_side(says()) as server:
        http.request("POST", server.url, data=[("id", "1"), ("id", "2")])
        http.request("POST", server.url, data={"id": "3"}, files={"file": ("kaart.png", b"\x89PNG", "image/png")})
    assert server.requests[0].endswith(b"\r\n\r\nid=1&id=2")
    assert b"application/x-www-form-urlencoded" in server.requests[0]
    assert b'name="id"\r\n\r\n3\r\n' in server.requests[1]
    assert b'filename="kaart.png"\r\nContent-Type: image/png\r\n\r\n\x89PNG' in server.requests[1]


def test_connections_are_used_again_and_shared_between_threads(http: GuardedHttp[Response]) -> None:
    def echo(connection: socket.socket, request: bytes) -> None:
        says(request.split(b" ")[1])(connection, request)

    with far_side(echo) as server, ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda n: http.request("GET", f"{server.url}/{n}").body, range(200)))
    assert answers == [f"/{n}".encode() for n in range(200)]
    assert server.connections <= 8


def test_no_cookie_is_kept(http: GuardedHttp[Response]) -> None:
    with far_side(says(headers="Set-Cookie: id=1; Path=/\r\n")) as server:
        http.request("GET", server.url)
        http.request("GET", server.url)
    assert b"cookie" not in server.requests[1].lower()


def test_no_proxy_is_taken_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with far_side(says(b"direct")) as server:
        assert new_http().request("GET", server.url).body == b"direct"


def test_nothing_is_logged(http: GuardedHttp[Response], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with far_side(says()) as server:
        http.request("POST", server.url + "/bot-token/send", headers={"authorization": "Bearer token"})
    assert caplog.records == []


# ------------------------------------------------------------------------------------------------ redirects


def test_reading_follows_redirects_and_keeps_headers_at_the_same_origin(http: GuardedHttp[Response]) -> None:
    def behave(connection: socket.socket, request: bytes) -> None:
        moved = says(status="301 Moved", headers="Location: /new\r\n")
        (says(b"found") if request.startswith(b"GET /new") else moved)(connection, request)

    with far_side(behave) as server:
        answer = http.request("GET", server.url + "/old", headers={"Authorization": "Bearer token"})
    assert (answer.body, answer.url) == (b"found", server.url + "/new")
    assert b"authorization: bearer token" in server.requests[1].lower()


def test_headers_with_secrets_do_not_go_to_another_origin(http: GuardedHttp[Response]) -> None:
    secrets = {"Authorization": "Bearer token", "X-Api-Key": "key", "Cookie": "a=b"}
    with far_side(says(b"found")) as there:
        away = says(status="302 Found", headers=f"Location: {there.url}/\r\n")
        with far_side(away) as here:
            assert http.request("GET", here.url, headers=secrets).body == b"found"
    assert b"x-api-key" in here.requests[0].lower()
    for word in (b"token", b"key", b"cookie"):
        assert word not in there.requests[0].lower()


def test_more_than_five_redirects_are_not_followed(http: GuardedHttp[Response]) -> None:
    around = says(status="302 Found", headers="Location: /again\r\n")
    with far_side(around) as server, pytest.raises(Unavailable) as refusal:
        http.request("GET", server.url)
    assert (refusal.value.code, len(server.requests)) == ("redirects", 6)


def test_a_redirect_from_https_to_http_is_refused(tmp_path: Path) -> None:
    server_tls, client_tls = own_certificate(tmp_path, "127.0.0.1")
    with (
        far_side(says()) as plain,
        far_side(says(status="302 Found", headers=f"Location: {plain.url}/\r\n"), server_tls) as server,
        pytest.raises(Unavailable) as refusal,
    ):
        new_http(tls=client_tls).request("GET", server.url)
    assert refusal.value.code == "address-refused"
    assert plain.requests == []


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 Other"])
def test_a_post_never_becomes_a_get_by_a_redirect(http: GuardedHttp[Response], status: str) -> None:
    with far_side(says(status=status, headers="Location: /new\r\n")) as server:
        assert http.request("POST", server.url, json={}).status == int(status[:3])
    assert len(server.requests) == 1


def test_a_post_is_repeated_at_its_own_origin_when_the_answer_says_so(http: GuardedHttp[Response]) -> None:
    def behave(connection: socket.socket, request: bytes) -> None:
        moved = says(status="308 Moved", headers="Location: /new\r\n")
        (says(b"taken") if request.startswith(b"POST /new") else moved)(connection, request)

    with far_side(behave) as server:
        assert http.request("POST", server.url, content=b"hello").body == b"taken"
    assert server.requests[1].endswith(b"hello")


def test_a_post_is_not_repeated_elsewhere(http: GuardedHttp[Response]) -> None:
    with far_side(says()) as there, far_side(says(status="307 There", headers=f"Location: {there.url}/\r\n")) as here:
        assert http.request("POST", here.url, json={"text": "private"}).status == 307
    assert there.requests == []


# ------------------------------------------------------------------------------------------------ not or perhaps sent


def test_o1_a_post_whose_answer_is_lost_is_uncertain_and_a_get_is_not(http: GuardedHttp[Response]) -> None:
    with far_side(lambda connection, request: connection.close()) as server:
        with pytest.raises(Uncertain):
            http.request("POST", server.url, json={})
        with pytest.raises(Unavailable):
            http.request("GET", server.url)


def test_a_kept_connection_that_the_far_side_closed_meanwhile_is_not_used(http: GuardedHttp[Response]) -> None:
    closed = threading.Event()

    def answer_and_close(connection: socket.socket, request: bytes) -> None:
        says(b"taken")(connection, request)
        connection.shutdown(socket.SHUT_RDWR)
        closed.set()

    with far_side(answer_and_close) as server:
        for _ in range(20):
            closed.clear()
            assert http.request("POST", server.url, json={}).body == b"taken"
            assert closed.wait(5)
    assert server.connections == 20


def test_o1_a_post_whose_answer_is_cut_is_uncertain(http: GuardedHttp[Response]) -> None:
    def cut(connection: socket.socket, request: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
        connection.close()

    with far_side(cut) as server, pytest.raises(Uncertain):
        http.request("POST", server.url, json={})


def test_a_refused_connection_means_that_nothing_was_sent(http: GuardedHttp[Response]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(Unavailable) as refusal:
        http.request("POST", f"http://127.0.0.1:{port}/", json={})
    assert refusal.value.code == "no-connection"


def test_o10_an_unknown_name_means_that_nothing_was_sent() -> None:
    def fails(host: str, port: int) -> list[str]:
        raise socket.gaierror("no such name")

    with pytest.raises(Unavailable) as refusal:
        new_http(resolver=fails).request("POST", "https://gone.example/secret-token", json={})
    assert refusal.value.code == "no-connection"
    assert "secret" not in str(refusal.value)


def test_o10_a_resolver_that_hangs_costs_no_more_than_the_limit() -> None:
    release = threading.Event()

    def hangs(host: str, port: int) -> list[str]:
        release.wait(20)
        return []

    with takes_less_than(3), pytest.raises(Unavailable):
        new_http(resolver=hangs).request("POST", "https://slow.example/", json={}, timeout=0.3)
    release.set()


def test_o10_a_server_that_hangs_in_the_tls_handshake_means_that_nothing_was_sent(
    http: GuardedHttp[Response],
) -> None:
    release = threading.Event()
    with far_side(lambda connection, request: release.wait(20) and None, reads=False) as server:
        with takes_less_than(3), pytest.raises(Unavailable):
            http.request("POST", server.url.replace("http:", "https:"), json={}, timeout=0.3)
        release.set()


@pytest.mark.parametrize("part", [b"HTTP/1.1 200 OK\r\nX-Slow: ", b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n"])
def test_o10_w13_a_server_that_gives_a_byte_at_a_time_is_cut_off_at_the_limit(
    http: GuardedHttp[Response], part: bytes
) -> None:
    done = threading.Event()

    def drip(connection: socket.socket, request: bytes) -> None:
        connection.sendall(part)
        while not done.wait(0.05):
            connection.sendall(b"a")

    with far_side(drip) as server:
        with takes_less_than(3), pytest.raises(Uncertain):
            http.request("POST", server.url, json={}, timeout=0.5)
        with takes_less_than(3), pytest.raises(Unavailable):
            http.request("GET", server.url, timeout=0.5)
        done.set()


def test_o10_a_server_that_does_not_read_is_cut_off_at_the_limit(http: GuardedHttp[Response]) -> None:
    done = threading.Event()
    with far_side(lambda connection, request: done.wait(20) and None, reads=False) as server:
        with takes_less_than(5), pytest.raises(Uncertain):
            http.request("POST", server.url, content=b"x" * 50_000_000, timeout=0.5)
        done.set()


def test_a_wrong_certificate_means_that_nothing_was_sent(tmp_path: Path) -> None:
    server_tls, client_tls = own_certificate(tmp_path, "other.example")
    with far_side(says(), server_tls) as server:
        for http in (new_http(), new_http(tls=client_tls)):
            with pytest.raises(Unavailable) as refusal:
                http.request("POST", server.url, json={})
            assert "certificate" in refusal.value.sentence
    assert server.requests == []


def test_the_name_goes_into_the_tls_handshake_while_the_connection_goes_to_the_checked_address(tmp_path: Path) -> None:
    server_tls, client_tls = own_certificate(tmp_path, "shop.example")
    named: list[str | None] = []

    def note(sock: ssl.SSLObject, name: str | None, context: ssl.SSLContext) -> None:
        named.append(name)

    server_tls.sni_callback = note  # type: ignore[assignment]
    with far_side(says(b"safe"), server_tls) as server:
        http = new_http(tls=client_tls, resolver=lambda host, port: ["127.0.0.1"])
        assert http.request("GET", f"https://Shop.Example.:{server.port}/").body == b"safe"
    assert named == ["shop.example"]


# ------------------------------------------------------------------------------------------------ size


def test_w13_a_packed_answer_is_unpacked(http: GuardedHttp[Response]) -> None:
    with far_side(says(gzip.compress(b"hello" * 1000), headers="Content-Encoding: gzip\r\n")) as server:
        assert http.request("GET", server.url).body == b"hello" * 1000


def test_w13_a_small_answer_that_unpacks_to_a_large_one_is_refused_within_little_memory(
    http: GuardedHttp[Response],
) -> None:
    bomb = gzip.compress(b"\0" * 200_000_000, compresslevel=1)
    with far_side(says(bomb, headers="Content-Encoding: gzip\r\n")) as server:
        tracemalloc.start()
        with pytest.raises(Unavailable, match="larger"):
            http.request("GET", server.url, max_bytes=1_000_000)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak < 20_000_000


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"x" * 2_000_000, ""),
        (b"\x1f\x8bnot gzip", "Content-Encoding: gzip\r\n"),
        (gzip.compress(b"hello" * 100, mtime=0)[:-20], "Content-Encoding: gzip\r\n"),
        (b"x", "Content-Encoding: br\r\n"),
        (b"x", "Content-Encoding: gzip, gzip\r\n"),
    ],
)
def test_w13_an_answer_that_cannot_be_used_leaves_a_post_uncertain(
    http: GuardedHttp[Response], body: bytes, headers: str
) -> None:
    with far_side(says(body, headers=headers)) as server:
        with pytest.raises(Uncertain):
            http.request("POST", server.url, json={}, max_bytes=1_000_000)
        with pytest.raises(Unavailable):
            http.request("GET", server.url, max_bytes=1_000_000)


# ------------------------------------------------------------------------------------------------ streams


def stream(*pieces: bytes, then_wait: threading.Event | None = None):  # type: ignore[no-untyped-def]
    def behave(connection: socket.socket, request: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
        for piece in pieces:
            connection.sendall(piece)
        if then_wait:
            then_wait.wait(20)
        connection.close()

    return behave


def test_the_lines_of_a_stream_come_one_by_one_until_the_far_side_ends_it(http: GuardedHttp[Response]) -> None:
    with far_side(stream(b"event: upd", b"ate\r\ndata: {\xc3", b"\xa9}\n\n", b"rest")) as server:
        lines = list(http.stream_lines(server.url, headers={"authorization": "x"}, stop=threading.Event()))
    assert lines == ["event: update", "data: {é}", "", "rest"]
    assert b"accept: text/event-stream" in server.requests[0].lower()


def test_a_stream_ends_soon_after_it_must(http: GuardedHttp[Response]) -> None:
    done, stop = threading.Event(), threading.Event()
    with far_side(stream(b"data: 1\n", then_wait=done)) as server:
        lines = http.stream_lines(server.url, stop=stop)
        assert next(lines) == "data: 1"
        stop.set()
        with takes_less_than(3):
            assert list(lines) == []
        done.set()


def test_a_stream_that_says_nothing_is_given_up(http: GuardedHttp[Response]) -> None:
    done = threading.Event()
    with far_side(stream(b"data: 1\n", then_wait=done)) as server:
        lines = http.stream_lines(server.url, stop=threading.Event(), idle_timeout=0.6)
        assert next(lines) == "data: 1"
        with takes_less_than(5), pytest.raises(Unavailable):
            next(lines)
        done.set()


def test_a_stream_that_is_refused_says_with_which_status(http: GuardedHttp[Response]) -> None:
    with far_side(says(b"no", status="401 No")) as server, pytest.raises(Unavailable) as refusal:
        list(http.stream_lines(server.url, stop=threading.Event()))
    assert refusal.value.code == "401"


def test_a_line_without_end_is_given_up(http: GuardedHttp[Response]) -> None:
    with far_side(stream(*[b"x" * 100_000] * 30)) as server, pytest.raises(Unavailable):
        list(http.stream_lines(server.url, stop=threading.Event()))


class takes_less_than:  # noqa: N801
    """A bound that only a hang can break, far above what it takes on a busy machine."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def __enter__(self) -> None:
        self.start = time.monotonic()

    def __exit__(self, *error: object) -> None:
        assert time.monotonic() - self.start < self.seconds
