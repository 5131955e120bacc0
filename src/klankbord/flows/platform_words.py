"""What channels and the network say in English, in the reader's language.

A channel knows no languages: its sentences are whole, or end in ": " and the platform's own words, or hold a number.
The sentences stand in the catalogue as they do in the code, numbers as {}.
"""

from __future__ import annotations

import re

from django.utils.translation import gettext

_NUMBER = re.compile(r"\d+")


def said(sentence: str) -> str:
    """The sentence in the language that is active; as it is when nobody translated it."""
    if not sentence:
        return ""
    whole = gettext(sentence)
    if whole != sentence:
        return whole
    head, colon, theirs = sentence.partition(": ")
    if colon and (known := gettext(f"{head}:")) != f"{head}:":
        return f"{known} {theirs}"
    pattern = _NUMBER.sub("{}", sentence)
    known = gettext(pattern)
    return known.format(*_NUMBER.findall(sentence)) if known != pattern else sentence
