"""List the channels, show what one makes of a payload, or ask a connected inbox how it is.

`parse` needs no database: it reads FILE (or - for standard input) as one delivery of that channel.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from klankbord.contract import Delivery

from .machine import desk
from .main import CommandError
from .table import table

if TYPE_CHECKING:
    from klankbord.desk.inboxes.models import Inbox
    from klankbord.desk.organisations.models import Organisation

_LARGEST = 100_000_000  # bytes


def declare(parser: argparse.ArgumentParser) -> None:
    deeds = parser.add_subparsers(dest="deed", required=True, metavar="list | parse | verify")
    listing = deeds.add_parser("list", help="what each channel can do")
    listing.add_argument("--json", action="store_true", help="print JSON")
    parsing = deeds.add_parser("parse", help="what a channel makes of a payload; needs no database")
    parsing.add_argument("kind", metavar="KIND", help="such as mastodon or email")
    parsing.add_argument("file", metavar="FILE", help="the payload as it arrives; - for standard input")
    parsing.add_argument("--json", action="store_true", help="print JSON")
    parsing.add_argument(
        "--account",
        type=Path,
        metavar="FILE",
        help='JSON of the account it arrived at: {"credentials": {…}, "facts": {…}}',
    )
    verifying = deeds.add_parser("verify", help="ask a connected inbox's platform how the account is")
    verifying.add_argument("inbox", metavar="INBOX", help="its name or id")
    verifying.add_argument("--organisation", default="", metavar="SLUG", help="needed when several have such an inbox")
    verifying.add_argument("--json", action="store_true", help="print JSON")


def run(options: argparse.Namespace) -> int:
    return {"list": _list, "parse": _parse, "verify": _verify}[options.deed](options)


# ------------------------------------------------------------------------------------------ list


def _list(options: argparse.Namespace) -> int:
    from klankbord.flows.translating import feature_matrix

    found = feature_matrix()
    if options.json:
        print(json.dumps(found, ensure_ascii=False, indent=1))
        return 0
    lines = {name: label for name, label in _FEATURES.items() if found}
    print(
        table(
            ("", *(each["label"] for each in found)),
            [(label, *(_word(each[name], name) for each in found)) for name, label in lines.items()],
        )
    )
    return 0


_FEATURES = {
    "kind": "kind",
    "transports": "comes by",
    "visibilities": "visibility",
    "receives": "receives",
    "actions": "can",
    "text_limit": "longest text",
    "text_unit": "counted in",
    "attachments": "attachments",
    "reply_window_hours": "reply window",
    "receipts": "receipts",
    "takes_idempotency_key": "sends once by key",
    "can_look_up": "can look up",
}
_WITHOUT_END = {"text_limit": "no limit", "reply_window_hours": "always", "attachments": "no limit"}


def _word(value: Any, name: str) -> str:
    if value is None:
        return _WITHOUT_END[name]
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple | list):
        return ", ".join(value) or "none"
    return f"{value:g} h" if name == "reply_window_hours" else str(value)


# ------------------------------------------------------------------------------------------ parse


def _parse(options: argparse.Namespace) -> int:
    from klankbord.flows.translating import CannotTranslate, translate

    account = _account(options.account)
    delivery = Delivery(_payload(options.file), datetime.now(UTC))
    try:
        items = translate(options.kind, delivery, credentials=account["credentials"], facts=account["facts"])
    except CannotTranslate as error:
        raise CommandError(str(error)) from error
    if options.json:
        print(json.dumps(items, ensure_ascii=False, indent=1))
    else:
        print("\n\n".join(_as_text(item) for item in items) or "Nothing: this delivery holds no item.")
    return 1 if any(item["item"] == "Malformed" for item in items) else 0


def _payload(file: str) -> bytes:
    try:
        content = sys.stdin.buffer.read(_LARGEST) if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise CommandError(f"{file} cannot be read: {error.strerror}.") from error
    return content


def _account(file: Path | None) -> dict[str, Mapping[str, Any]]:
    if file is None:
        return {"credentials": {}, "facts": {}}
    try:
        given = json.loads(file.read_text(encoding="utf-8"))
        return {name: dict(given.get(name, {})) for name in ("credentials", "facts")}
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise CommandError(f'{file} is not JSON like {{"credentials": {{}}, "facts": {{}}}}: {error}') from error


def _as_text(item: Mapping[str, Any]) -> str:
    lines = [str(item["item"])]
    for name, value in item.items():
        if name != "item":
            shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            first, *rest = [_printable(line) for line in shown.split("\n")]
            lines.append(f"  {name:<13} {first}")
            lines += [f"{'':<16}{line}" for line in rest]
    return "\n".join(lines)


def _printable(line: str) -> str:
    """Nothing that a terminal would obey: the payload is somebody else's."""
    return "".join(each if each.isprintable() else f"\\x{ord(each):02x}" for each in line)


# ------------------------------------------------------------------------------------------ verify


def _verify(options: argparse.Namespace) -> int:
    with desk(role="app"):
        from klankbord.desk.wall import organisation
        from klankbord.flows.checkup import health_of

        ours, inbox = _inbox(options.inbox, options.organisation)
        with organisation(ours.id):
            health = health_of(inbox)
        checks = [{"name": each.name, "is_well": each.is_well, "sentence": each.sentence} for each in health.checks]
        if options.json:
            state = {"inbox": inbox.name, "kind": inbox.kind, "state": str(inbox.state), "health": str(health.state)}
            print(json.dumps({**state, "checks": checks}, ensure_ascii=False, indent=1))
        else:
            print(f"{inbox.name} ({inbox.kind}) is {inbox.state}; its platform says: {health.state}.")
            for each in health.checks:
                print(f"  {'ok' if each.is_well else '!!'}  {each.name}  {_printable(each.sentence)}".rstrip())
    return 0 if health.state == "well" else 1


def _inbox(words: str, slug: str) -> tuple[Organisation, Inbox]:
    """By name or id.   Raises: CommandError."""
    from klankbord.desk.inboxes.models import Inbox
    from klankbord.desk.wall import organisation

    from .organisations import chosen_organisations

    known: list[tuple[Organisation, Inbox]] = []
    for ours in chosen_organisations(slug):
        with organisation(ours.id):
            known += [(ours, inbox) for inbox in Inbox.objects.order_by("name")]
    found = [(ours, inbox) for ours, inbox in known if words in (inbox.name, str(inbox.id))]
    if len(found) == 1:
        return found[0]
    if found:
        raise CommandError(f"Several organisations have an inbox {words!r}: say which with --organisation.")
    names = ", ".join(inbox.name for _, inbox in known)
    raise CommandError(f"There is no inbox {words!r}. There are: {names or 'none yet'}.")
