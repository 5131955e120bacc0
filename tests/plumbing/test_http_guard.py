"""Where requests do not go: no private address in any spelling, by any detour."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from klankbord.contract import Http, Response, Unavailable, Uncertain
from klankbord.plumbing.egress import is_public
from klankbord.plumbing.http import GuardedHttp

from .far_side import far_side, says

PRIVATE = [
    "http://127.0.0.1/",
    "http://localhost/",
    "http://localhost./",
    "http://LOCALHOST/",
    "http://127.0.0.1./",
    "http://127.1/",
    "http://2130706433/",
    "http://0x7f000001/",
    "http://0x7f.0.0.1/",
    "http://0177.0.0.1/",
    "http://017700000001/",
    "http://127.0.0.1:8080/",
    "http://0.0.0.0/",
    "http://0/",
    "http://10.1.2.3/",
    "http://172.16.0.1/",
    "http://192.168.1.1/",
    "http://100.64.0.1/",
    "http://169.254.169.254/latest/meta-data/",
    "http://2852039166/latest/meta-data/",
    "http://0xa9fea9fe/",
    "http://0251.0376.0251.0376/",
    "http://192.0.0.1/",
    "http://192.0.2.1/",
    "http://198.18.0.1/",
    "http://198.51.100.1/",
    "http://203.0.113.1/",
    "http://224.0.0.1/",
    "http://240.0.0.1/",
    "http://255.255.255.255/",
    "http://[::1]/",
    "http://[::]/",
    "http://[0:0:0:0:0:0:0:1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/",
    "http://[::ffff:169.254.169.254]/",
    "http://[::127.0.0.1]/",
    "http://[::ffff:0:127.0.0.1]/",
    "http://[64:ff9b::7f00:1]/",
    "http://[64:ff9b::169.254.169.254]/",
    "http://[64:ff9b:1::a00:1]/",
    "http://[2002:7f00:1::]/",
    "http://[2002:a9fe:a9fe::]/",
    "http://[2001:0:7f00:1::]/",
    "http://[fe80::1]/",
    "http://[fe80::1%25eth0]/",
    "http://[fc00::1]/",
    "http://[fd12:3456::1]/",
    "http://[ff02::1]/",
    "http://[2001:db8::1]/",
    "http://１２７.０.０.１/",
    "http://127。0。0。1/",
    "http://①②⑦.⓪.⓪.①/",
    "http://example.com@127.0.0.1/",
    "http://user:password@example.com/",
    "http://127.0.0.1#@example.com/",
    "http://127.0.0.1\\@example.com/",
    "http:///",
    "http://",
    "//example.com/",
    "example.com",
    "file:///etc/passwd",
    "gopher://127.0.0.1:25/",
    "ftp://example.com/",
    "unix:///var/run/docker.sock",
    "data:text/plain,hello",
    "javascript:alert(1)",
    "http://exa mple.com/",
    "http://example.com:99999/",
    "http://example.com:-1/",
    "http://example.com\r\nHost: 127.0.0.1/",
    "http://\x00/",
    "",
]


def guarded(*answers: str, **settings: object) -> tuple[GuardedHttp[Response], list[str]]:
    """A guard whose resolver gives one of the answers after the other, and the names it was asked."""
    asked: list[str] = []

    def resolver(host: str, port: int) -> list[str]:
        asked.append(host)
        return answers[min(len(asked), len(answers)) - 1].split()

    settings = {"resolver": resolver, **settings} if answers else settings
    http = GuardedHttp(answer=Response, unavailable=Unavailable, uncertain=Uncertain, **settings)  # type: ignore[arg-type]
    return http, asked


@pytest.mark.parametrize("url", PRIVATE)
def test_w20_an_address_that_is_not_on_the_public_internet_is_refused(url: str) -> None:
    http, _ = guarded()
    for method in ("GET", "POST"):
        with pytest.raises(Unavailable) as refusal:
            http.request(method, url, timeout=5)
        assert refusal.value.code == "address-refused"


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.0.0.8", "169.254.169.254", "::1", "fd00::1", "93.184.215.14 10.0.0.8", "10.0.0.8 8.8.8.8"],
)
def test_w20_a_name_is_refused_when_any_of_its_addresses_is_private(address: str) -> None:
    http, asked = guarded(address)
    with pytest.raises(Unavailable) as refusal:
        http.request("GET", "http://rebinding.example/")
    assert refusal.value.code == "address-refused"
    assert asked == ["rebinding.example"]


def test_w20_a_name_that_changes_its_address_gains_nothing() -> None:
    """The name is resolved once and the connection goes to that address; the host stays what it was."""
    with far_side(says(b"here")) as server:
        http, asked = guarded("127.0.0.1", "10.0.0.8", allow_loopback=True)
        answer = http.request("GET", f"http://rebinding.example:{server.port}/")
    assert answer.body == b"here"
    assert asked == ["rebinding.example"]
    assert f"host: rebinding.example:{server.port}".encode() in server.requests[0].lower()


def test_a_name_in_another_script_is_asked_for_in_the_form_that_the_network_knows() -> None:
    with far_side(says(b"here")) as server:
        http, asked = guarded("127.0.0.1", allow_loopback=True)
        assert http.request("GET", f"http://Bücher.example:{server.port}/").body == b"here"
    assert asked == ["xn--bcher-kva.example"]


@pytest.mark.parametrize("port", [22, 25, 110, 143, 3306, 5432, 6379, 9200, 11211])
def test_ports_of_other_services_are_refused(port: int) -> None:
    http, _ = guarded("93.184.215.14")
    with pytest.raises(Unavailable) as refusal:
        http.request("GET", f"http://public.example:{port}/")
    assert refusal.value.code == "address-refused"


def test_loopback_is_only_reached_with_permission() -> None:
    with far_side(says(b"here")) as server:
        with pytest.raises(Unavailable):
            guarded()[0].request("GET", server.url)
        assert guarded(allow_loopback=True)[0].request("GET", server.url).body == b"here"
        assert server.connections == 1


@pytest.mark.parametrize("target", ["http://10.0.0.8/", "http://169.254.169.254/", "http://[::ffff:10.0.0.8]/"])
def test_permission_for_loopback_opens_no_other_private_address(target: str) -> None:
    http, _ = guarded(allow_loopback=True)
    with pytest.raises(Unavailable) as refusal:
        http.request("GET", target)
    assert refusal.value.code == "address-refused"


@pytest.mark.parametrize(
    "target", ["http://169.254.169.254/", "//10.0.0.8/", "file:///etc/passwd", "http://[fe80::1]/"]
)
def test_w20_a_redirect_to_a_private_address_is_refused(target: str) -> None:
    with far_side(says(status="302 Found", headers=f"Location: {target}\r\n")) as server:
        http, _ = guarded(allow_loopback=True)
        with pytest.raises(Unavailable) as refusal:
            http.request("GET", server.url)
    assert refusal.value.code == "address-refused"


def test_a_stream_is_guarded_too() -> None:
    import threading

    http, _ = guarded()
    with pytest.raises(Unavailable) as refusal:
        next(iter(http.stream_lines("http://169.254.169.254/", stop=threading.Event())))
    assert refusal.value.code == "address-refused"


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "93.184.215.14", "2606:4700::1111", "64:ff9b::808:808", "::ffff:8.8.8.8"]
)
def test_public_addresses_are_public(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


@given(st.ip_addresses())
def test_nothing_that_python_calls_private_is_public_for_us(address: ipaddress.IPv4Address) -> None:
    if address.is_private or address.is_loopback or address.is_link_local or address.is_multicast:
        assert not is_public(address)


def test_it_is_the_http_of_the_contract() -> None:
    http: Http = GuardedHttp(answer=Response, unavailable=Unavailable, uncertain=Uncertain)
    assert http
