"""Lines of text out of a stream of words, line ends and paragraphs, with the depth of quoting before each line."""

from __future__ import annotations

import re

_SPACE = re.compile(r"[ \t\n\r\f\u00a0\u2007\u202f]+")
_FILLER = re.compile(r"[\u00ad\u034f\u061c\u115f\u180e\u200b-\u200f\u2060-\u2064\ufeff\s]{6,}")
MOST_QUOTE_LEVELS = 10


class LineWriter:
    """quote_level: how many blockquotes the next words stand in."""

    def __init__(self) -> None:
        self.quote_level = 0
        self._lines: list[str] = []
        self._line: list[str] = []
        self._ends_in_space = True
        self._blank_level: int | None = None  # an empty line is due, at this depth of quoting

    def write(self, words: str, *, is_preformatted: bool = False) -> None:
        if is_preformatted and "\n" in words:
            *whole, last = words.split("\n")
            for each in whole:
                self._put(each, keeps_space=True)
                self.end_line(is_forced=True)
            self._put(last, keeps_space=True)
            return
        if not is_preformatted and ("  " in words or not words.isprintable()):  # else there is nothing to fold
            words = _SPACE.sub(" ", words)
        self._put(words, keeps_space=is_preformatted)

    def end_line(self, *, is_forced: bool = False) -> None:
        """End the line if it has words; forced, also if it has none."""
        if not self._line and not is_forced:
            return
        line = "".join(self._line).rstrip()
        if _FILLER.fullmatch(line + " " * 6):
            line = ""
        if self._blank_level is not None and self._lines and self._lines[-1].strip("> "):
            self._lines.append(_prefix(min(self._blank_level, self.quote_level)).rstrip())
        self._blank_level = None
        self._lines.append((_prefix(self.quote_level) + line).rstrip())
        self._line, self._ends_in_space = [], True

    def end_paragraph(self) -> None:
        self.end_line()
        self._blank_level = self.quote_level

    def here(self) -> tuple[int, int]:
        """This place, for `since`."""
        return len(self._lines), len(self._line)

    def since(self, place: tuple[int, int]) -> str:
        """The words of the current line that came after a place."""
        return "".join(self._line[place[1] if place[0] == len(self._lines) else 0 :])

    def text(self) -> str:
        self.end_line()
        out: list[str] = []
        for line in self._lines:
            if line.strip("> ") or not out or out[-1].strip("> "):
                out.append(line)
        return "\n".join(out).strip("\n")

    def _put(self, words: str, *, keeps_space: bool = False) -> None:
        if self._ends_in_space and not keeps_space:
            words = words.lstrip(" ")
        if not words:
            return
        self._line.append(words)
        self._ends_in_space = words.endswith(" ")


def _prefix(level: int) -> str:
    return "> " * min(level, MOST_QUOTE_LEVELS)
