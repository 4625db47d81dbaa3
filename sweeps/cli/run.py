"""``sweeps run``."""

import sys
from contextlib import AbstractContextManager, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from sweeps.cli.completion import space_names
from sweeps.cli.data_options import DATA_OPTIONS, FILE_OPTIONS, add_options, data_spec
from sweeps.cli.finish import RUN_OPTIONS, finish_lines
from sweeps.cli.gate import GATE_OPTIONS, read_gate, require
from sweeps.cli.notify import NOTIFY_OPTIONS
from sweeps.cli.options import Count, Duration, Figure, Pairs, store_options
from sweeps.cli.output import answer, figure, note, print_json, seconds, warn
from sweeps.cli.progress import Detail, Progress, progress
from sweeps.cli.signals import ending_cleanly
from sweeps.errors import UsageError
from sweeps.trial import State
from sweeps.wording import counted

if TYPE_CHECKING:
    from sweeps.api.session import Session
    from sweeps.record import SweepRecord
    from sweeps.settings import Sweep

CACHE_OPTIONS = (
    click.option("--no-cache", is_flag=True, help="Read and encode the data anew, and keep nothing of it."),
)
STOP_OPTIONS = (
    click.option("--trials", type=Count(), metavar="N", help="Trials to run [20, unless --time is given]."),
    click.option(
        "--time", "seconds_", type=Duration(), metavar="10m", help="Start no trial after this time."
    ),
    click.option("--target-rmse", type=Figure(), metavar="R", help="Stop at this validation rmse."),
    click.option("--patience", type=Count(), metavar="N", help="Stop after N trials without a new best."),
    click.option(
        "--trial-timeout", type=Duration(), metavar="10m", help="Kill a trial that takes longer: it FAILED."
    ),
    click.option("--max-failures", type=Count(0), metavar="N", help="Give up when more trials fail."),
)
SEARCH_OPTIONS = (
    click.option("--algo", default="tpe", show_default=True, help="tpe, random, anneal, mix or atpe."),
    click.option(
        "--algo-option", "algo_options", type=Pairs(), multiple=True, help="Such as n_startup_jobs=10."
    ),
    click.option(
        "--prune",
        default="none",
        show_default=True,
        help="forecast, asha or median stop hopeless trials early; none does not.",
    ),
    click.option("--prune-option", "prune_options", type=Pairs(), multiple=True, help="Such as eta=4."),
    click.option("--seed", type=Count(0, 2**32 - 1), metavar="S", help="Of all draws [a fresh one]."),
    click.option("--features", metavar="KIND", help="auto or dataset [as the space says]."),
    click.option(
        "--sample",
        metavar="10%",
        help="Search on so many of the training rows, 10% or 50000; the finalists train on all [all].",
    ),
    click.option(
        "--workers", type=Count(1, 1024), metavar="W", help="Trials at once [one per core, at most 8]."
    ),
    click.option("--threads", type=Count(1, 1024), metavar="T", help="Threads per trial [cores // workers]."),
    click.option(
        "--device",
        default="cpu",
        show_default=True,
        help="cpu, or cuda: XGBoost trains on GPUs, one a trial.",
    ),
    click.option(
        "--engine",
        default="local",
        show_default=True,
        metavar="URL",
        help="local (processes), serial, dask, ray, local[N], {dask,ray,spark}://HOST:PORT.",
    ),
    click.option(
        "--worker-env", multiple=True, metavar="NAME", help="Pass this credential on to the workers."
    ),
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
)
VIEW_OPTIONS = (
    click.option("-q", "--quiet", is_flag=True, help="Show no progress."),
    click.option("-v", "--verbose", is_flag=True, help="Show every trial with its params."),
    click.option("--plain", is_flag=True, help="Show plain lines on a terminal, too."),
)


@click.command("run")
@click.argument("space", shell_complete=space_names)
@add_options(DATA_OPTIONS, CACHE_OPTIONS, STOP_OPTIONS, SEARCH_OPTIONS)
@add_options(RESULT_OPTIONS, RUN_OPTIONS, GATE_OPTIONS, NOTIFY_OPTIONS, VIEW_OPTIONS)
@store_options
def run_command(
    tracking_uri: str | None,
    as_json: bool,
    results_dir: str,
    no_cache: bool,
    notify: tuple[str, ...],
    quiet: bool,
    verbose: bool,
    plain: bool,
    **options: Any,
) -> None:
    """Run a sweep over SPACE, a name under search_spaces/ or a path to a file.

    \b
    sweeps run xgboost --data diabetes --trials 20
    sweeps run random_forest --data green-taxi:2023-01,2023-02,2023-03 --trials 15 --seed 42
    sweeps run xgboost --table houses.csv --target price --time 10m
    """
    from sweeps.api.precheck import precheck
    from sweeps.api.workers import start_workers
    from sweeps.notify.target import read_targets

    view = view_of(quiet, verbose, plain, as_json)
    sweep, results = settings(**options), Path(results_dir)
    precheck(sweep, tracking_uri, results)  # before the import below, which takes seconds
    answers = sys.stdout
    with view as shown, redirect_stdout(sys.stderr), start_workers(sweep) as engine:
        from sweeps.api.session import Session

        place, told = (sweep, engine, tracking_uri, results), read_targets(notify)
        session = Session(*place, cache=not no_cache, tell=warn, notify=told)
        drive(session, shown, as_json, answers)


