"""Plain tables for a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from klankbord.kernel.text import one_line

_LONGEST = 60


def table(head: Sequence[str], rows: Sequence[Sequence[object]], *, foot: Sequence[object] = ()) -> str:
    """Rows under a head, numbers to the right. foot: a last row, apart."""
    cells = [[_cell(value) for value in row] for row in rows]
    last = [_cell(value) for value in foot]
    widths = [max(len(row[place]) for row in (head, *cells, *([last] if last else []))) for place in range(len(head))]
    right = [all(isinstance(row[place], int | float) for row in rows) and bool(rows) for place in range(len(head))]

    def line(row: Sequence[str]) -> str:
        return "  ".join(
            cell.rjust(width) if is_right else cell.ljust(width)
            for cell, width, is_right in zip(row, widths, right, strict=True)
        ).rstrip()

    rule = "  ".join("─" * width for width in widths)
    return "\n".join([line(head), rule, *map(line, cells), *([rule, line(last)] if last else [])])


def _cell(value: object) -> str:
    # One line without control characters: names and reasons come from other people's systems.
    return f"{value:,}" if isinstance(value, int) else one_line(str(value), limit=_LONGEST)
