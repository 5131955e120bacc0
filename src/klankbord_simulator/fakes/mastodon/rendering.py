"""How a post's text becomes Mastodon's HTML, and how Mastodon counts its length."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Sequence

from .people import Account

MENTION = re.compile(r"(?<![\w/@])@(\w+)(?:@([\w-]+(?:\.[\w-]+)*(?::\d+)?))?")
LINK = re.compile(r"https?://[^\s<>\"]+")
HASHTAG = re.compile(r"(?<![\w&/])#(\w*[^\W\d]\w*)")
CHARACTERS_PER_LINK = 23
TOKEN = re.compile(f"(?P<link>{LINK.pattern})|(?P<mention>{MENTION.pattern})|(?P<tag>{HASHTAG.pattern})")


def counted_length(text: str) -> int:
    """Characters as Mastodon counts: a link is 23, the server's name of a mention is free."""
    text = LINK.sub("x" * CHARACTERS_PER_LINK, text)
    return len(MENTION.sub(lambda found: f"@{found[1]}", text))


def render(text: str, *, find: Callable[[str], Account | None], home: str) -> str:
    """Paragraphs of HTML. find: gives the account for "name" or "name@server"; home: the server's own address."""

    def token(found: re.Match[str]) -> str:
        word = found[0]
        if found["link"]:
            return link(word)
        if found["tag"]:
            address = f"{home}/tags/{word[1:].lower()}"
            return f'<a href="{address}" class="mention hashtag" rel="tag">#<span>{word[1:]}</span></a>'
        account = find(word[1:])
        return mention(account) if account else word

    # Quotes stay as they are: Mastodon escapes them too, but clients must cope with either.
    escaped = html.escape(text.strip().replace("\r\n", "\n"), quote=False)
    paragraphs = re.split(r"\n{2,}", TOKEN.sub(token, escaped))
    return "".join(f"<p>{paragraph.replace(chr(10), '<br />')}</p>" for paragraph in paragraphs if paragraph)


def mention(account: Account) -> str:
    return (
        f'<span class="h-card" translate="no"><a href="{account.url}" class="u-url mention">'
        f"@<span>{account.username}</span></a></span>"
    )


def link(address: str) -> str:
    """A link as Mastodon shows it: scheme and tail hidden, at most 30 characters visible."""
    rest = re.sub(r"^https?://(www\.)?", "", address)
    scheme, shown, tail = address.removesuffix(rest), rest[:30], rest[30:]
    kind = ' class="ellipsis"' if tail else ""
    return (
        f'<a href="{address}" target="_blank" rel="nofollow noopener" translate="no">'
        f'<span class="invisible">{scheme}</span><span{kind}>{shown}</span><span class="invisible">{tail}</span></a>'
    )


def mentioned(text: str, *, find: Callable[[str], Account | None]) -> Sequence[Account]:
    """The accounts a text names, each once, in order; unknown names are only text."""
    accounts: dict[str, Account] = {}
    for found in MENTION.finditer(LINK.sub("", text)):
        account = find(found[0][1:])
        if account:
            accounts.setdefault(account.id, account)
    return tuple(accounts.values())
