"""XGBoost's binary model format, read and written: Universal Binary JSON with typed arrays.

Format: ubjson.org, draft 12, as far as XGBoost uses it: lengths are int64, arrays know theirs beforehand.
Reading and writing again gives the same bytes. Python's ``json`` on the text form of a model takes ten
times as long and, for a large model, gigabytes.
"""

import struct
from typing import Any

import numpy as np

_TYPES: dict[bytes, np.dtype[Any]] = {
    b"d": np.dtype(">f4"),
    b"D": np.dtype(">f8"),
    b"i": np.dtype(">i1"),
    b"U": np.dtype(">u1"),
    b"I": np.dtype(">i2"),
    b"l": np.dtype(">i4"),
    b"L": np.dtype(">i8"),
}
_MARKERS = {kind.newbyteorder("="): marker for marker, kind in _TYPES.items()}
_CONSTANTS = {b"Z": None, b"T": True, b"F": False}


def decode(data: bytes | bytearray) -> Any:
    """Dicts, lists, strings, constants; numbers as NumPy scalars, typed arrays as read-only NumPy arrays.

    Raises:
        ValueError: the data is of another format, or uses more of it than XGBoost does.
    """
    return _Reader(bytes(data)).value()


def encode(value: Any) -> bytes:
    """Write what ``decode`` gives; an array's or a scalar's type decides how it is written.

    Raises:
        TypeError: a value of a type that ``decode`` never gives.
    """
    parts: list[bytes] = []
    _write(value, parts)
    return b"".join(parts)


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def value(self) -> Any:
        marker = self._take(1)
        if marker in _CONSTANTS:
            return _CONSTANTS[marker]
        if marker in _TYPES:
            return self._numbers(_TYPES[marker], 1)[0]
        readers = {b"{": self._object, b"[": self._array, b"S": self._string}
        if marker not in readers:
            raise ValueError(f"byte {self._at - 1} is {marker!r}, which starts no value")
        return readers[marker]()

    def _take(self, size: int) -> bytes:
        self._at += size
        return self._data[self._at - size : self._at]

    def _length(self) -> int:
        if self._take(1) != b"L":
            raise ValueError(f"no int64 length at byte {self._at - 1}")
        return int(struct.unpack(">q", self._take(8))[0])

    def _string(self) -> str:
        return self._take(self._length()).decode()

    def _object(self) -> dict[str, Any]:
        found = {}
        while self._data[self._at : self._at + 1] != b"}":
            name = self._string()
            found[name] = self.value()
        self._at += 1
        return found

    def _array(self) -> Any:
        header = self._take(1)
        if header == b"#":
            return [self.value() for _ in range(self._length())]
        kind, counted = self._take(1), self._take(1)
        if header != b"$" or kind not in _TYPES or counted != b"#":
            raise ValueError(f"an array without type or length before byte {self._at}")
        return self._numbers(_TYPES[kind], self._length())

    def _numbers(self, kind: np.dtype[Any], count: int) -> Any:
        found = np.frombuffer(self._data, kind, count, self._at)
        self._at += found.nbytes
        return found.astype(kind.newbyteorder("="))


def _write(value: Any, parts: list[bytes]) -> None:
    if isinstance(value, dict):
        parts.append(b"{")
        for name, inner in value.items():
            parts.append(_text(name))
            _write(inner, parts)
        parts.append(b"}")
    elif isinstance(value, list):
        parts.append(b"[#" + _size(len(value)))
        for inner in value:
            _write(inner, parts)
    else:
        parts.append(_plain(value))


def _plain(value: Any) -> bytes:
    match value:
        case None | True | False:
            return {None: b"Z", True: b"T", False: b"F"}[value]
        case str():
            return b"S" + _text(value)
        case np.ndarray():
            return b"[$" + _MARKERS[value.dtype] + b"#" + _size(len(value)) + _big_endian(value)
        case np.generic():
            return _MARKERS[value.dtype] + _big_endian(value)
        case _:
            raise TypeError(f"a {type(value).__name__} cannot be written")


def _text(text: str) -> bytes:
    data = text.encode()
    return _size(len(data)) + data


def _size(count: int) -> bytes:
    return b"L" + struct.pack(">q", count)


def _big_endian(values: Any) -> bytes:
    return np.asarray(values, values.dtype.newbyteorder(">")).tobytes()
