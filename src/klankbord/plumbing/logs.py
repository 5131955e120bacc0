"""Logs: one line per event on stderr, as JSON or as key=value, without what people wrote and without secrets.

Lines are made in the caller's thread and written by another through a bounded queue: a sink that blocks costs log
lines, which are counted, and never a request. Exceptions are logged with their class and place, not with their message,
which may quote what a customer wrote.
"""

from __future__ import annotations

import json
import logging
import queue
import re
import sys
import threading
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal, TextIO, TypeAlias

Style: TypeAlias = Literal["json", "plain"]

REMOVED = "[removed]"
_QUEUE_LINES = 10_000
_VALUE_LIMIT = 500  # characters
_DEPTH_LIMIT = 4

_PRIVATE_KEYS = re.compile(
    r"text|body|html|subject|payload|content$|comment|draft|preview|snippet|caption"
    r"|token|secret|passw|authori[sz]ation|cookie|credential|api_?key|signature|otp|^code$"
    r"|e_?mail|phone|^name$|_name$|address",
    re.IGNORECASE,
)
# Counts and kinds of private things are not private: text_length, body_bytes, content_type.
_ABOUT_KEYS = re.compile(r"_(length|bytes|count|size|kind|type|id)s?$", re.IGNORECASE)

_IN_TEXT: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"/bot\d+:[\w-]+"), f"/bot{REMOVED}"),  # the path of a Telegram bot
    (re.compile(r"\b(bearer|basic|bot|token)\s+(?=\S*[\d=])[\w.~+/=:-]{8,}", re.IGNORECASE), rf"\1 {REMOVED}"),
    (re.compile(r"(://[^/\s:@]*):[^/\s@]+@"), rf"\1:{REMOVED}@"),
    (re.compile(r"([?&](?:code|key|sig|auth)=)[^&\s\"'#]+", re.IGNORECASE), rf"\1{REMOVED}"),
    (
        re.compile(
            r"((?:token|secret|passw(?:or)?d|signature|api_?key)[\"']?\s*[=:]\s*[\"']?)[^&\s\"'#;,})]+", re.IGNORECASE
        ),
        rf"\1{REMOVED}",
    ),
)

_STANDARD_FIELDS = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


def configure(style: Style = "json", *, level: int = logging.INFO, stream: TextIO | None = None) -> PatientHandler:
    """Send all logging of this process to one stream, and return its handler; `close()` it to write what is waiting."""
    handler = PatientHandler(stream or sys.stderr, style)
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level)
    return handler


class PatientHandler(logging.Handler):
    """Writes in a thread of its own, and drops lines rather than wait when that thread is held up."""

    def __init__(self, stream: TextIO, style: Style, *, queue_lines: int = _QUEUE_LINES) -> None:
        super().__init__()
        self._stream = stream
        self._style = style
        self._lines: queue.Queue[str | None] = queue.Queue(queue_lines)
        self._dropped = 0
        self._writer = threading.Thread(target=self._write, name="log-writer", daemon=True)
        self._writer.start()

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._lines.put_nowait(line_of(record, self._style))
        except queue.Full:
            self._dropped += 1
        except Exception:  # a value that cannot be shown must not end what was being logged
            self._dropped += 1

    def close(self) -> None:
        """Write what is waiting; give up after two seconds when the sink takes nothing."""
        super().close()
        if self._writer.is_alive():
            try:
                self._lines.put(None, timeout=2)
                self._writer.join(timeout=2)
            except queue.Full:
                self._dropped += 1

    def _write(self) -> None:
        line: str | None = ""
        while line is not None:
            line = self._lines.get()
            dropped, self._dropped = self._dropped, 0
            try:
                if dropped:
                    self._stream.write(_loss(dropped, self._style))
                self._stream.write(line or "")
                self._stream.flush()
            except (OSError, ValueError):  # the sink is gone: there is nobody to tell
                self._dropped += 1


def _loss(lines: int, style: Style) -> str:
    record = logging.LogRecord(__name__, logging.WARNING, "", 0, "log lines were dropped", None, None)
    record.lines = lines
    return line_of(record, style)


def line_of(record: logging.LogRecord, style: Style) -> str:
    """A record as one line with its end: at (UTC), level, logger, event, the extra fields, and the error's class."""
    at = datetime.fromtimestamp(record.created, tz=UTC).isoformat(timespec="milliseconds")
    fields: dict[str, Any] = {
        "at": at,
        "level": record.levelname.lower(),
        "logger": record.name,
        "event": without_secrets(_message(record)),
    }
    for key, value in vars(record).items():
        if key not in _STANDARD_FIELDS and key not in fields:
            fields[key] = _shown(key, value)
    if record.exc_info and record.exc_info[1] is not None:
        fields["error"], fields["trace"] = _describe(record.exc_info[1])
    if style == "json":
        return json.dumps(fields, default=str) + "\n"
    return " ".join(f"{key}={_quoted(value)}" for key, value in fields.items()) + "\n"


def without_secrets(text: str) -> str:
    """The text, shortened, without tokens in addresses, headers and queries."""
    for pattern, replacement in _IN_TEXT:
        text = pattern.sub(replacement, text)
    return text if len(text) <= _VALUE_LIMIT else text[:_VALUE_LIMIT] + "…"


def _message(record: logging.LogRecord) -> str:
    if isinstance(record.args, Mapping):
        return str(record.msg) % {key: _shown(key, value) for key, value in record.args.items()}
    return record.getMessage()


def _shown(key: str, value: Any, depth: int = 0) -> Any:
    """A value as it may be logged, judged by the name it goes by."""
    if _PRIVATE_KEYS.search(key) and not _ABOUT_KEYS.search(key):
        return REMOVED
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, bytes | bytearray | memoryview):
        return f"[{len(value)} bytes]"
    if depth < _DEPTH_LIMIT:
        if isinstance(value, Mapping):
            return {str(inner): _shown(str(inner), item, depth + 1) for inner, item in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [_shown("", item, depth + 1) for item in list(value)[:50]]
    if isinstance(value, BaseException):
        return _describe(value)[0]
    return without_secrets(str(value))


def _describe(error: BaseException) -> tuple[str, list[str]]:
    """The class of an error and of its causes, and where it happened: the message may quote what someone wrote."""
    names: list[str] = []
    cause: BaseException | None = error
    while cause is not None and len(names) < 5:
        detail = getattr(cause, "sqlstate", None) or (cause.strerror if isinstance(cause, OSError) else None)
        names.append(f"{type(cause).__name__} ({detail})" if detail else type(cause).__name__)
        cause = cause.__cause__ or cause.__context__
    frames = traceback.extract_tb(error.__traceback__)[-12:]
    return " from ".join(names), [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]


def _quoted(value: Any) -> str:
    """As one word when it is one, otherwise in quotes with line ends and control characters written out."""
    if isinstance(value, list):
        value = " < ".join(map(str, reversed(value)))
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return text if re.fullmatch(r"[\w.:+/@-]+", text) else json.dumps(text)
