"""Download green taxi months from the public trip-record site: whole, checked, never twice."""

import hashlib
import http.client
import ipaddress
import os
import shutil
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from sweeps.data.months import PREFIX, data_folder, month_file, parse_months
from sweeps.errors import DataError, absent, unknown

BASE_URL = "https://d37ci6vzurychx.cloudfront.net/trip-data/"
LOOPBACK = ("127.0.0.1", "localhost", "::1")
MAX_REDIRECTS = 3
CHUNK = 1 << 18
_PART = ".sweeps-part"

Progress = Callable[[str, int, int | None], None]


@dataclass(frozen=True)
class Limits:
    """When a download is given up."""

    idle_seconds: float = 30.0
    total_seconds: float = 3600.0
    max_bytes: int = 4 * 2**30


def fetch(
    name: str,
    data_dir: str | None = None,
    progress: Progress = lambda _name, _done, _total: None,
    base_url: str = BASE_URL,
    limits: Limits | None = None,
) -> list[Path]:
    """Bring the months of ``green-taxi:2023-01,...`` into the data folder.

    A month that is there is kept, without any request; beside each month lies its checksum.

    Args:
        name: what to fetch.
        data_dir: the folder; else ``SWEEPS_DATA_DIR``, else ``./data``.
        progress: called with the file's name, its bytes so far, and its size where that is known.
        base_url: where the files lie; https, or http on this machine.
        limits: when to give up.

    Raises:
        DataError: nothing of that name can be fetched, the site cannot be reached, or what came is not whole.
    """
    if not name.startswith(PREFIX):
        raise DataError("fetch", unknown("data", name, ["green-taxi:2023-01,2023-02,2023-03"]))
    months, folder = parse_months(name), data_folder(data_dir)
    limits = limits or Limits()
    with _made(folder):
        return [_fetch_file(month_file(folder, month), base_url, progress, limits) for month in months]


@contextmanager
def _made(folder: Path) -> Iterator[None]:
    """Make the folder for the time of a download; it stays if something is in it."""
    new = [path for path in (folder, *folder.parents) if absent(path) == "no such file"]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(
            f"folder {folder}", f"cannot be made: {error.strerror}", "use --data-dir FOLDER"
        ) from None
    try:
        yield
    finally:
        with suppress(OSError):  # not empty
            for path in new:
                path.rmdir()


def _fetch_file(path: Path, base_url: str, progress: Progress, limits: Limits) -> Path:
    _remove_leftovers(path)
    if path.exists() and _known_good(path):
        return path
    url = urllib.parse.urljoin(base_url, path.name)
    part = path.with_name(f".{path.name}.{os.getpid()}{_PART}")
    try:
        digest = _download(url, part, path, progress, limits)
        _check_parquet(part, url)
        # The checksum first: a kill in between leaves a sum without a file, which the next fetch replaces.
        _sidecar(path).write_text(f"{digest}  {path.name}\n")
        part.replace(path)
    except OSError as error:
        raise DataError(f"folder {path.parent}", f"cannot be written: {error.strerror or error}") from None
    finally:
        part.unlink(missing_ok=True)
    return path


def _sidecar(path: Path) -> Path:
    return path.with_name(f"{path.name}.sha256")


def _known_good(path: Path) -> bool:
    """Whether the file is whole: by its checksum, or, if the user put it there, by being readable."""
    digest = _sha256(path)
    if _sidecar(path).exists():
        return _sidecar(path).read_text().split()[:1] == [digest]
    try:
        _check_parquet(path, str(path))
    except DataError:
        return False
    _record(path, digest)
    return True


def _record(path: Path, digest: str) -> None:
    if os.access(path.parent, os.W_OK):
        _sidecar(path).write_text(f"{digest}  {path.name}\n")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _remove_leftovers(path: Path) -> None:
    """Remove what killed fetches left of this file; one that still runs keeps its own."""
    for part in path.parent.glob(f".{path.name}.*{_PART}"):
        pid = part.name.removesuffix(_PART).rpartition(".")[2]
        if not (pid.isdigit() and _alive(int(pid))):
            part.unlink(missing_ok=True)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return pid != os.getpid()


