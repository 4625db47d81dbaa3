"""``sweeps run``."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sweeps.cli.options import Count, Duration, Figure, Pairs, store_options
from sweeps.cli.output import figure, note, print_json, seconds
from sweeps.cli.progress import progress
from sweeps.errors import UsageError

if TYPE_CHECKING:
    from sweeps.api.session import Session
    from sweeps.record import SweepRecord
    from sweeps.settings import Sweep

DATA_OPTIONS = (
    click.option(
        "--data", metavar="DATA", help="diabetes, green-taxi:TRAIN,VALID[,TEST] or module.py:function."
    ),
    click.option("--train", metavar="FILE", help="Rows to train on: .csv, .csv.gz or .parquet."),
    click.option("--valid", metavar="FILE", help="Rows to validate on."),
    click.option("--test", metavar="FILE", help="Rows that decide between the finalists."),
    click.option("--table", metavar="FILE", help="One file, split 60/20/20."),
    click.option("--target", metavar="COL", help="Column to predict."),
    click.option(
        "--split-by", metavar="COL", help="Split --table by the order of this column, not at random."
    ),
    click.option(
        "--split-seed", type=Count(0), default=0, show_default=True, help="Seed of the random split."
    ),
    click.option("--categorical", metavar="COL,COL", help="Numeric columns that are categories."),
    click.option(
        "--data-dir", metavar="DIR", help="Where downloaded months lie; else SWEEPS_DATA_DIR, else data."
    ),
    click.option("--cv", type=Count(2), metavar="K", help="Cross-validate on train and validation rows."),
)
STOP_OPTIONS = (
    click.option("--trials", type=Count(), metavar="N", help="Trials to run [20, unless --time is given]."),
    click.option(
        "--time", "seconds_", type=Duration(), metavar="10m", help="Start no trial after this time."
    ),
    click.option("--target-rmse", type=Figure(), metavar="R", help="Stop at this validation rmse."),
    click.option("--patience", type=Count(), metavar="N", help="Stop after N trials without a new best."),
    click.option("--max-failures", type=Count(0), metavar="N", help="Give up when more trials fail."),
)
SEARCH_OPTIONS = (
    click.option("--algo", default="tpe", show_default=True, help="tpe, random, anneal, mix or atpe."),
    click.option(
        "--algo-option", "algo_options", type=Pairs(), multiple=True, help="Such as n_startup_jobs=10."
    ),
    click.option("--seed", type=Count(0, 2**32 - 1), metavar="S", help="Of all draws [a fresh one]."),
    click.option("--features", metavar="KIND", help="auto or dataset [as the space says]."),
    click.option(
        "--workers", type=Count(1, 1024), metavar="W", help="Trials at once [one per core, at most 8]."
    ),
    click.option("--threads", type=Count(1, 1024), metavar="T", help="Threads per trial [cores // workers]."),
    click.option("--engine", default="local", show_default=True, help="local (processes) or serial."),
)
RESULT_OPTIONS = (
    click.option("--experiment", metavar="E", help="MLflow experiment [the data's name]."),
    click.option("--name", metavar="NAME", help="Name of the sweep."),
    click.option(
        "--top", type=Count(1, 150), default=5, show_default=True, help="Finalists to score on test."
    ),
    click.option("--register-as", metavar="MODEL", help="Registered model [the data's name and -regressor]."),
    click.option("--no-register", is_flag=True, help="Register nothing."),
    click.option(
        "--results-dir", default="results", show_default=True, metavar="DIR", help="For tables and plots."
    ),
    click.option("-q", "--quiet", is_flag=True, help="Show no progress."),
)


def _options(*groups: tuple[Callable[..., Any], ...]) -> Callable[..., Any]:
    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed([option for group in groups for option in group]):
            command = option(command)
        return command

    return decorate


@click.command("run")
@click.argument("space")
@_options(DATA_OPTIONS, STOP_OPTIONS, SEARCH_OPTIONS, RESULT_OPTIONS)
@store_options
def run_command(
    tracking_uri: str | None, as_json: bool, results_dir: str, quiet: bool, **options: Any
) -> None:
    """Run a sweep over SPACE, a name under search_spaces/ or a path to a file.

    \b
    sweeps run xgboost --data diabetes --trials 20
    sweeps run random_forest --data green-taxi:2023-01,2023-02,2023-03 --trials 15 --seed 42
    sweeps run xgboost --table houses.csv --target price --time 10m
    """
    from sweeps.api.precheck import precheck

    sweep, results = settings(**options), Path(results_dir)
    precheck(sweep, tracking_uri, results)  # before the import below, which takes seconds
    from sweeps.api.session import Session

    with Session(sweep, tracking_uri, results) as session, _interruptible(session):
        _announce(session)
        with progress(sweep.stop.trials, sweep.stop.seconds, quiet=quiet or as_json) as shown:
            for finished in session.trials():
                shown.show(finished)
        told = len(session.warnings)
        record = session.finish()
    _warn(session.warnings[told:])
    _answer(session, record, as_json)
    if record.state == "INTERRUPTED":
        _interrupted(session, record)


def settings(
    *,
    space: str,
    data: str | None,
    split_seed: int,
    categorical: str | None,
    trials: int | None,
    seconds_: float | None,
    target_rmse: float | None,
    patience: int | None,
    max_failures: int | None,
    seed: int | None,
    algo_options: tuple[tuple[str, str], ...],
    no_register: bool,
    **rest: Any,
) -> "Sweep":
    """Make the settings of a sweep from the options as typed.

    Raises:
        SweepsError: they contradict each other or make no sense.
    """
    import secrets

    from sweeps.data.spec import DataSpec
    from sweeps.settings import DEFAULT_TRIALS, MAX_SEED, Sweep
    from sweeps.stopping import StopRules

    if no_register and rest["register_as"]:
        raise UsageError("--no-register", f"contradicts --register-as {rest['register_as']}", "leave one out")
    files = {
        key: rest.pop(key)
        for key in ("train", "valid", "test", "table", "target", "split_by", "data_dir", "cv")
    }
    columns = tuple(name.strip() for name in (categorical or "").split(",") if name.strip())
    wanted = DEFAULT_TRIALS if trials is None and seconds_ is None else trials
    return Sweep(
        space=space,
        data=DataSpec(name=data, seed=split_seed, categorical=columns, **files),
        stop=StopRules(wanted, seconds_, target_rmse, patience, max_failures),
        seed=secrets.randbelow(MAX_SEED) if seed is None else seed,
        algo_options=dict(algo_options),
        register=not no_register,
        **rest,
    )


@contextmanager
def _interruptible(session: "Session") -> Iterator[None]:
    """Let the first SIGINT or SIGTERM end the sweep cleanly; the second ends the program at once."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    came: list[int] = []

    def interrupt(number: int, _: Any) -> None:
        came.append(number)
        if len(came) > 1:
            raise KeyboardInterrupt
        note("interrupted: withdrawing the running trials (once more to quit at once)")
        # A thread, since the signal may have come while this one holds the future's lock.
        threading.Thread(target=session.interrupt.set_result, args=(number,)).start()

    for number in before:
        signal.signal(number, interrupt)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _announce(session: "Session") -> None:
    sweep, engine, dataset = session.sweep, session.engine, session.dataset
    _warn(session.warnings)
    rows = " / ".join(f"{len(split.y):,} {name}" for name, split in dataset.splits.items())
    note(f"sweep {session.name} · seed {sweep.seed} · {sweep.algo} · {rows} rows")
    workers, threads = _count(engine.slots, "worker"), _count(engine.threads, "thread")
    note(f"{workers} × {threads} each")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' * (number != 1)}"


