"""An exception as text: what travels from a worker instead of the exception."""

from pathlib import Path
from traceback import FrameSummary, StackSummary, TracebackException

from sweeps.credentials import redact
from sweeps.errors import one_line

_OURS = str(Path(__file__).parents[1])
_LONGEST = 6000
_LONGEST_REASON = 500


def describe(error: BaseException, *, traceback: bool = True) -> str:
    """The traceback from the first frame that is not ours, ending with one line: the reason.

    At most about 6000 characters; the middle is left out of longer ones.
    """
    told = TracebackException.from_exception(error)
    reason = _shorten(one_line(redact("".join(told.format_exception_only()))), _LONGEST_REASON)
    if not traceback:
        return reason
    told.stack = StackSummary.from_list(_without_ours(list(told.stack)))
    text = redact("".join(told.format())).rstrip()
    if text.endswith(reason):
        text = text[: -len(reason)]
    return f"{_shorten(text.rstrip(), _LONGEST)}\n{reason}"


def _without_ours(frames: list[FrameSummary]) -> list[FrameSummary]:
    first = next((i for i, frame in enumerate(frames) if not frame.filename.startswith(_OURS)), 0)
    return frames[first:]


def _shorten(text: str, longest: int) -> str:
    if len(text) <= longest:
        return text
    half = longest // 2
    return f"{text[:half]} … [{len(text) - longest} characters left out] … {text[-half:]}"
