"""What is secret in a text and in the environment, and how it is kept from those whom it does not concern."""

import os
import re
from collections.abc import Collection, Iterator, Mapping

_USERINFO = re.compile(r"(?<=://)(?!/)[^\s'\"]*@")
_ASSIGNED = re.compile(r"(?i)\b(password|passwd|pwd|token|secret|access_key)=[^&\s'\"]+")
_WITH_PASSWORD = re.compile(r"://[^/\s:@]*:([^\s]+)@")

_WORDS = frozenset(
    {"APIKEY", "AUTH", "COOKIE", "CREDENTIAL", "CREDENTIALS", "DSN", "KEY", "KUBECONFIG", "PASSPHRASE"}
    | {"PASSWD", "PASSWORD", "PGPASSFILE", "PGPASSWORD", "SECRET", "SECRETS", "TOKEN", "TOKENS"}
)
"""A variable with one of these between its underscores is a credential."""

_OF_THE_STORE = "MLFLOW_"
"""How the names of all of MLflow's settings begin; a worker has no business with the store."""

_SHORTEST = 8
"""Letters of a value that is looked for in texts: a shorter one would black out ordinary words."""


def redact(text: str) -> str:
    """Replace what is secret in a text by ``***``; rather too much than too little.

    That is: user and password in a URI (a password may itself hold ``@``, ``:`` or ``/``, which database
    drivers accept), what stands after ``password=`` and the like, and the values of credentials in this
    process's environment, from 8 letters on.
    """
    text = _ASSIGNED.sub(r"\1=***", _USERINFO.sub("***@", text))
    for value in sorted(_secret_values(os.environ), key=len, reverse=True):
        text = text.replace(value, "***")
    return text


def without_secrets(error: BaseException) -> BaseException:
    """Redact the texts of an exception and of those it came from: whoever prints it does not know of secrets.

    MLflow names the address it asked, with the password in it.
    """
    links: list[BaseException | None] = [error]
    seen: set[int] = set()
    while links:
        link = links.pop()
        if link is None or id(link) in seen:
            continue
        seen.add(id(link))
        link.args = tuple(redact(part) if isinstance(part, str) else part for part in link.args)
        if isinstance(message := getattr(link, "message", None), str):
            link.message = redact(message)  # type: ignore[attr-defined]  # MLflow's exceptions have one
        links += [link.__cause__, link.__context__]
    return error


def for_workers(environment: Mapping[str, str], keep: Collection[str] = ()) -> dict[str, str]:
    """Give the environment of a process that trains: without MLflow's settings and without credentials.

    Args:
        environment: of the driver.
        keep: names that are passed on all the same.
    """
    return {
        name: value
        for name, value in environment.items()
        if name in keep or not (name.startswith(_OF_THE_STORE) or is_secret(name, value))
    }


def is_secret(name: str, value: str) -> bool:
    """Whether an environment variable is a credential, by the words in its name or a password in its URI."""
    words = name.upper().split("_")
    named = not _WORDS.isdisjoint(words) or "PWD" in words[1:]  # the shell's own PWD is a folder
    return named or "CONNECTION_STRING" in name.upper() or _WITH_PASSWORD.search(value) is not None


def _secret_values(environment: Mapping[str, str]) -> Iterator[str]:
    """Give the values to look for; a path to a file of credentials is none."""
    for name, value in environment.items():
        if not is_secret(name, value):
            continue
        inner = _WITH_PASSWORD.search(value)
        secret = inner[1] if inner else value
        if len(secret) >= _SHORTEST and not secret.startswith(("/", "~")):
            yield secret