def _warn(warnings: list[str]) -> None:
    for text in warnings:
        note(f"warning: {text}")


def _answer(session: "Session", record: "SweepRecord", as_json: bool) -> None:
    from sweeps.cli.ui import sweep_link
    from sweeps.report.summary import summary

    link = sweep_link(session.store, session.experiment_id, session.run_id)
    if as_json:
        print_json({**summary(record), "ui": link})
        return
    _print_board(record)
    if record.model is not None:
        model = record.model
        click.echo(f"model    {model.name} version {model.version} is {model.alias}: {model.reason}")
    overhead = record.extra.get("overhead")
    tracking = f" · tracking {100 * overhead:.1f} % of wall time" if isinstance(overhead, float) else ""
    spent = seconds(record.ended - record.started if record.ended else None)
    click.echo(f"results  {session.results} · {spent}{tracking}")
    click.echo(f"MLflow   sweeps ui {record.run_id[:8]}{_address(session, link)}")


def _address(session: "Session", link: str) -> str:
    """Give the link where a server answers; a database has none until ``sweeps ui`` starts one."""
    from sweeps.cli.ui import own_server

    return f"  ({link})" if own_server(session.store) else ""


def _print_board(record: "SweepRecord") -> None:
    from sweeps.cli.views import print_trials
    from sweeps.selection import pick, rank

    if record.best is None:
        return
    chosen = {f.number for f in record.finalists}
    print_trials(
        record, [t for t in rank(record.trials) if t.number in chosen] or rank(record.trials, 5), ranked=True
    )
    click.echo()
    if record.finalists:
        winner = pick(record.finalists)
        test = "" if winner.test_rmse is None else f", test rmse {figure(winner.test_rmse)}"
        click.echo(f"winner   trial {winner.number}: validation rmse {figure(winner.rmse)}{test}")


def _interrupted(session: "Session", record: "SweepRecord") -> None:
    """End with the signal's exit code and say what can be done with what is there."""
    kept = len(record.trials)
    note(f"interrupted: {kept} finished trials are kept; select and register the best of them with")
    note(f"    sweeps promote {record.run_id[:8]}")
    raise click.exceptions.Exit(128 + session.interrupt.result())
