"""The settings of a sweep: frozen, checked, and able to travel as JSON (``sweep.json``)."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Self

from sweeps.data.sample_size import read_sample
from sweeps.data.spec import DataSpec, check_spec
from sweeps.errors import UsageError
from sweeps.pruning import check_pruning
from sweeps.search.algorithms import check_algorithm
from sweeps.selection.gate import Gate
from sweeps.space.module import is_path
from sweeps.stopping import StopRules

MAX_SEED = 2**32 - 1

REFITS = ("none", "train+valid")

DEVICES = ("cpu", "cuda")

LEFT_OUT: Mapping[str, Any] = {
    "gate": None, "refit": "none", "blend": False, "device": "cpu", "sample": None,
}  # fmt: skip
"""Settings that are not written where they are these: older versions of ours do not know them."""

DEFAULT_TRIALS = 20
"""Trials of a sweep that names neither trials nor time."""
DEFAULT_TOP = 5
"""Finalists of a sweep that names no number."""


@dataclass(frozen=True)
class Sweep:
    """Everything that decides what a sweep does.

    Raises:
        UsageError: a setting makes no sense, or contradicts another.
        DataError: the data asked for cannot exist.
    """

    space: str
    """Name of a search space, or path of its file."""
    data: DataSpec
    stop: StopRules
    seed: int
    algo: str = "tpe"
    algo_options: Mapping[str, str] = field(default_factory=dict)
    prune: str = "none"
    prune_options: Mapping[str, str] = field(default_factory=dict)
    engine: str = "local"
    workers: int | None = None
    """Trials at once; None: as many as pay off."""
    threads: int | None = None
    """Threads of one trial; None: cores // workers."""
    device: str = "cpu"
    """``cuda``: XGBoost trains on GPUs, of which each trial has one to itself."""
    trial_timeout: float | None = None
    """Seconds after which a trial is killed and FAILED."""
    worker_env: Sequence[str] = ()
    """Names of credentials in the environment that workers see; others they do not."""
    features: str | None = None
    """``auto`` or ``dataset``; None: as the search space says."""
    top: int = DEFAULT_TOP
    """How many of the best trials are scored on the test split."""
    experiment: str | None = None
    """Name of the MLflow experiment; None: the data's name."""
    name: str | None = None
    """Name of the sweep; None: made from space, data and time."""
    register_as: str | None = None
    """Name of the registered model; None: the data's name and ``-regressor``."""
    register: bool = True
    gate: Gate | None = None
    """The verdict asked for; None: a lower rmse, and a sweep ends well whatever the verdict."""
    refit: str = "none"
    """``train+valid``: what was chosen is trained again on both before it is registered."""
    blend: bool = False
    """Whether an average of the finalists takes the winner's place where it is better."""
    sample: str | None = None
    """How many of the training rows the search takes, ``10%`` or ``50000``; None: all."""

    def __post_init__(self) -> None:
        if not 0 <= self.seed <= MAX_SEED:
            raise UsageError("--seed", f"must be a whole number from 0 to {MAX_SEED}, got {self.seed}")
        for option, value in (("--workers", self.workers), ("--threads", self.threads), ("--top", self.top)):
            if value is not None and value < 1:
                raise UsageError(option, f"must be a whole number >= 1, got {value}")
        if self.features not in (None, "auto", "dataset"):
            raise UsageError("--features", f"must be auto or dataset, got {self.features!r}")
        if self.device not in DEVICES:
            hint = "CUDA_VISIBLE_DEVICES says which GPUs there are; each trial gets one"
            raise UsageError("--device", f"must be cpu or cuda, got {self.device!r}", hint)
        object.__setattr__(self, "worker_env", tuple(self.worker_env))
        if self.sample is not None:
            read_sample(self.sample)
        self._check_finish()
        self._check_names()
        if self.trial_timeout is not None and not 0 < self.trial_timeout < float("inf"):
            wrong = f"must be a positive time, got {self.trial_timeout:g} s"
            raise UsageError("--trial-timeout", wrong, "--trial-timeout 10m")
        check_algorithm(self.algo)
        check_pruning(self.prune, self.prune_options)
        check_spec(self.data)

    def _check_finish(self) -> None:
        if self.refit not in REFITS:
            raise UsageError("--refit", f"must be {' or '.join(REFITS)}, got {self.refit!r}")
        if self.blend and self.data.cv is not None:
            wrong = f"chooses weights on validation rows, which --cv {self.data.cv} trains the finalists on"
            raise UsageError("--blend", wrong, "leave one of them out")

    def _check_names(self) -> None:
        for option, text in (("--experiment", self.experiment), ("--name", self.name)):
            if text is not None and not (text.strip() and len(text) <= 250 and text.isprintable()):
                raise UsageError(option, f"must be 1 to 250 printable characters, got {text[:40]!r}")
        for name in self.worker_env:
            if not re.fullmatch(r"[A-Za-z_]\w*", name):
                raise UsageError("--worker-env", f"must be the name of a variable, got {name[:40]!r}")

    def to_json(self) -> dict[str, Any]:
        """Give the settings as JSON values; ``from_json`` reads them back."""
        return {key: value for key, value in asdict(self).items() if value != LEFT_OUT.get(key, ...)}

    def located(self) -> Self:
        """Give the same with absolute paths, so that it can go on from any folder."""
        space = str(Path(self.space).absolute()) if is_path(self.space) else self.space
        return replace(self, space=space, data=self.data.located())

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Sweep":
        """Read what ``to_json`` gave."""
        rest = {key: value for key, value in values.items() if key not in ("data", "stop", "gate")}
        gate = Gate(**values["gate"]) if values.get("gate") else None
        return cls(data=DataSpec(**values["data"]), stop=StopRules(**values["stop"]), gate=gate, **rest)
