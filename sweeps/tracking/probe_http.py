"""Is it an MLflow server, new enough, and does it let us in?"""

import base64
import json
import os
import re
import socket
import ssl
import urllib.error
import urllib.request
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

from sweeps.errors import StoreError
from sweeps.tracking.deadline import DEADLINE, ELSEWHERE

OLDEST = 3
LOGIN = "set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN"
Answer = tuple[int, str]


def probe_http(uri: str, shown: str, seconds: float = DEADLINE) -> None:
    """Ask for the version, then for an experiment; each may take so many seconds.

    Raises:
        StoreError: unreachable, not MLflow, too old, or not open to us.
    """
    what = f"MLflow {shown}"
    base, headers = _address(uri)
    status, text = _ask(what, f"{base}/version", headers, seconds=seconds)
    _check_access(what, status, text)
    version = re.fullmatch(r"(\d+)\.\d+[\w.+-]*", text.strip())
    if status != 200 or version is None:
        said = str(status) if status != 200 else repr(text.strip()[:40])
        raise StoreError(
            what, f"answered, but is not an MLflow server (/version: {said})", "check host and port"
        )
    if int(version[1]) < OLDEST:
        raise StoreError(f"MLflow server {text.strip()} at {shown}", f"too old, {OLDEST}.x required")
    search = f"{base}/api/2.0/mlflow/experiments/search"
    status, text = _ask(what, search, headers, json.dumps({"max_results": 1}).encode(), seconds)
    _check_access(what, status, text)
    if status != 200:
        raise StoreError(what, f"answered {status} to a search of experiments")


def server_version(uri: str) -> str:
    """Give the version of MLflow a server says it is; empty where it does not say.

    Raises:
        StoreError: unreachable.
    """
    base, headers = _address(uri)
    status, text = _ask("MLflow server", f"{base}/version", headers)
    return text.strip() if status == 200 else ""


def _check_access(what: str, status: int, text: str) -> None:
    if 300 <= status < 400:
        elsewhere = f"sends us elsewhere ({status}), where no password may follow"
        raise StoreError(what, elsewhere, "name that address")
    if status == 403 and "host" in text.lower() and "invalid" in text.lower():
        raise StoreError(what, "the server rejects this host name", "see its --allowed-hosts")
    if status in (401, 403):
        raise StoreError(what, f"not authorised ({status})", LOGIN)


def _ask(
    what: str, url: str, headers: dict[str, str], body: bytes | None = None, seconds: float = DEADLINE
) -> Answer:
    request = urllib.request.Request(url, data=body, headers=headers)  # noqa: S310 - http or https, checked before
    try:
        with _opener().open(request, timeout=seconds) as answer:
            return answer.status, answer.read(100_000).decode("utf-8", "replace")
    except urllib.error.HTTPError as error:
        return error.code, error.read(2000).decode("utf-8", "replace")
    except (OSError, ValueError) as error:
        raise StoreError(what, _reason(error, seconds), ELSEWHERE) from None
    except Exception as error:
        if type(error).__module__ != "http.client":
            raise
        raise StoreError(what, "answered, but not in HTTP") from None


def _reason(error: BaseException, seconds: float) -> str:
    cause = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(cause, ConnectionRefusedError):
        return "connection refused"
    if isinstance(cause, socket.gaierror):
        return "unknown host"
    if isinstance(cause, TimeoutError):
        return f"no answer within {seconds:g} s"
    return str(cause)[:200] or type(cause).__name__


def _address(uri: str) -> tuple[str, dict[str, str]]:
    """Split the credentials off a URI; those in it come before those in the environment, as with requests."""
    parts = urlsplit(uri)
    headers = {"Content-Type": "application/json"}
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    if not user:
        user = os.environ.get("MLFLOW_TRACKING_USERNAME", "")
        password = os.environ.get("MLFLOW_TRACKING_PASSWORD", "")
    if user:
        headers["Authorization"] = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
    elif token := os.environ.get("MLFLOW_TRACKING_TOKEN"):
        headers["Authorization"] = f"Bearer {token}"
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path.rstrip("/"), "", "")), headers


class _Stay(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: ``urllib`` would hand our credentials to whatever address the server names."""

    def redirect_request(self, *_: Any) -> None:
        """Follow none."""


def _opener() -> urllib.request.OpenerDirector:
    return urllib.request.build_opener(_Stay, urllib.request.HTTPSHandler(context=_tls()))


def _tls() -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=os.environ.get("MLFLOW_TRACKING_SERVER_CERT_PATH"))
    if os.environ.get("MLFLOW_TRACKING_INSECURE_TLS", "").lower() == "true":
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context
