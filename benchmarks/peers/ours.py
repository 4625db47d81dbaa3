"""This project.

``--option`` names the engine where trials do nothing, else the pruner; ``PRUNER:SPACE`` searches another
space than the course's, and ``PRUNER:SPACE:FEATURES`` has other features.
"""

import sys
from pathlib import Path

from benchmarks.contenders import Settings, settings
from benchmarks.data import DATA
from benchmarks.marks import mark

SPACES = Path(__file__).parents[1] / "spaces"


def search_nothing(given: Settings) -> None:
    """A whole sweep of trials that do nothing, one at a time; it ends when the last one is written."""
    from sweeps.api.run import run_sweep

    written = 0

    def count(_: object) -> None:
        nonlocal written
        written += 1
        if written == given.trials:
            mark("end")

    run_sweep(
        SPACES / "nothing.py",
        "diabetes",
        trials=given.trials,
        workers=1,
        engine=given.option,
        seed=given.seed,
        register=False,
        tracking_uri=given.store,
        results=given.folder / "results",
        on_trial=count,
    )


def search_xgboost(given: Settings) -> None:
    """The command a user would type, over the course's ranges and features unless another space is named."""
    from sweeps.cli.main import main as sweeps

    pruner, space, features = [*given.option.split(":"), "", ""][:3]
    options = {
        "--data": DATA[given.data],
        "--trials": str(given.trials),
        "--workers": str(given.cores),
        "--threads": "1",
        "--seed": str(given.seed),
        "--tracking-uri": given.store,
        "--prune": pruner,
    }
    options |= {"--features": features} if features else {}
    words = [word for pair in options.items() for word in pair]
    sys.argv = ["sweeps", "run", space or "xgboost_course", *words, "--no-register", "--quiet"]
    sweeps()


def main() -> None:
    """Run the task of the command line."""
    given = settings()
    if given.task == "nothing":
        search_nothing(given)
    else:
        search_xgboost(given)


if __name__ == "__main__":
    main()
