"""Dataclasses as bytes and back, by a closed list of classes: what a limited child answers cannot run code here.

JSON, in which a field that has its default is left out, and behind it the byte strings as they are: written as text,
the files of a mail cost more than reading the mail.
"""

from __future__ import annotations

import enum
import json
import struct
from collections.abc import Mapping
from dataclasses import MISSING, fields
from datetime import datetime
from typing import Any

_LENGTH = struct.Struct(">I")
_PLAIN = frozenset({str, int, bool, float, type(None)})
_NO_DEFAULT = object()


class Codec:
    """Encodes values made of these dataclasses, these enums, datetimes, bytes, tuples and plain JSON."""

    def __init__(self, *classes: type) -> None:
        self._classes = {each.__name__: each for each in classes}
        self._fields = {each: _with_defaults(each) for each in classes if not issubclass(each, enum.Enum)}

    def dumps(self, value: Any) -> bytes:
        blobs: list[bytes] = []
        head = json.dumps(self._pack(value, blobs), ensure_ascii=True, separators=(",", ":")).encode()
        return b"".join((_LENGTH.pack(len(head)), head, *blobs))

    def loads(self, data: bytes) -> Any:
        """Raises ValueError for anything that `dumps` would not have written."""
        try:
            (length,) = _LENGTH.unpack_from(data)
            start = _LENGTH.size + length
            return self._unpack(json.loads(data[_LENGTH.size : start]), memoryview(data)[start:])
        except (struct.error, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise ValueError(f"not written by this codec: {type(error).__name__}") from None

    def _pack(self, value: Any, blobs: list[bytes]) -> Any:
        kind = type(value)
        if kind in _PLAIN:
            return value
        if kind in self._fields:
            packed = {"!": kind.__name__}
            for name, default in self._fields[kind]:
                each = getattr(value, name)
                if each != default:
                    packed[name] = each if type(each) in _PLAIN else self._pack(each, blobs)
            return packed
        if isinstance(value, tuple | list):
            return [each if type(each) in _PLAIN else self._pack(each, blobs) for each in value]
        if isinstance(value, enum.Enum):
            return {"!": kind.__name__, "v": value.value}
        if isinstance(value, datetime):
            return {"!": "datetime", "v": value.isoformat()}
        if isinstance(value, bytes):
            blobs.append(value)
            return {"!": "bytes", "v": [sum(map(len, blobs)) - len(value), len(value)]}
        if isinstance(value, Mapping):
            return {"!": "map", "v": {str(key): self._pack(each, blobs) for key, each in value.items()}}
        return str(value)

    def _unpack(self, value: Any, blobs: memoryview) -> Any:
        if type(value) in _PLAIN:
            return value
        if isinstance(value, list):
            return tuple(each if type(each) in _PLAIN else self._unpack(each, blobs) for each in value)
        name = value.pop("!")
        if name == "datetime":
            return datetime.fromisoformat(value["v"])
        if name == "bytes":
            start, length = value["v"]
            if not 0 <= start <= start + length <= len(blobs):
                raise ValueError("these bytes are not there")
            return bytes(blobs[start : start + length])
        if name == "map":
            return {key: self._unpack(each, blobs) for key, each in value["v"].items()}
        known = self._classes.get(name)
        if known is None:
            raise ValueError(f"{name} is not on the list")
        if issubclass(known, enum.Enum):
            return known(value["v"])
        return known(**{k: each if type(each) in _PLAIN else self._unpack(each, blobs) for k, each in value.items()})


def _with_defaults(kind: type) -> list[tuple[str, Any]]:
    """The fields of a dataclass, each with the value that it has when nobody gives one."""
    found = []
    for each in fields(kind):
        default = each.default_factory() if each.default_factory is not MISSING else each.default
        found.append((each.name, _NO_DEFAULT if default is MISSING else default))
    return found
