"""Pages work under a policy that allows no inline script and no inline style."""

from __future__ import annotations

import re

from tree import PRODUCT, files, name_of

COMMENT = re.compile(r"\{#.*?#\}|\{% comment %\}.*?\{% endcomment %\}", re.DOTALL)
INLINE = [
    re.compile(r"<script(?![^>]*\bsrc=)[^>]*>"),
    # A foreign mail is shown in a frame without an origin, which no style sheet of ours can reach: a nonce lets it in.
    re.compile(r"<style(?![^>]*\bnonce=)[^>]*>"),
    re.compile(r"\sstyle\s*="),
    re.compile(r"\son[a-z]+\s*=\s*[\"']"),
    re.compile(r"javascript:"),
]
FOREIGN = re.compile(r"""<(?:script|link|img|iframe)[^>]*(?:src|href)\s*=\s*["'](?:https?:)?//[^"']*""")


def pages() -> dict[str, str]:
    return {name_of(path): COMMENT.sub("", path.read_text(encoding="utf-8")) for path in files(PRODUCT, ".html")}


def test_a_page_carries_no_script_or_style_of_its_own():
    found = {name: [each.pattern for each in INLINE if each.search(page)] for name, page in pages().items()}
    assert {name: patterns for name, patterns in found.items() if patterns} == {}


def test_a_page_fetches_nothing_from_elsewhere():
    assert {name: found for name, page in pages().items() if (found := FOREIGN.findall(page))} == {}
