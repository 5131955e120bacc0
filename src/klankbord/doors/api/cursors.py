"""Cursors: from where the next page goes on. Opaque to who holds one, and of no use with another question."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

from .problems import Problem

_LONGEST = 500  # characters


def written(keyset: Sequence[Any], question: Mapping[str, Any]) -> str:
    """question: what was asked, without cursor and limit."""
    values = [each.isoformat() if isinstance(each, datetime) else each for each in keyset]
    document = json.dumps([_fingerprint(question), *values], default=str, separators=(",", ":"))
    return base64.urlsafe_b64encode(document.encode()).decode().rstrip("=")


def read(cursor: str | None, question: Mapping[str, Any], *kinds: Callable[[Any], Any]) -> list[Any] | None:
    """The keyset, its values of these kinds; None without a cursor. Raises Problem."""
    if not cursor:
        return None
    try:
        if len(cursor) > _LONGEST:
            raise ValueError
        asked, *values = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        keyset = [kind(value) for kind, value in zip(kinds, values, strict=True)]
    except (ValueError, TypeError, AttributeError, RecursionError):
        raise Problem(400, "cursor", "This is not a cursor that was given here.") from None
    if asked != _fingerprint(question):
        raise Problem(400, "cursor", "This cursor belongs to another question. Begin without it.")
    return keyset


def moment(text: Any) -> datetime:
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError
    return found


def identifier(text: Any) -> UUID:
    return UUID(text)


def yes_or_no(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError
    return value


def _fingerprint(question: Mapping[str, Any]) -> str:
    plain = json.dumps({name: str(value) for name, value in sorted(question.items()) if value is not None})
    return sha256(plain.encode()).hexdigest()[:12]
