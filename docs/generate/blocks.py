"""A page as the blocks a reader types in: read from Markdown, and written back with fresh answers."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

BLOCK = re.compile(r"^```(bash|python|ini|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NAMED = re.compile(r"# (\S+\.\w+)\n")


@dataclass(frozen=True)
class Step:
    """A block that is done, with what stands below it as its answer."""

    kind: str
    """``bash`` is typed, ``python`` run; what names a file in its first line is written there."""
    text: str
    answer: str | None
    """What the page says it prints; None where it says nothing."""

    @property
    def path(self) -> str | None:
        """The file to write; None for what is run."""
        named = NAMED.match(self.text)
        return named[1] if named else None

    @property
    def commands(self) -> list[str]:
        """The commands of a ``bash`` block; a quoted text or a backslash carries on in the next line."""
        lines = list[str]()
        for line in self.text.splitlines():
            if lines and (lines[-1].endswith("\\") or lines[-1].count("'") % 2):
                lines[-1] = lines[-1].removesuffix("\\") + (" " if lines[-1].endswith("\\") else "\n") + line
            elif line.strip():
                lines.append(line)
        return lines


def steps(page: str) -> list[Step]:
    """Give a page's steps in order; a ``text`` block right below a step is its answer."""
    return list(_steps(page))


def _steps(page: str) -> Iterator[Step]:
    matches = list(BLOCK.finditer(page))
    for match, after in zip(matches, [*matches[1:], None], strict=True):
        if match[1] == "text":
            continue
        close = after is not None and after[1] == "text" and page[match.end() : after.start()] == "\n\n"
        yield Step(match[1], match[2], after[2] if after is not None and close else None)


def with_answers(page: str, answers: Sequence[str]) -> str:
    """Put fresh answers in a page, in order of the steps that have one."""
    fresh = iter(answers)
    parts, end = list[str](), 0
    matches = list(BLOCK.finditer(page))
    for before, match in pairwise(matches):
        if before[1] != "text" and match[1] == "text" and page[before.end() : match.start()] == "\n\n":
            parts += [page[end : match.start()], f"```text\n{next(fresh)}```"]
            end = match.end()
    return "".join([*parts, page[end:]])


FIGURE = re.compile(r"[-+]?\d+(\.\d+)?(e[-+]?\d+)?")
PASSING = re.compile(r"[0-9a-f]{8,}|\d+(\.\d+)?[hms]|\d+-\d+-\d+|\d+:\d+(:\d+)?|\d+(\.\d+)?%")
"""What differs from run to run: ids, times, days, shares of a time."""
NEAR = 0.05
"""Share by which a figure may differ: other machines round otherwise, and trees may split elsewhere then."""


def agree(said: str, printed: str) -> bool:
    """Whether an answer is the one on the page, but for ids, times, white space and last digits."""
    ours, theirs = _words(said), _words(printed)
    return len(ours) == len(theirs) and all(map(_alike, ours, theirs))


def _words(text: str) -> list[str]:
    """Split a text, a time with its unit in one piece; what only a run of a minute prints is left out."""
    text = re.sub(r" · overhead [\d.]+ % while trials ran", "", text)
    text = re.sub(r"(\d+[hm]) \d+[ms]", r"\1", text)
    text = re.sub(r"(?<=\d) (?=[s%](\s|$))", "", text)
    return re.findall(r"[^\s(),;=]+", text)


def _alike(ours: str, theirs: str) -> bool:
    if ours == theirs or (PASSING.fullmatch(ours) and PASSING.fullmatch(theirs)):
        return True
    if not (FIGURE.fullmatch(ours) and FIGURE.fullmatch(theirs)) or (ours.isdigit() and theirs.isdigit()):
        return False
    return abs(float(ours) - float(theirs)) <= NEAR * max(abs(float(ours)), abs(float(theirs)))
