"""The demo shop: its pages, its policy, and the one script tag that it is there for."""

from __future__ import annotations

import re
import shutil
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from klankbord_simulator.shop import Shop, serve
from klankbord_simulator.shop.pages import PATHS, Desk, render_page
from klankbord_simulator.shop.words import PRODUCTS, WORDS

DESK = "http://localhost:8123"


@pytest.fixture
def shop() -> Iterator[Shop]:
    with serve(0, DESK, "key-1") as running:
        yield running


def get(shop: Shop, path: str) -> tuple[int, dict[str, str], str]:
    try:
        with urllib.request.urlopen(shop.url + path, timeout=5) as answer:
            return answer.status, dict(answer.headers), answer.read().decode()
    except urllib.error.HTTPError as answer:
        return answer.code, dict(answer.headers), answer.read().decode()


@pytest.mark.parametrize("path", PATHS)
def test_every_page_carries_the_widget_in_one_script_tag_and_nothing_else_runs(shop, path):
    status, headers, page = get(shop, path)
    assert status == 200
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    assert re.findall(r"<script.*?</script>", page, re.DOTALL) == [
        f'<script src="{DESK}/widget/v1/widget.js" data-klankbord="key-1" async></script>'
    ]
    assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:", page)


def test_the_policy_lets_only_the_desk_run_and_be_framed(shop):
    policy = get(shop, "/")[1]["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert f"script-src {DESK};" in policy
    assert f"frame-src {DESK};" in policy
    assert "unsafe" not in policy
    assert "*" not in policy


@pytest.mark.parametrize(("path", "language"), [("/", "nl"), ("/contact", "nl"), ("/en", "en"), ("/en/contact", "en")])
def test_pages_speak_their_language_and_lead_to_the_same_page_in_the_other(shop, path, language):
    page = get(shop, path)[2]
    assert f'<html lang="{language}">' in page
    other = next(found for found in re.findall(r'class="tongue" href="([^"]+)"', page))
    assert PATHS[other] == ("en" if language == "nl" else "nl", PATHS[path][1])


def test_the_home_page_shows_every_product_with_a_drawing_and_a_price(shop):
    page = get(shop, "/")[2]
    assert page.count("<svg") == len(PRODUCTS) + 2
    for product in PRODUCTS:
        assert product.name in page
        assert product.price["nl"] in page


def test_every_link_inside_the_shop_leads_somewhere(shop):
    for path in PATHS:
        page = get(shop, path)[2]
        for link in re.findall(r'href="(/[^"#]*)', page):
            assert get(shop, link)[0] == 200, link


def test_an_unknown_page_is_not_found_and_says_so_in_the_language_of_its_address(shop):
    status, _, page = get(shop, "/stoelen/<b>")
    assert (status, "Deze plank is leeg" in page, "<b>" in page) == (404, True, False)
    assert "This shelf is empty" in get(shop, "/en/nothing")[2]


def test_both_languages_say_the_same_things():
    assert set(WORDS["nl"]) == set(WORDS["en"])
    assert all(text.strip() for words in WORDS.values() for text in words.values())


def test_a_key_with_markup_stays_inside_its_attribute():
    page = render_page("/", Desk(DESK, '"><script>alert(1)</script>'))
    assert page.count("<script") == 1
    assert "&quot;&gt;&lt;script&gt;" in page


@pytest.mark.parametrize(
    "address",
    [
        "",
        "localhost:8000",
        "ftp://desk",
        "http://",
        "http://desk/path",
        "http://desk; script-src *",
        "http://d\r\nX: y",
    ],
)
def test_an_address_that_is_not_one_is_refused_before_anything_is_served(address):
    with pytest.raises(ValueError, match="address"):
        Desk(address, "key")


def test_two_shops_can_stand_side_by_side_and_stop_cleanly(shop):
    with serve(0, DESK, "key-2") as other:
        assert 'data-klankbord="key-2"' in get(other, "/")[2]
    with pytest.raises(urllib.error.URLError):
        get(other, "/")


class FakeDesk(BaseHTTPRequestHandler):
    """Serves a widget script that leaves a mark on the page."""

    def do_GET(self) -> None:
        body = b"document.documentElement.dataset.widget = document.currentScript.dataset.klankbord"
        self.send_response(200)
        self.send_header("Content-Type", "text/javascript")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.mark.browser
@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs Debian's chromium")
def test_in_a_real_browser_the_widget_runs_and_no_page_is_wider_than_a_small_phone():
    from playwright.sync_api import sync_playwright

    desk = ThreadingHTTPServer(("127.0.0.1", 0), FakeDesk)
    threading.Thread(target=desk.serve_forever, daemon=True).start()
    complaints: list[str] = []
    try:
        with serve(0, f"http://localhost:{desk.server_port}", "key-3") as shop, sync_playwright() as player:
            browser = player.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
            page = browser.new_page(viewport={"width": 360, "height": 740})
            page.on("console", lambda message: complaints.append(message.text))
            for path in PATHS:
                page.goto(shop.url + path)
                page.wait_for_selector("html[data-widget=key-3]", state="attached")
                assert page.evaluate("document.documentElement.scrollWidth") == 360
            page.check("#theme-dark")
            assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "dark"
            browser.close()
    finally:
        desk.shutdown()
        desk.server_close()
    assert complaints == []
