"""The doctor's look at the database and at what the processes are doing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from .findings import Finding, judged
from .pulse import workers_listening

if TYPE_CHECKING:
    from klankbord.flows.checkup import Backlog

_OLDEST_POSTGRES = 160_000
_LATE = timedelta(seconds=60)  # as promised: a minute after a fault nothing older waits
_LATE_POLL = timedelta(minutes=3)  # a poll may take two
_LATE_MAIL = timedelta(minutes=10)
_SKEW = timedelta(seconds=5)


def look_at_desk(address: str) -> Iterator[Finding]:
    """Needs Django, set up in the owner's role. address: of the database. Stops where looking on makes no sense."""
    from django.db import DatabaseError, connection

    try:
        connection.ensure_connection()
    except DatabaseError as error:
        yield _unreachable(str(error))
        return
    version = connection.connection.info.server_version
    yield judged(
        "Database",
        version >= _OLDEST_POSTGRES,
        f"PostgreSQL {version // 10_000}.{version % 10_000} answers",
        why="Older versions lack what the organisation wall is built from.",
        advice="Move to PostgreSQL 16 or later.",
    )
    pending = _pending_migrations()
    yield judged(
        "Tables",
        not pending,
        f"not made yet: {', '.join(pending[:3])}{' …' if pending[3:] else ''}" if pending else "up to date",
        why="The program expects tables that are not there.",
        advice="Stop Klankbord, make a backup, run `klankbord migrate`, and start it again.",
    )
    if pending:
        return
    yield from (_wall(role) for role in ("klankbord_app", "klankbord_worker"))
    yield _clock()
    yield _secrets()
    yield _static_files()
    yield _translations()
    yield _own_mail()
    yield from _work(address)


def _unreachable(reason: str) -> Finding:
    return Finding(
        "Database",
        f"does not answer: {' '.join(reason.split())}",
        "Everything lives there.",
        "Start it, or correct DATABASE_URL.",
    )


def _pending_migrations() -> list[str]:
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [f"{migration.app_label} {migration.name}" for migration, _ in plan]


def _wall(role: str) -> Finding:
    from django.db import DatabaseError, connection

    from klankbord.desk.masonry import WallBroken, check_wall

    trouble = ""
    try:
        with connection.cursor() as cursor:
            cursor.execute(f"SET ROLE {role}")
            try:
                check_wall()
            finally:
                cursor.execute("SET ROLE NONE")
    except (WallBroken, DatabaseError) as error:
        trouble = " ".join(str(error).split())
    return judged(
        f"Wall, {role}",
        not trouble,
        trouble or "holds",
        why="One organisation could read another's messages.",
        advice="Stop Klankbord and run `klankbord migrate`, which builds the wall; then look again.",
    )


def _clock() -> Finding:
    from klankbord.desk.rows import run

    before = datetime.now(UTC)
    [(theirs,)] = run("SELECT clock_timestamp()")
    skew = theirs - (before + (datetime.now(UTC) - before) / 2)
    return judged(
        "Clocks",
        abs(skew) <= _SKEW,
        f"this machine and the database differ by {abs(skew).total_seconds():.1f} s",
        why="Signed deliveries are refused and promises are counted wrongly when clocks differ.",
        advice="Let both machines keep time by NTP.",
    )


def _secrets() -> Finding:
    from klankbord.flows.checkup import sealed_by_lost_keys

    lost = sealed_by_lost_keys()
    return judged(
        "Stored secrets",
        not lost,
        f"cannot be opened: {', '.join(lost)}" if lost else "can all be opened",
        why="What was sealed with another key is of no use: those inboxes neither receive nor send.",
        advice="Add the former key behind the current one in KLANKBORD_SECRET_KEY, or connect these inboxes anew.",
    )


def _static_files() -> Finding:
    """Only our own: of what other packages bring, not everything is served."""
    from django.conf import settings
    from django.contrib.staticfiles.finders import get_finders

    found = [(path, storage.path(path)) for finder in get_finders() for path, storage in finder.list([])]
    wanted = [path for path, source in found if Path(source).is_relative_to(settings.PACKAGE)]
    missing = [path for path in wanted if not (Path(settings.STATIC_ROOT) / path).exists()]
    return judged(
        "Static files",
        not missing,
        f"{len(missing)} of {len(wanted)} are missing, such as {missing[0]}" if missing else f"{len(wanted)} collected",
        why="Pages appear without their looks, and some keys do nothing.",
        advice="Run `klankbord migrate`.",
    )


def _translations() -> Finding:
    from klankbord.plumbing.look.translations import LOCALE

    sources = sorted(LOCALE.glob("*/LC_MESSAGES/*.po"))
    stale = [source for source in sources if not _is_compiled(source)]
    return judged(
        "Translations",
        not stale,
        f"not compiled: {', '.join(source.parts[-3] for source in stale)}" if stale else f"{len(sources)} compiled",
        why="Parts of the screens stay English.",
        advice="Run `klankbord migrate`.",
    )


