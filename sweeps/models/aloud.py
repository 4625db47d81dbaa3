"""Training that can be watched from outside: each step is also said in passing."""

from sweeps.aside import aside
from sweeps.models.watch import Watch


class Aloud:
    """A watch that says how far the training is, and hands on to the one that judges, if there is one.

    Args:
        watch: judges the steps; None: nobody does.
        unit: what a step is called.
        first: the number that step 0 is shown with.
    """

    def __init__(self, watch: Watch | None, unit: str = "round", first: int = 1) -> None:
        self._watch, self._unit, self._first = watch, unit, first

    @property
    def steps(self) -> tuple[int, ...]:
        """The steps that matter to the one that judges."""
        return () if self._watch is None else self._watch.steps

    def report(self, step: int, rmse: float) -> None:
        """Say where it is; raises where the one that judges does."""
        aside((f"{self._unit} {step + self._first}", rmse))
        if self._watch is not None:
            self._watch.report(step, rmse)
