"""The command that a report names "to run it again" does the same work, whatever the settings were."""

import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sweeps.cli.run import run_command as command
from sweeps.cli.run import settings as typed
from sweeps.data.spec import DataSpec
from sweeps.report.command import run_command
from sweeps.selection.gate import Gate
from sweeps.settings import Sweep
from sweeps.stopping import StopRules

NO_SETTINGS = ("notify", "tracking_uri", "as_json", "results_dir", "no_cache", "quiet", "verbose", "plain")
"""Options that decide nothing of what a sweep does."""

WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=12)
COLUMNS = WORDS.map(lambda name: name.replace(",", ";"))
FILES = st.sampled_from(["a.csv", "b c.csv", "d'e.parquet"])
SEEDS = st.integers(0, 2**32 - 1)
FIGURES = st.floats(0.001, 1e9)
SHARES = st.integers(0, 9999).map(lambda percent: percent / 10 / 100)


def maybe(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | values


def parsed(text: str) -> Sweep:
    """What ``sweeps run`` makes of a command."""
    words = shlex.split(text)
    assert words[:2] == ["sweeps", "run"]
    with command.make_context("run", words[2:]) as given_options:
        options = {k: v for k, v in given_options.params.items() if k not in NO_SETTINGS}
    return typed(**options)


@st.composite
def data(draw: st.DrawFn) -> DataSpec:
    shared = {"seed": draw(SEEDS), "cv": draw(maybe(st.integers(2, 9)))}
    shared["categorical"] = tuple(draw(st.lists(COLUMNS, max_size=3)))
    source = draw(st.sampled_from(["name", "table", "files"]))
    if source == "name":
        return DataSpec("diabetes", **shared)
    if source == "table":
        return DataSpec(
            table=draw(FILES), target=draw(COLUMNS), split_by=draw(maybe(COLUMNS)), data_dir="data", **shared
        )
    train, valid, test = draw(st.permutations(["a.csv", "b c.csv", "d'e.parquet"]))
    rest = {"valid": valid, "test": draw(maybe(st.just(test)))}
    return DataSpec(train=train, target=draw(COLUMNS), **rest, **shared)


@st.composite
def gates(draw: st.DrawFn) -> Gate:
    kind = draw(st.sampled_from(["better", "significant", "none"]))
    given_options: dict[str, Any] = {"min_gain": draw(SHARES)}
    given_options |= {name: draw(maybe(FIGURES)) for name in ("max_latency", "max_size")}
    if kind == "significant":
        given_options["confidence"] = draw(st.floats(0.5, 0.999))
    if draw(st.booleans()):
        given_options |= {"segment": draw(COLUMNS), "max_segment_loss": draw(SHARES)}
    return Gate(kind, **given_options)


@st.composite
def stops(draw: st.DrawFn) -> StopRules:
    trials, seconds = draw(
        st.tuples(st.integers(1, 999), maybe(FIGURES)) | st.tuples(st.none(), FIGURES | st.integers(1, 9999))
    )
    counts = maybe(st.integers(1, 99)), maybe(st.integers(0, 99))
    return StopRules(trials, seconds, draw(maybe(st.just(0.0) | FIGURES)), *map(draw, counts))


@st.composite
def sweeps(draw: st.DrawFn) -> Sweep:
    register = draw(st.booleans())
    prune = draw(st.sampled_from(["none", "asha", "forecast"]))
    names = st.dictionaries(WORDS.map(lambda name: name.replace("=", "-")), WORDS, max_size=2)
    return Sweep(
        draw(st.sampled_from(["ridge", "my space.py"])), draw(data()), draw(stops()), draw(SEEDS),
        algo=draw(st.sampled_from(["tpe", "random"])), algo_options=draw(names), prune=prune,
        prune_options={} if prune == "none" else draw(st.sampled_from([{}, {"eta": "4"}])),
        engine=draw(st.sampled_from(["local", "serial"])), workers=draw(maybe(st.integers(1, 9))),
        threads=draw(maybe(st.integers(1, 9))), trial_timeout=draw(maybe(FIGURES)),
        worker_env=draw(st.sampled_from([(), ("HF_TOKEN", "OTHER_TOKEN")])),
        features=draw(st.sampled_from([None, "auto", "dataset"])), top=draw(st.integers(1, 150)),
        experiment=draw(maybe(WORDS)), name=draw(maybe(WORDS)), register=register,
        register_as=draw(maybe(WORDS)) if register else None, gate=draw(maybe(gates())) if register else None,
    )  # fmt: skip


@pytest.fixture(scope="module")
def _folder(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A folder with the files that the settings name."""
    folder: Path = tmp_path_factory.mktemp("files")
    for name in ("a.csv", "b c.csv", "d'e.parquet"):
        (folder / name).write_text("x,y\n1,2\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        yield


ODD = Sweep(
    "ridge",
    DataSpec("diabetes", seed=7, categorical=("rooms", "district")),
    StopRules(3, 0.1, max_failures=0),
    seed=0,
    register=False,
)
"""What once went wrong: only the last of the columns was kept, and the sweep was registered."""


@pytest.mark.usefixtures("_folder")
@settings(max_examples=150, deadline=None)
@example(ODD)
@given(sweeps())
def test_it_reads_as_the_settings_it_was_made_of(sweep: Sweep) -> None:
    assert parsed(run_command(sweep.to_json())) == replace(sweep, name=None)


def test_the_command_shows_nothing_that_goes_without_saying() -> None:
    sweep = Sweep("ridge", DataSpec("diabetes"), StopRules(20, 90.0), 3, gate=Gate())
    words = "sweeps run ridge --data diabetes --trials 20 --time 90s --seed 3 --gate better"
    assert run_command(sweep.to_json()) == words