def _is_compiled(source: Path) -> bool:
    target = source.with_suffix(".mo")
    return target.exists() and target.stat().st_mtime >= source.stat().st_mtime


def _own_mail() -> Finding:
    """Not to have any is a choice; to have some that does not leave is a trouble."""
    from django.conf import settings

    from klankbord.flows import checkup

    ways = {
        "server": f"leaves by {settings.EMAIL_HOST}:{settings.EMAIL_PORT}",
        "folder": f"put in {settings.EMAIL_FILE_PATH}, as this is development",
        "none": "none: passwords by `klankbord reset-link`, alarms on the screens only (KLANKBORD_MAIL_URL)",
    }
    waiting = checkup.waiting_errands()
    is_late = waiting.oldest is not None and datetime.now(UTC) - waiting.oldest > _LATE_MAIL
    return judged(
        "The desk's own mail",
        not is_late,
        ways[settings.DESK_MAIL] + (f"; {waiting.count} waiting" if waiting.count else ""),
        why="People wait for links to a new password, and administrators do not hear that an inbox broke.",
        advice="See that a worker runs, and what its log says of errands; correct KLANKBORD_MAIL_URL.",
    )


def _work(address: str) -> Iterator[Finding]:
    from klankbord.flows import checkup

    workers = workers_listening(address)
    yield judged(
        "Workers",
        workers > 0,
        f"{workers} at work" if workers else "none at work",
        why="Messages are taken in at the door but shown to nobody, and no reply leaves.",
        advice="Start `klankbord run`, or `klankbord worker` beside your web processes.",
    )
    backlogs: tuple[tuple[str, Callable[[], Backlog], timedelta, str, str], ...] = (
        (
            "Deliveries",
            checkup.waiting_deliveries,
            _LATE,
            "These messages have arrived, but no agent sees them.",
            "See that a worker runs, and what its log says.",
        ),
        (
            "Replies",
            checkup.waiting_replies,
            _LATE,
            "Customers wait for replies that agents think have left.",
            "See that a worker runs, and what its log says of these inboxes.",
        ),
        (
            "Polls",
            checkup.late_polls,
            _LATE_POLL,
            "These platforms are not asked for news, so new messages stay there.",
            "See that a worker runs, and what its log says of these inboxes.",
        ),
    )
    for name, count, patience, why, advice in backlogs:
        yield _waiting(name, count(), patience, why=why, advice=advice)
    yield from _for_people()


def _waiting(name: str, backlog: Backlog, patience: timedelta, *, why: str, advice: str) -> Finding:
    age = datetime.now(UTC) - backlog.oldest if backlog.oldest else timedelta()
    what = f"{backlog.count} waiting, the oldest for {age.total_seconds():.0f} s" if backlog.count else "none waiting"
    return judged(name, age <= patience, what, why=why, advice=advice)


def _for_people() -> Iterator[Finding]:
    """What only a person can mend."""
    from klankbord.desk.organisations.models import Organisation
    from klankbord.flows import checkup

    troubled = checkup.troubled_inboxes()
    yield judged(
        "Inboxes",
        not troubled,
        "; ".join(f"{each.inbox} is {each.state}: {each.reason}" for each in troubled) or "all well",
        why="A broken inbox neither receives nor sends; a paused one does not send.",
        advice="Ask its platform with `klankbord channel verify`; then connect it anew, or resume it, under Settings.",
    )
    dead = checkup.dead_letters()
    yield judged(
        "Dead letters",
        not dead.count,
        f"{dead.count} open" if dead.count else "none",
        why="These items arrived and could not be processed; their senders wait for an answer.",
        advice="Look at them on the Ledger page: try them again after a fix, or dismiss them.",
    )
    uncertain = checkup.uncertain_replies()
    yield judged(
        "Uncertain replies",
        not uncertain.count,
        f"{uncertain.count} open" if uncertain.count else "none",
        why="Nobody knows whether they arrived, and nothing further leaves in their conversations.",
        advice="Open them under Trouble, look at the platform, and say whether they arrived.",
    )
    yield _findable()
    held = [each.name for each in Organisation.objects.filter(sends_are_held=True).order_by("name")]
    yield judged(
        "Restore fence",
        not held,
        f"sending is held for {', '.join(held)}" if held else "open",
        why="After a restore nothing leaves until a person has looked, so that nothing is sent twice.",
        advice="Look at the waiting replies, and let sending begin again.",
    )


def _findable() -> Finding:
    """Never a trouble: it goes on by itself, and new messages are found at once."""
    from klankbord.flows.finding import renewals

    going_on = [f"{each.organisation}: {each.done:,} of {each.total:,} older messages" for each in renewals()]
    return Finding("Search", f"being renewed, {'; '.join(going_on)}" if going_on else "up to date")
