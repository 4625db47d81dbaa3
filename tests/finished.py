"""A store in a folder, in which sweeps are run and promoted to their end: for tests of what is registered."""

import json
from pathlib import Path
from typing import Any, NamedTuple

from mlflow import MlflowClient

from sweeps import SweepRecord, promote_sweep, run_sweep
from sweeps.registry import load_pipeline
from sweeps.tracking.store import Store, open_store
from tests.laws.make import write_space


class Place(NamedTuple):
    """Where a sweep is recorded."""

    folder: Path

    @property
    def uri(self) -> str:
        return f"sqlite:///{self.folder / 'mlflow.db'}"

    @property
    def store(self) -> Store:
        return open_store(self.uri)

    @property
    def client(self) -> MlflowClient:
        return self.store.client

    def run(self, body: str, name: str, data: str | None = "diabetes", **settings: Any) -> SweepRecord:
        given = {"trials": 3, "seed": 1, "engine": "serial", "register_as": name, **settings}
        space = write_space(self.folder, body, name.replace("-", "_"))
        return run_sweep(
            space, data, name=name, tracking_uri=self.uri, results=self.folder / "results", **given
        )

    def promote(self, name: str, **asked: Any) -> SweepRecord:
        return promote_sweep(name, tracking_uri=self.uri, **asked)

    def pipeline(self, name: str, version: int = 1) -> Any:
        return load_pipeline(self.store, f"models:/{name}/{version}")

    def tags(self, name: str, version: int = 1) -> dict[str, str]:
        tags = self.client.get_model_version(name, str(version)).tags
        return {key.removeprefix("sweeps."): text for key, text in tags.items()}

    def evidence(self, name: str, version: int = 1) -> tuple[dict[str, Any], str]:
        """The verdict and the card that were kept."""
        run_id, _, place = self.tags(name, version)["evidence"].partition("/")
        files = [self.client.download_artifacts(run_id, f"{place}/{f}") for f in ("verdict.json", "card.md")]
        verdict, card = (Path(file).read_text() for file in files)
        return json.loads(verdict), card
