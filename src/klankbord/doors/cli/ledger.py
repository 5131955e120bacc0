"""What arrived at the doors and what became of it, per inbox and day (UTC). Exit code 1 when the sums do not agree."""

from __future__ import annotations

import argparse
import json
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from .machine import desk
from .main import CommandError
from .table import table

if TYPE_CHECKING:
    from klankbord.desk.organisations.models import Organisation
    from klankbord.flows.ledger import LedgerRow

_OUTCOMES = ("message", "change", "duplicate", "ignored", "dead", "waiting")
_DAYS = 7


def declare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--since", type=_day, metavar="DAY", help=f"first day, as 2026-11-02 (default: {_DAYS} days ago)"
    )
    parser.add_argument("--inbox", default="", metavar="NAME", help="only this inbox")
    parser.add_argument("--organisation", default="", metavar="SLUG", help="only this organisation")
    parser.add_argument("--json", action="store_true", help="print JSON")


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a day such as 2026-11-02") from None


def run(options: argparse.Namespace) -> int:
    with desk(role="app"):
        from .organisations import chosen_organisations

        since = options.since or (datetime.now(UTC) - timedelta(days=_DAYS)).date()
        found = [(ours, _rows(ours, options.inbox, since)) for ours in chosen_organisations(options.organisation)]
        if options.inbox and not any(rows is not None for _, rows in found):
            raise CommandError(f"There is no inbox called {options.inbox!r}.")
        books = [(ours, rows) for ours, rows in found if rows is not None]
        is_right = all(row.adds_up for _, rows in books for row in rows)
        if options.json:
            print(json.dumps([_as_json(ours, rows) for ours, rows in books], ensure_ascii=False, indent=1))
        else:
            print("\n\n".join(_as_text(ours, rows, since) for ours, rows in books))
    return 0 if is_right else 1


def _rows(ours: Organisation, inbox: str, since: date) -> list[LedgerRow] | None:
    """The organisation's rows; None when it has no inbox of that name."""
    from klankbord.desk.inboxes.models import Inbox
    from klankbord.desk.wall import organisation
    from klankbord.flows.ledger import rows

    with organisation(ours.id):
        wanted = Inbox.objects.filter(name=inbox) if inbox else Inbox.objects.all()
        ids = list(wanted.values_list("id", flat=True))
        return rows(inboxes=ids, since=since) if ids or not inbox else None


def _as_json(ours: Organisation, rows: list[LedgerRow]) -> dict[str, Any]:
    from klankbord.flows.ledger import totals

    names = ("accepted", *_OUTCOMES)
    return {
        "organisation": ours.slug,
        "rows": [
            {
                "inbox": row.inbox.name,
                "day": row.day.isoformat(),
                **{name: getattr(row, name) for name in names},
                "reasons": row.reasons,
                "adds_up": row.adds_up,
            }
            for row in rows
        ],
        "totals": totals(rows),
        "adds_up": all(row.adds_up for row in rows),
    }


def _as_text(ours: Organisation, rows: list[LedgerRow], since: date) -> str:
    from klankbord.flows.ledger import totals

    title = f"{ours.name}, since {since}"
    if not rows:
        return f"{title}: nothing arrived."
    sums = totals(rows)
    body = table(
        ("day", "inbox", "accepted", *_OUTCOMES, "adds up", "why"),
        [
            (
                row.day.isoformat(),
                row.inbox.name,
                row.accepted,
                *(getattr(row, name) for name in _OUTCOMES),
                "yes" if row.adds_up else "NO",
                ", ".join(f"{reason} {count}" for reason, count in sorted(row.reasons.items())),
            )
            for row in rows
        ],
        foot=(
            "total",
            "",
            sums["accepted"],
            *(sums[name] for name in _OUTCOMES),
            "yes" if all(row.adds_up for row in rows) else "NO",
            "",
        ),
    )
    return f"{title}\n\n{body}"
