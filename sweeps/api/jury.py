"""Judge a candidate against a champion: the figures, the checks, the verdict, and the evidence of it."""

import time
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sweeps import registry
from sweeps.api.card import card
from sweeps.api.checks import check_alone, check_segment, check_segments, segments
from sweeps.api.finals import held_out, predict, squared_errors
from sweeps.api.nominee import TOGETHER, Ground, Nominee
from sweeps.errors import SweepsError, one_line
from sweeps.record import Blend
from sweeps.selection import Verdict, verdict
from sweeps.selection.comparison import Comparison, compare, seed_of
from sweeps.selection.gate import Check, Gate, decide
from sweeps.selection.optimism import optimism
from sweeps.selection.segments import Segment
from sweeps.tracking.schema import flat


class Jury:
    """Judges one candidate, against whichever champion it meets.

    Args:
        ground: store, sweep and data.
        gate: the verdict asked for.
        nominee: the candidate.
        logged: its model, loaded back and compared.

    Raises:
        UsageError: the gate names a column that cannot be compared.
        StoreError: MLflow refuses.
    """

    def __init__(self, ground: Ground, gate: Gate, nominee: Nominee, logged: registry.LoggedModel) -> None:
        self._drift = ground.drift
        store, dataset, pipeline = ground.store, ground.dataset, nominee.pipeline
        self._store, self._gate, self._record, self._dataset = store, gate, ground.record, dataset
        self._nominee, self.rows = nominee, held_out(dataset)
        check_segment(gate, dataset)
        self._own = None if self.rows is None else squared_errors(predict(pipeline, self.rows), self.rows)
        rows = self.rows or dataset.train
        self._checks = list(check_alone(store, gate, dataset, pipeline, logged, rows))
        among = nominee.squared
        several = among is not None and len(among) > 1
        self._optimism = optimism(among, seed=self._seed) if several and among is not None else None

    @property
    def rmse(self) -> float | None:
        """Of the candidate, on the held-out rows; None where every row was trained on."""
        return None if self._own is None else float(np.sqrt(self._own.mean()))

    @property
    def digest(self) -> str:
        """Of the rows; empty where every row was trained on."""
        return "" if self.rows is None else self.rows.digest

    @property
    def _seed(self) -> int:
        return seed_of(self.digest)

    def judge(self, rival: registry.Version | None) -> registry.Judged:
        """Judge the candidate against a version.

        Raises:
            BrokenModelError: that version's files are gone or changed.
        """
        theirs, trouble = (None, "") if rival is None else self._score(rival)
        comparison = self._compare(theirs)
        found = (
            []
            if self._own is None or self.rows is None
            else segments(self._gate, self.rows, self._own, theirs)
        )
        checks = [*self._checks, *check_segments(self._gate, found)]
        judged = self._decide(rival, trouble, comparison, checks)
        evidence = self._evidence(rival, judged, comparison, checks, found)
        fit = all(check.passed for check in self._checks)
        rmse = None if theirs is None else float(np.sqrt(theirs.mean()))
        return registry.Judged(judged, card(evidence), rmse, fit, evidence)

    def _compare(self, theirs: NDArray[np.float64] | None) -> Comparison | None:
        if self._own is None or theirs is None:
            return None
        return compare(self._own, theirs, confidence=self._gate.confidence, seed=self._seed)

    def _decide(
        self, rival: registry.Version | None, trouble: str, comparison: Comparison | None, checks: list[Check]
    ) -> Verdict:
        if rival is not None and trouble and self._gate.kind != "none":
            return verdict(0.0, None, trouble)
        decided = decide(self._gate, comparison, self._optimism, checks)
        if trouble and decided.alias == "champion":
            return Verdict("champion", f"no gate was asked for; the champion could not be scored: {trouble}")
        return decided

    def _score(self, rival: registry.Version) -> tuple[NDArray[np.float64] | None, str]:
        """Give the squared errors of a version on the rows, or why it cannot be scored."""
        if self.rows is None:
            return None, "every row was trained on; name test rows with --test"
        try:
            predicted = registry.predict_safely(self._store, rival.uri, self.rows.X)
            return squared_errors(predicted, self.rows), ""
        except registry.BrokenModelError:
            raise
        except Exception as error:  # noqa: BLE001  # a foreign model may raise anything; it then stays champion
            text = str(error) if isinstance(error, SweepsError) else f"{type(error).__name__}: {error}"
            return None, one_line(text)[:500]

    def _evidence(
        self,
        rival: registry.Version | None,
        judged: Verdict,
        comparison: Comparison | None,
        checks: list[Check],
        found: list[Segment],
    ) -> dict[str, Any]:
        nominee, record = self._nominee, self._record
        return {
            "verdict": judged.alias,
            "reason": judged.reason,
            "gate": asdict(self._gate),
            "champion": None if rival is None else {"version": rival.number, "run_id": rival.run_id},
            "rmse": self.rmse,
            "trained_on": nominee.trained_on(self._dataset),
            "rows": self._rows(),
            "drift": self._drift,
            **self._chosen_by(),
            "comparison": None if comparison is None else {**asdict(comparison), "gain": comparison.gain},
            "selection": None
            if self._optimism is None
            else {**asdict(self._optimism), "excess": self._optimism.excess},
            "checks": [asdict(check) for check in checks],
            "segments": [{**asdict(segment), "loss": segment.loss} for segment in found],
            "sweep": {
                "run_id": record.run_id,
                "name": record.name,
                "experiment_id": record.experiment_id,
                **self._trial(),
            },
            "params": {key: str(value) for key, value in flat(nominee.params).items()},
            "data": {
                "name": self._dataset.name,
                "digest": self._dataset.digest,
                "target": self._dataset.target,
            },
            "code": {
                "sweeps": record.extra.get("version"),
                "commit": record.extra.get("commit", ""),
                "space": record.extra.get("space"),
                "space_digest": record.extra.get("space_digest"),
            },
            "when": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
            "who": registry.who(),
        }

    def _chosen_by(self) -> dict[str, Any]:
        """Give the figures by which it was chosen, each with what it belongs to."""
        chosen, blend, refit = self._nominee.chosen, self._nominee.blend, self._nominee.refit
        rmse = chosen.winner.outcome.rmse
        winner = {
            "trial": chosen.winner.number,
            "run_id": chosen.winner.trial.run_id,
            "validation_rmse": rmse,
            "test_rmse": chosen.test_rmse,
            "trained_on": "train" if self._dataset.cv is None else TOGETHER,
        }
        return {
            "validation_rmse": blend.rmse if blend is not None and blend.taken else rmse,
            "winner": winner,
            "blend": None if blend is None else self._blend(blend),
            "refit": None if refit is None else {"trained_on": refit.rows, "test_rmse": refit.test_rmse},
        }

    def _blend(self, blend: Blend) -> dict[str, Any]:
        runs = {trial.number: trial.trial.run_id for trial in self._record.trials}
        members = [
            {"trial": m.number, "run_id": runs.get(m.number), "weight": m.weight} for m in blend.members
        ]
        return {
            "taken": blend.taken,
            "reason": blend.reason,
            "members": members,
            "validation_rmse": blend.rmse,
            "test_rmse": blend.test_rmse,
            "trained_on": "train",
        }

    def _trial(self) -> dict[str, Any]:
        """Name the trial it belongs to; a blend belongs to none."""
        if self._nominee.members:
            return {"trial": None, "trial_run_id": None}
        winner = self._nominee.chosen.winner
        return {"trial": winner.number, "trial_run_id": winner.trial.run_id}

    def _rows(self) -> dict[str, Any] | None:
        if self.rows is None:
            return None
        split = "test" if self._dataset.test is not None else "validation"
        return {"split": split, "count": len(self.rows.y), "digest": self.rows.digest}