def _download(url: str, part: Path, path: Path, progress: Progress, limits: Limits) -> str:
    try:
        with _open(url, limits.idle_seconds) as response:
            size = _content_length(response)
            _check_size(url, size, path.parent, limits)
            digest, done = _stream(response, part, lambda n: progress(path.name, n, size), url, limits)
    except urllib.error.HTTPError as error:
        reason = "is not published (there, or yet)" if error.code in (403, 404) else f"answered {error.code}"
        raise DataError(url, reason, f"choose another month, or put {path.name} into {path.parent}") from None
    except (urllib.error.URLError, TimeoutError, ConnectionError, http.client.HTTPException) as error:
        cause = getattr(error, "reason", None) or error
        hint = f"download it elsewhere and put {path.name} into the folder {path.parent}"
        raise DataError(url, f"cannot be reached: {cause}", hint) from None
    if size is not None and done != size:
        raise DataError(url, f"broke off after {done} of {size} bytes", "run the command again")
    return digest


def _stream(
    response: IO[bytes], part: Path, progress: Callable[[int], None], url: str, limits: Limits
) -> tuple[str, int]:
    sha, done, deadline = hashlib.sha256(), 0, time.monotonic() + limits.total_seconds
    progress(0)
    with part.open("wb") as file:
        while chunk := response.read(CHUNK):
            file.write(chunk)
            sha.update(chunk)
            done += len(chunk)
            if done > limits.max_bytes or time.monotonic() > deadline:
                limit = f"{limits.max_bytes} bytes or {limits.total_seconds:g} s"
                raise DataError(url, f"is given up after {done} bytes, the limit is {limit}")
            progress(done)
        file.flush()
        os.fsync(file.fileno())
    return sha.hexdigest(), done


def _content_length(response: Any) -> int | None:
    length = response.headers.get("Content-Length", "")
    return int(length) if length.isdigit() else None


def _check_size(url: str, size: int | None, folder: Path, limits: Limits) -> None:
    if size is not None and size > limits.max_bytes:
        raise DataError(url, f"has {size} bytes, more than the limit of {limits.max_bytes}")
    free = shutil.disk_usage(folder).free
    if size is not None and size > free:
        raise DataError(
            f"folder {folder}", f"has {free} bytes left, {size} are needed", "use --data-dir FOLDER"
        )


def _check_parquet(path: Path, what: str) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            file.read_row_group(0)
    except (pa.ArrowException, OSError, IndexError) as error:
        raise DataError(
            what, f"what came is no readable Parquet file: {error}", "run the command again"
        ) from None


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows few redirects, and only to addresses that may be fetched."""

    max_redirections = MAX_REDIRECTS

    def redirect_request(self, req: Any, *rest: Any) -> Any:
        _check_address(rest[-1], redirected_from=req.full_url)
        return super().redirect_request(req, *rest)


def _open(url: str, idle_seconds: float) -> Any:
    _check_address(url)
    request = urllib.request.Request(url, headers={"User-Agent": "sweeps"})  # noqa: S310 - checked above
    return urllib.request.build_opener(_Redirects, _Public).open(request, timeout=idle_seconds)


class _PublicConnection(http.client.HTTPSConnection):
    """Asks only addresses of the public network, whatever name leads to them; a proxy is the user's own."""

    def connect(self) -> None:
        """Connect, and hang up before anything is asked where the address is a private one."""
        super().connect()
        address = ipaddress.ip_address(self.sock.getpeername()[0])
        if not (address.is_global or getattr(self, "_tunnel_host", None)):
            self.close()
            raise DataError(f"https://{self.host}", f"leads to {address}, which is no public address")


class _Public(urllib.request.HTTPSHandler):
    def https_open(self, req: urllib.request.Request) -> Any:
        """Open with the check of the address."""
        return self.do_open(_PublicConnection, req)


def _check_address(url: str, redirected_from: str | None = None) -> None:
    address = urllib.parse.urlsplit(url)
    local = address.scheme == "http" and address.hostname in LOOPBACK
    if redirected_from is not None:
        local = local and urllib.parse.urlsplit(redirected_from).hostname in LOOPBACK
    if address.scheme != "https" and not local:
        raise DataError(redirected_from or url, f"only https addresses are fetched, not {url}")
