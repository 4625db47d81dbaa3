"""Text for terminals that know less than Unicode: every sign of ours has a plain stand-in of one column."""

import codecs
import io
import locale
import os
import sys
from typing import TextIO

STAND_INS = str.maketrans("·–—×→…▁▂▃▄▅▆▇█━╸─│┤└≥≤±", "---x>~_,.-=+*#=>-||+><+")
"""One column each, so that tables stay aligned."""

PLAIN = "sweeps_plain"
"""Our name for ASCII with stand-ins; of a stream that is called ASCII, click would make UTF-8 again."""


def plain(text: str) -> str:
    """Replace our own signs; foreign ones stay."""
    return text.translate(STAND_INS)


def speaks_unicode() -> bool:
    """Whether the locale can show more than ASCII; the POSIX locale promises nothing."""
    if os.environ.get("PYTHONIOENCODING") or os.environ.get("PYTHONUTF8") == "1":
        return "utf" in (sys.stdout.encoding or "").lower()
    return "utf" in locale.getencoding().lower()


def is_unicode(stream: TextIO) -> bool:
    """Whether a stream may be given any sign."""
    return "utf" in (stream.encoding or "").lower() and speaks_unicode()


def adapt_streams() -> None:
    """Make what the locale cannot show plain, instead of failing on it or writing bytes it cannot read."""
    codecs.register(_find)
    codecs.register_error(PLAIN, _replace)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and not is_unicode(stream):
            stream.reconfigure(encoding=_narrow(stream), errors=PLAIN)


def _narrow(stream: TextIO) -> str:
    """The stream's encoding; a plain one where Python writes UTF-8 although the locale is not."""
    encoding = (stream.encoding or "ascii").lower()
    return PLAIN if "utf" in encoding or codecs.lookup(encoding).name == "ascii" else encoding


def _replace(error: UnicodeError) -> tuple[str | bytes, int]:
    """Give the stand-ins for what an encoding does not have."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return _encoded(error.object[error.start : error.end]).decode(), error.end


def _encoded(text: str) -> bytes:
    return plain(text).encode("ascii", "replace")


class _Encoder(codecs.IncrementalEncoder):
    def encode(self, text: str, final: bool = False) -> bytes:  # codecs call it so
        return _encoded(text)


def _find(name: str) -> codecs.CodecInfo | None:
    if name != PLAIN:
        return None
    ascii_ = codecs.lookup("ascii")
    return codecs.CodecInfo(
        lambda text, _="strict": (_encoded(text), len(text)),
        ascii_.decode,
        incrementalencoder=_Encoder,
        incrementaldecoder=ascii_.incrementaldecoder,
        name=PLAIN,
    )
