"""What the whole desk takes of its machine: memory when idle, and time to start."""

from __future__ import annotations

from pathlib import Path

from .figures import Figure
from .place import empty_place, place, wait_until
from .processors import family


def memory(seconds: float) -> list[Figure]:
    """The proportional share (PSS) of all processes together, half a minute after the first page."""
    with place() as desk:
        assert desk.process is not None
        root = desk.process.pid
        sizes: list[int] = []

        def is_calm() -> bool:
            sizes.append(sum(_share(pid) for pid in family(root)))
            return len(sizes) > 5 and max(sizes[-5:]) - min(sizes[-5:]) < 2_000_000

        wait_until(is_calm, "Coming to rest", pause=2.0)
        parts = {f"{_name(pid)} {pid}": round(_share(pid) / 1e6) for pid in family(root) if _share(pid) > 8_000_000}
    return [Figure("idle memory", round(sizes[-1] / 1e6), "MB", {"largest": parts}, at_most=300)]


def start(seconds: float) -> list[Figure]:
    """From the command to the first page: the first time, and once the database is there."""
    with empty_place() as desk:
        first = desk.start()
        desk.stop()
        second = desk.start()
    return [
        Figure("first start", round(first, 1), "s"),
        Figure("second start", round(second, 1), "s", at_most=5),
    ]


def _share(pid: int) -> int:
    """Bytes: what is shared counts by its share."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return 0


def _name(pid: int) -> str:
    words = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
    return next((each for each in ("run", "worker", "web") if f" {each}" in f" {words}"), words.split(":")[0][:20])
