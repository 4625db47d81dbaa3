"""What can be found wrong before anything heavy is imported or made: a mistake is answered at once."""

import os
from pathlib import Path
from tempfile import TemporaryDirectory

from sweeps.engines import check_engine
from sweeps.errors import UsageError
from sweeps.registry import check_model_name
from sweeps.settings import Sweep
from sweeps.space.module import find_space, read_space
from sweeps.tracking.store import check_store, resolve_uri


def precheck(sweep: Sweep, tracking_uri: str | None, results: Path) -> None:
    """Find the first mistake that needs neither the search space imported nor the data read.

    Nothing is made, neither a store nor a folder.

    Args:
        sweep: the settings, sound in themselves.
        tracking_uri: MLflow store; None: ``MLFLOW_TRACKING_URI``, else ``sqlite:///mlflow.db`` here.
        results: folder of the reports.

    Raises:
        SweepsError: the mistake.
    """
    check_engine(sweep.engine, sweep.workers, sweep.threads, sweep.trial_timeout, sweep.device)
    if sweep.register_as is not None:
        check_model_name(sweep.register_as)
    read_space(find_space(sweep.space))
    check_writable(results)
    check_store(resolve_uri(tracking_uri))


def check_writable(folder: Path) -> None:
    """Check that a folder of results can be made and written, leaving nothing behind.

    Raises:
        UsageError: it cannot.
    """
    above = next(p for p in (folder, *folder.absolute().parents) if os.path.lexists(p))
    try:
        with TemporaryDirectory(prefix=".sweeps-", dir=above) as scratch:  # the same names, elsewhere
            (Path(scratch) / folder.absolute().relative_to(above.absolute())).mkdir(
                parents=True, exist_ok=True
            )
    except OSError as error:
        hint = "pass --results-dir with a folder you may write"
        raise UsageError(f"results folder {folder}", error.strerror or str(error), hint) from error
