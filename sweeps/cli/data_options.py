"""The options that name the data of a sweep."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from sweeps.cli.options import Count

if TYPE_CHECKING:
    from sweeps.data.spec import DataSpec

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
        "--split-seed",
        type=Count(0),
        default=0,
        show_default=True,
        help="Seed of the random split, the folds and --sample.",
    ),
    click.option("--categorical", metavar="COL,COL", help="Numeric columns that are categories."),
    click.option(
        "--data-dir", metavar="DIR", help="Where downloaded months lie; else SWEEPS_DATA_DIR, else data."
    ),
    click.option("--cv", type=Count(2), metavar="K", help="Cross-validate on train and validation rows."),
)
FILE_OPTIONS = ("train", "valid", "test", "table", "target", "split_by", "data_dir", "cv")
"""Those that a DataSpec takes as they are."""


def add_options(*groups: tuple[Callable[..., Any], ...]) -> Callable[..., Any]:
    """Give a command the options of some groups, in their order."""

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed([option for group in groups for option in group]):
            command = option(command)
        return command

    return decorate


def data_spec(*, data: str | None, split_seed: int, categorical: str | None, **files: Any) -> "DataSpec":
    """Make the description of the data from its options as typed."""
    from sweeps.data.spec import DataSpec

    columns = tuple(name.strip() for name in (categorical or "").split(",") if name.strip())
    return DataSpec(name=data, seed=split_seed, categorical=columns, **files)
