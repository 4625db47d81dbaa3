"""What a running sweep shows on a terminal, as lines that fit it."""

from collections.abc import Sequence
from typing import NamedTuple

from rich.text import Text

from sweeps.cli.boards import Column, fitted, fitted_params, params_of
from sweeps.cli.grid import grid, header_lines
from sweeps.errors import one_line
from sweeps.live.spark import sparkline, stepped
from sweeps.live.tally import Tally
from sweeps.live.underway import Runner
from sweeps.report.tables import flat
from sweeps.trial import State
from sweeps.wording import counted, figure, figures, per_time, seconds

MARGIN = 10
"""Columns of the words at the left."""

BEST, RUNNING, CAUSES = 5, 8, 3
"""Most rows of each board."""

COUNTED = ((State.COMPLETE, ""), (State.PRUNED, "yellow"), (State.FAILED, "red"), (State.LOST, "red"))


class View(NamedTuple):
    """What there is to show."""

    tally: Tally
    runners: Sequence[Runner]
    phase: str = ""
    """What is done besides trials; empty while they run."""


def lines_of(view: View, columns: int, rows: int) -> list[Text]:
    """Give the picture of a sweep, cut to so many columns and rows.

    The head stays; then the boards, as far as there is room: running trials, the best ones, failures.
    """
    if view.phase and not view.tally.ended:
        return [Text(f"{view.phase} · {seconds(view.tally.elapsed)}")]
    head = [_progress(view, columns), *_standing(view.tally, columns)]
    room, picture = rows - len(head), head
    for board in (_running(view, columns), _best(view.tally, columns), _failures(view.tally)):
        if len(board) > 1 and room >= 3:
            picture = [*picture, *[Text(), *board][:room]]
            room = rows - len(picture)
    return picture


def _progress(view: View, columns: int) -> Text:
    tally = view.tally
    of = f"/{tally.total:,}" if tally.total else ""
    parts = [f"{tally.ended:,}{of} trials", seconds(tally.elapsed)]
    if tally.rate is not None:
        parts.append(per_time(tally.rate))
    if view.phase:
        parts.append(view.phase)
    elif tally.left is not None:
        parts.append(f"{seconds(tally.left)} left")
    text = " · ".join(parts)
    return Text.assemble(*_bar(tally.share, columns - len(text) - 3), text)


def _bar(share: float | None, width: int) -> list[tuple[str, str]]:
    width = min(width, 40)
    if share is None or width < 5:
        return []
    done = round(share * width)
    return [("━" * done, "green"), ("─" * (width - done) + "  ", "dim")]


def _standing(tally: Tally, columns: int) -> list[Text]:
    counts = [(f"{tally.counts[state]:,} {state.lower()}", style) for state, style in COUNTED]
    shown = [pair for pair, (state, _) in zip(counts, COUNTED, strict=True) if tally.counts[state]]
    if not shown:
        return []
    line = Text("trials".ljust(MARGIN))
    for position, (text, style) in enumerate(shown):
        line.append(" · " if position else "").append(text, style)
    return [*_best_so_far(tally, columns), line]


def _best_so_far(tally: Tally, columns: int) -> list[Text]:
    if not tally.history:
        return [Text("no rmse yet")]
    best = tally.best[0]
    ago = f"{counted(tally.since_best, 'trial')} ago" if tally.since_best else "just now"
    text = Text.assemble("best".ljust(MARGIN), (f"rmse {figure(best.outcome.rmse)}", "bold green"))
    text.append(f"  trial {best.number}, {ago}  ")
    first = f" from {figure(tally.history[0][1])}"
    room = min(columns - text.cell_len - len(first) - 1, 40)
    if room >= 8 and tally.ended > 1:
        values = stepped(tally.history, tally.ended, room)
        text.append(sparkline(values), "cyan").append(first, "dim")
    return [text]


def _running(view: View, columns: int) -> list[Text]:
    shown = view.runners[:RUNNING]
    if not shown:
        return []
    fixed: list[Column] = [("trial", [str(r.proposal.number) for r in shown])]
    if any(r.rmse is not None for r in shown):
        fixed.append(("rmse now", figures([r.rmse for r in shown])))
        fixed.append(("at", [r.place or "–" for r in shown]))
    fixed.append(("age", [seconds(r.age) for r in shown]))
    rows = [flat(r.proposal.params) for r in shown]
    others = [params_of(t) for t in view.tally.best]  # so that columns do not come and go
    lines = _board("running", fitted_params(fixed, rows, columns - MARGIN - 1, [*rows, *others])[0])
    more = len(view.runners) - len(shown)
    return [*lines, *([Text(f"{'':{MARGIN}}and {more} more", "dim")] if more else [])]


def _best(tally: Tally, columns: int) -> list[Text]:
    best = tally.best[:BEST]
    if len(best) < 2:
        return []
    fixed: list[Column] = [
        ("trial", [str(t.number) for t in best]),
        ("rmse", figures([t.outcome.rmse for t in best])),
        ("time", [seconds(t.ended - t.trial.started) for t in best]),
    ]
    return _board("best", fitted(fixed, best, columns - MARGIN - 1)[0])


def _board(word: str, columns: Sequence[Column]) -> list[Text]:
    heads = header_lines(columns)
    texts = grid(columns)
    lines = [Text(" " * MARGIN + text, "dim") for text in texts[:heads]]
    lines[-1] = Text.assemble((word.ljust(MARGIN), "bold"), (texts[heads - 1], "dim"))
    return [*lines, *(Text(" " * MARGIN + text) for text in texts[heads:])]


def _failures(tally: Tally) -> list[Text]:
    causes = tally.causes.ranked
    lines = [Text("failures", "bold")] if causes else []
    for cause in causes[:CAUSES]:
        times = f"{len(cause.numbers):,} {cause.state.lower()}"
        lines.append(Text.assemble(" " * MARGIN, (times, "red"), f": {one_line(cause.reason)}"))
    if len(causes) > CAUSES:
        lines.append(Text(f"{'':{MARGIN}}and {len(causes) - CAUSES} more causes", "dim"))
    return lines
