"""A model registry in memory, with what promotion needs of MLflow's client, and steps one can wait at.

The real stores are tested elsewhere (tests/faults); here thousands of interleavings must fit into seconds.
"""

import threading
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import RESOURCE_ALREADY_EXISTS, RESOURCE_DOES_NOT_EXIST


class Page(list[Any]):
    token = None


class Registry:
    """One registered model; each call is atomic, as a transaction is."""

    def __init__(self) -> None:
        self.made = False
        self.tags: dict[str, str] = {}
        self.aliases: dict[str, str] = {}
        self.versions: dict[str, Any] = {}
        self.models: dict[str, dict[str, str]] = {}
        self.highest = 0

    def create_registered_model(self, name: str, description: str = "") -> None:
        if self.made:
            raise MlflowException("it exists", RESOURCE_ALREADY_EXISTS)
        self.made = True

    def get_registered_model(self, name: str) -> Any:
        if not self.made:
            raise MlflowException("no such model", RESOURCE_DOES_NOT_EXIST)
        return SimpleNamespace(aliases=dict(self.aliases), tags=dict(self.tags))

    def set_registered_model_tag(self, name: str, key: str, value: str) -> None:
        self.tags[key] = value

    def set_registered_model_alias(self, name: str, alias: str, version: str) -> None:
        self.aliases[alias] = version

    def delete_registered_model_alias(self, name: str, alias: str) -> None:
        self.aliases.pop(alias, None)

    def create_model_version(
        self, name: str, source: str, run_id: str, model_id: str, tags: dict[str, str] | None = None
    ) -> Any:
        self.highest += 1
        own = {"name": name, "source": source, "run_id": run_id, "tags": dict(tags or {})}
        made = SimpleNamespace(version=str(self.highest), **own)
        self.versions[made.version] = made
        return made

    def get_model_version(self, name: str, version: str) -> Any:
        if version not in self.versions:
            raise MlflowException("no such version", RESOURCE_DOES_NOT_EXIST)
        found = self.versions[version]
        return SimpleNamespace(**{**vars(found), "tags": dict(found.tags)})

    def search_model_versions(self, query: str, page_token: str | None = None) -> Page:
        asked = query.partition("run_id = '")[2].rstrip("'")
        return Page(
            self.get_model_version("", number)
            for number, version in self.versions.items()
            if not asked or version.run_id == asked
        )

    def delete_model_version(self, name: str, version: str) -> None:
        self.get_model_version(name, version)
        del self.versions[version]
        self.aliases = {alias: number for alias, number in self.aliases.items() if number != version}

    def update_model_version(self, name: str, version: str, description: str) -> None:
        assert version in self.versions

    def set_model_version_tag(self, name: str, version: str, key: str, value: str) -> None:
        self.versions[version].tags[key] = value

    def delete_model_version_tag(self, name: str, version: str, key: str) -> None:
        self.versions[version].tags.pop(key, None)

    def get_logged_model(self, model_id: str) -> Any:
        return SimpleNamespace(tags=self.models.setdefault(model_id, {}))

    def set_logged_model_tags(self, model_id: str, tags: dict[str, str]) -> None:
        self.models.setdefault(model_id, {}).update(tags)


class DeadError(BaseException):
    """The process was killed: nothing handles it."""


class Gated:
    """A client that asks before each call; ``ask`` waits for its turn, or raises DeadError for ever."""

    def __init__(self, client: Any, ask: Callable[[str, tuple[Any, ...]], None]) -> None:
        self._client, self._ask = client, ask

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._client, name)

        def gated(*args: Any, **named: Any) -> Any:
            self._ask(name, args)
            return call(*args, **named)

        return gated


class Turns:
    """Lets several workers take turns, one step of one of them at a time.

    Args:
        works: what each does, given a function that it calls before each of its steps.
    """

    def __init__(self, works: Sequence[Callable[[Callable[[], None]], object]]) -> None:
        self._go = [threading.Semaphore(0) for _ in works]
        self._stopped = threading.Semaphore(0)
        self.alive = [True for _ in works]
        self.errors: list[BaseException] = []
        self._threads = [
            threading.Thread(target=self._run, args=(n, w), daemon=True) for n, w in enumerate(works)
        ]

    def _run(self, number: int, work: Callable[[Callable[[], None]], object]) -> None:
        def step() -> None:
            self._stopped.release()
            self._go[number].acquire()

        step()
        try:
            work(step)
        except BaseException as error:  # noqa: BLE001  # told at the end
            self.errors.append(error)
        self.alive[number] = False
        self._stopped.release()

    def play(self, order: Sequence[int]) -> None:
        """Let them take their steps in an order, passing over who is done; then all run to their end."""
        for thread in self._threads:
            thread.start()
            self._wait()
        for number in order:
            self._move(number)
        for number in range(len(self.alive)):
            while self.alive[number]:
                self._move(number)
        for thread in self._threads:
            thread.join(30)
        if self.errors:
            raise self.errors[0]

    def _move(self, number: int) -> None:
        if self.alive[number]:
            self._go[number].release()
            self._wait()

    def _wait(self) -> None:
        if not self._stopped.acquire(timeout=60):
            raise TimeoutError("a promoter neither took its step nor ended")
