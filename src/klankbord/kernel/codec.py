"""Dataclasses as JSON and back, by a closed list of classes: what a limited child answers cannot run code here."""

from __future__ import annotations

import base64
import enum
import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from typing import Any


class Codec:
    """Encodes values made of these dataclasses, these enums, datetimes, bytes, tuples and plain JSON."""

    def __init__(self, *classes: type) -> None:
        self._classes = {each.__name__: each for each in classes}

    def dumps(self, value: Any) -> bytes:
        return json.dumps(self._pack(value), ensure_ascii=True, separators=(",", ":")).encode()

    def loads(self, data: bytes) -> Any:
        """Raises ValueError for anything that `dumps` would not have written."""
        return self._unpack(json.loads(data))

    def _pack(self, value: Any) -> Any:
        if value is None or isinstance(value, bool | int | float) or type(value) is str:
            return value
        if isinstance(value, enum.Enum):
            return {"!": type(value).__name__, "v": value.value}
        if isinstance(value, datetime):
            return {"!": "datetime", "v": value.isoformat()}
        if isinstance(value, bytes):
            return {"!": "bytes", "v": base64.b64encode(value).decode()}
        if is_dataclass(value):
            return {
                "!": type(value).__name__,
                **{each.name: self._pack(getattr(value, each.name)) for each in fields(value)},
            }
        if isinstance(value, Mapping):
            return {"!": "map", "v": {str(key): self._pack(each) for key, each in value.items()}}
        if isinstance(value, tuple | list):
            return [self._pack(each) for each in value]
        return str(value)

    def _unpack(self, value: Any) -> Any:
        if isinstance(value, list):
            return tuple(self._unpack(each) for each in value)
        if not isinstance(value, dict):
            return value
        name = value.pop("!")
        if name == "datetime":
            return datetime.fromisoformat(value["v"])
        if name == "bytes":
            return base64.b64decode(value["v"])
        if name == "map":
            return {key: self._unpack(each) for key, each in value["v"].items()}
        known = self._classes.get(name)
        if known is None:
            raise ValueError(f"{name} is not on the list")
        if issubclass(known, enum.Enum):
            return known(value["v"])
        return known(**{key: self._unpack(each) for key, each in value.items()})
