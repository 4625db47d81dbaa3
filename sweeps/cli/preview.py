"""``sweeps preview``."""

import math
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from sweeps.cli.completion import space_names
from sweeps.cli.data_options import DATA_OPTIONS, add_options, data_spec
from sweeps.cli.options import Count, Duration
from sweeps.cli.output import print_json
from sweeps.errors import NoUsableTrialError

if TYPE_CHECKING:
    from sweeps.api.preview import Preview
    from sweeps.data.spec import DataSpec

PREVIEW_OPTIONS = (
    click.option("--draws", type=Count(), default=10, show_default=True, help="Points to show."),
    click.option(
        "--trials", type=Count(), default=20, show_default=True, metavar="N", help="Of the sweep to forecast."
    ),
    click.option("--workers", type=Count(1, 1024), metavar="W", help="Trials at once [as run would choose]."),
    click.option("--threads", type=Count(1, 1024), metavar="T", help="Threads per trial [cores // workers]."),
    click.option("--seed", type=Count(0, 2**32 - 1), default=0, show_default=True, help="Of the draws."),
    click.option("--features", metavar="KIND", help="auto or dataset [as the space says]."),
    click.option(
        "--rows", type=Count(20), default=10_000, show_default=True, help="To forecast for, without data."
    ),
    click.option(
        "--budget", type=Duration(), default="3s", show_default=True, help="Time for timing trials."
    ),
    click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout."),
    click.option("--debug", is_flag=True, expose_value=False, help="Show the traceback of an error."),
)


@click.command("preview")
@click.argument("space", shell_complete=space_names)
@add_options(DATA_OPTIONS, PREVIEW_OPTIONS)
def preview_command(
    space: str,
    workers: int | None,
    threads: int | None,
    as_json: bool,
    draws: int,
    trials: int,
    seed: int,
    features: str | None,
    rows: int,
    budget: float,
    **data: Any,
) -> None:
    """Show what a sweep over SPACE would draw, whether it trains, and what it would take.

    Some trials are run on a few rows, and timed; nothing is recorded and nothing is kept. Without data, rows
    are made up: name yours for a forecast that fits it.

    \b
    sweeps preview xgboost
    sweeps preview any_regressor --data diabetes --trials 200 --workers 2
    sweeps preview xgboost --table houses.csv --target price --budget 10s
    """
    from sweeps.api.workers import start_engine

    spec = _spec(data)
    with start_engine(space, "local", workers, threads) as engine:
        from sweeps.api.preview import Wish, preview

        shown = preview(Wish(space, spec, rows, draws, trials, seed, budget, features), engine)
    if as_json:
        _answer(shown)
    else:
        from sweeps.cli.preview_views import print_preview

        print_preview(shown)
    if shown.forecast is None:
        [reason] = {tried.outcome.reason for tried in shown.tried[:1]}
        raise NoUsableTrialError(f"space {shown.space.name}", f"no trial on {shown.data} worked: {reason}")


def _spec(data: dict[str, Any]) -> "DataSpec | None":
    """The data that was named, checked; None where none was."""
    from sweeps.data.spec import check_spec

    spec = data_spec(**data)
    named = spec.name or spec.files or spec.target or spec.split_by or spec.cv
    if not named:
        return None
    check_spec(spec)
    return spec


def _answer(shown: "Preview") -> None:
    forecast = None if shown.forecast is None else asdict(shown.forecast)
    tried = {t.branch.name: t for t in shown.tried}
    print_json(
        {
            "space": shown.space.name,
            "path": str(shown.space.path),
            "data": shown.data,
            "made_up": shown.made_up,
            "findings": [finding.to_json() for finding in shown.findings],
            "warnings": shown.warnings,
            "draws": [_values(shown.space.logged_params(p.params)) for p in shown.draws],
            "marginals": [asdict(marginal) for marginal in shown.marginals],
            "branches": [
                {"name": b.name, "share": b.share, "options": dict(b.options), "fit": _fit(tried.get(b.name))}
                for b in shown.branches
            ],
            "forecast": forecast,
        }
    )


def _values(params: dict[str, Any]) -> dict[str, Any]:
    """Params as JSON has them: what is not finite becomes text."""
    odd = {name: str(v) for name, v in params.items() if isinstance(v, float) and not math.isfinite(v)}
    return {**params, **odd}


def _fit(tried: Any) -> dict[str, Any] | None:
    if tried is None:
        return None
    outcome = tried.outcome
    return {
        "state": str(outcome.state),
        "rows": tried.rows,
        "seconds": outcome.metrics.get("fit_seconds"),
        "rmse": outcome.rmse,
        "error": outcome.reason or None,
    }
