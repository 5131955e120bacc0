"""Markdown of our own channels' guides as HTML: headings, paragraphs, lists, code, emphasis, links. Nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterable

from django.utils.html import escape
from django.utils.safestring import SafeString

_LINK = re.compile(r"\[([^\]]+)\]\((https?://[^)\s]+)\)")
_BULLET, _STEP = re.compile(r"\s*[-*] "), re.compile(r"\s*\d+\. ")


def to_html(text: str) -> SafeString:
    """The guide without its title; its headings are of the second level."""
    return SafeString("\n".join(_blocks(text)))


def _blocks(text: str) -> Iterable[str]:
    for block in re.split(r"\n\s*\n", re.sub(r"(?s)```\w*\n(.*?)```", _keep_together, text.strip())):
        lines = block.strip("\n").split("\n")
        if lines[0].startswith("# "):
            continue
        if heading := re.match(r"#{2,} (.*)", lines[0]):
            yield f"<h2>{_inline(heading[1])}</h2>"
            lines = lines[1:]
        if not any(line.strip() for line in lines):
            continue
        if lines[0].startswith("\x01"):
            code = escape("\n".join(line.lstrip("\x01") for line in lines))
            yield f"<pre>{code}</pre>"
        elif all(line.startswith("|") for line in lines):
            yield _table(lines)
        elif _BULLET.match(lines[0]) or _STEP.match(lines[0]):
            tag = "ul" if _BULLET.match(lines[0]) else "ol"
            yield f"<{tag}>{''.join(f'<li>{_inline(item)}</li>' for item in _items(lines))}</{tag}>"
        else:
            yield f"<p>{_inline(' '.join(lines))}</p>"


def _keep_together(match: re.Match[str]) -> str:
    """A block of code as lines that cannot be taken for anything else, without empty ones that would part it."""
    return "\n\n" + "\n".join("\x01" + (line or " ") for line in match[1].rstrip().split("\n")) + "\n\n"


def _items(lines: list[str]) -> list[str]:
    items: list[str] = []
    for line in lines:
        if found := _BULLET.match(line) or _STEP.match(line):
            items.append(line[found.end() :])
        else:
            items[-1] += " " + line.strip()
    return items


def _table(lines: list[str]) -> str:
    """The row above the line of dashes is the head; an empty one is left out, and no other takes its place."""
    head, *body = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in lines]
    rows = "".join(f"<tr>{''.join(f'<td>{_inline(cell)}</td>' for cell in row)}</tr>" for row in body[1:])
    titles = "".join(f'<th scope="col">{_inline(cell)}</th>' for cell in head)
    top = f"<thead><tr>{titles}</tr></thead>" if any(head) else ""
    table = f'<table class="table">{top}<tbody>{rows}</tbody></table>'
    return f'<div class="scroll-x" tabindex="0">{table}</div>'


def _inline(text: str) -> str:
    html: str = escape(text)
    html = re.sub(r"`([^`]+)`", r"<code>\1</code>", html)
    html = re.sub(r"\*\*([^*]+)\*\*", r"<b>\1</b>", html)
    html = re.sub(r"(?<!\w)\*([^*\s][^*]*)\*(?!\w)", r"<em>\1</em>", html)
    return _LINK.sub(r'<a class="link" href="\2" target="_blank" rel="noopener noreferrer">\1</a>', html)
