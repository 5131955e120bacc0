"""One database server for all faults (it is killed too), a migrated template, and a house per test."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from klankbord.plumbing.postgres import EmbeddedPostgres
from klankbord_simulator.fakes.loop import LoopThread
from klankbord_simulator.fakes.partner import Partner
from klankbord_simulator.fakes.telegram import Telegram
from klankbord_simulator.faults import Mischief
from klankbord_simulator.record import Log
from klankbord_simulator.stage import Actor

from .house import SECRET, House

_numbers = itertools.count(1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = str(Path(__file__).parent)
    for item in items:
        if str(item.path).startswith(here):
            item.add_marker(pytest.mark.faults)


@pytest.fixture(scope="session")
def engine() -> Iterator[EmbeddedPostgres]:
    """A server of our own: other tests keep theirs while this one is killed."""
    parent = Path("/var/lib/klankbord-test") if os.geteuid() == 0 else Path(tempfile.gettempdir())
    folder = parent / f"faults-{os.getpid()}"
    folder.mkdir(parents=True)
    for each in (parent, folder) if os.geteuid() == 0 else ():
        each.chmod(0o755)
    with EmbeddedPostgres(folder / "postgres") as server:
        yield server
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def template(engine: EmbeddedPostgres) -> str:
    """A migrated, empty database to copy."""
    address = str(engine.create_database("house_template"))
    environment = {
        **os.environ,
        "DATABASE_URL": address,
        "KLANKBORD_ROLE": "owner",
        "PYTHONPATH": str(Path(__file__).parents[2] / "src"),
        "DJANGO_SETTINGS_MODULE": "klankbord.project.settings",
    }
    command = [sys.executable, "-m", "klankbord.doors.cli.main", "migrate", "--quiet"]
    subprocess.run(command, env=environment, check=True)
    return "house_template"


@pytest.fixture
def house(engine: EmbeddedPostgres, template: str, django_db_blocker: Any) -> Iterator[House]:
    """A desk of its own with an organisation; the test starts its processes."""
    name = f"house_{next(_numbers)}"
    address = str(engine.create_database(name, template=template))
    found = House(address, Path(os.environ["KLANKBORD_DATA_DIR"]), django_db_blocker.unblock)
    found.found()
    yield found
    found.end()
    engine.drop_database(name)


@pytest.fixture
def loop() -> Iterator[LoopThread]:
    made = LoopThread()
    yield made
    made.stop()


@pytest.fixture
def partner(loop: LoopThread) -> Iterator[Partner]:
    """Another system that takes replies and knows a key when it sees it again."""
    made = Partner(secret=SECRET, loop=loop, log=Log(), mischief=Mischief(seed=5))
    made.start()
    yield made
    made.stop()


@pytest.fixture
def telegram(loop: LoopThread) -> Iterator[Telegram]:
    """A platform without keys and without a look-up: what is said twice arrives twice."""
    shop = Actor(name="Wolk & Zonen", username="wolkenzonen", email="service@wolk.example")
    made = Telegram(shop=shop, token=f"700000001:{'t' * 35}", loop=loop, log=Log(), mischief=Mischief(seed=6))
    made.start()
    yield made
    made.stop()