def view_of(quiet: bool, verbose: bool, plain: bool, as_json: bool) -> AbstractContextManager[Progress]:
    """Give the form of progress that the options ask for.

    Raises:
        UsageError: they contradict each other.
    """
    if quiet and (verbose or plain):
        raise UsageError("--quiet", "contradicts --verbose and --plain", "leave one out")
    silent = quiet or (as_json and not (verbose or plain))
    detail = Detail.QUIET if silent else Detail.PLAIN if plain else Detail.LIVE
    return progress(detail, verbose=verbose)


def drive(opened: "Session", shown: Progress, as_json: bool, answers: TextIO) -> None:
    """Run a sweep to its end and answer; signals end it cleanly.

    Args:
        opened: what is to run.
        shown: how far it is.
        as_json: how to answer.
        answers: where; what libraries print meanwhile, as Ray does of a dead worker, has no place there.

    Raises:
        SweepsError: as the session does.
        click.exceptions.Exit: it was interrupted.
    """
    from sweeps.api.shown import last_phase

    with ending_cleanly(opened.interrupt), opened as session:
        _announce(session)
        shown.begin(session)
        for finished in session.trials():
            shown.show(finished)
        told = len(session.warnings)
        shown.phase("ending" if session.interrupt.done() else last_phase(session))
        record = session.finish()
    shown.close()
    _warn(session.warnings[told:])
    with redirect_stdout(answers):
        _answer(session, record, as_json)
    if record.state == "INTERRUPTED":
        _interrupted(session, record)
    require(session.sweep.gate, record.model)


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
    prune_options: tuple[tuple[str, str], ...],
    no_register: bool,
    **rest: Any,
) -> "Sweep":
    """Make the settings of a sweep from the options as typed.

    Raises:
        SweepsError: they contradict each other or make no sense.
    """
    import secrets

    from sweeps.settings import DEFAULT_TRIALS, MAX_SEED, Sweep
    from sweeps.stopping import StopRules

    gate = read_gate(rest)
    if no_register and gate is not None:
        raise UsageError("--no-register", "registers nothing, so there is no verdict", "leave the gate out")
    if no_register and rest["register_as"]:
        raise UsageError("--no-register", f"contradicts --register-as {rest['register_as']}", "leave one out")
    files = {key: rest.pop(key) for key in FILE_OPTIONS}
    wanted = DEFAULT_TRIALS if trials is None and seconds_ is None else trials
    return Sweep(
        space=space,
        data=data_spec(data=data, split_seed=split_seed, categorical=categorical, **files),
        stop=StopRules(wanted, seconds_, target_rmse, patience, max_failures),
        seed=secrets.randbelow(MAX_SEED) if seed is None else seed,
        algo_options=dict(algo_options),
        prune_options=dict(prune_options),
        register=not no_register,
        gate=gate,
        **rest,
    )


def _announce(session: "Session") -> None:
    sweep, engine, dataset = session.sweep, session.engine, session.dataset
    _warn(session.warnings)
    rows = " / ".join(f"{len(split.y):,} {name}" for name, split in dataset.splits.items())
    workers, threads = counted(engine.slots, "worker"), counted(engine.threads, "thread")
    note(f"sweep {session.name} · {sweep.algo}, seed {sweep.seed}")
    with_gpu = " and a GPU" if engine.device == "cuda" else ""
    note(f"{workers} × {threads}{with_gpu} each · {rows} rows")
    if session.sample is not None:
        note(f"the search trains on {session.sample.words}, the finalists on all of them")


def _warn(warnings: list[str]) -> None:
    for text in warnings:
        warn(text)


def _answer(session: "Session", record: "SweepRecord", as_json: bool) -> None:
    from sweeps.cli.ui import links
    from sweeps.report.summary import summary

    addresses = links(session.store, record)
    if as_json:
        print_json({**summary(record), **addresses})
        return
    _print_board(record)
    if record.model is not None:
        model = record.model
        answer(f"model    {model.name} version {model.version} is {model.alias}: {model.reason}")
    answer(f"results  {session.results} · {_spent(record)}")
    answer(f"MLflow   sweeps ui {record.run_id[:8]}{_address(session, addresses['ui'])}")


def _spent(record: "SweepRecord") -> str:
    """The sweep's time; of one that took a minute, too, how much of its trials' time no worker trained."""
    time, overhead = record.ended - record.started if record.ended else None, record.extra.get("overhead")
    if time is None or time < 60 or not isinstance(overhead, float):
        return seconds(time)
    return f"{seconds(time)} · overhead {100 * overhead:.1f} % while trials ran"


def _address(session: "Session", link: str | None) -> str:
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
        answer(f"winner   trial {winner.number}: validation rmse {figure(winner.own_rmse)}{test}")
    for word, text in finish_lines(record):
        answer(f"{word:<9}{text}")


def _interrupted(session: "Session", record: "SweepRecord") -> None:
    """End with the signal's exit code and say what can be done with what is there."""
    kept = sum(trial.outcome.state is not State.LOST for trial in record.trials)
    note(f"interrupted: {counted(kept, 'finished trial')} kept; go on with")
    note(f"    sweeps resume {record.run_id[:8]}")
    note("or register the best of them with")
    note(f"    sweeps promote {record.run_id[:8]}")
    raise click.exceptions.Exit(128 + session.interrupt.result())
