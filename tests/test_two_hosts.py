"""A sweep on two hosts with addresses of their own, one of which is cut off in the middle."""

import json
from pathlib import Path

import pytest

from tests.engines.clusters import Dask, marks
from tests.engines.hosts import hosts
from tests.laws.make import write_space
from tests.shell import Shell, wait_until
from tests.stores import free_port

pytestmark = [*marks("dask"), pytest.mark.nightly]

BODY = """
import pathlib, subprocess
from sklearn.linear_model import Ridge
from sklearn.metrics import root_mean_squared_error
SPACE = {"alpha": hp.loguniform("alpha", -3, 0)}
HERE = pathlib.Path(PLACE)
def train(params, data, report):
    where = subprocess.check_output(["ip", "netns", "identify"], text=True, timeout=30).strip()
    with (HERE / "starts").open("a") as file:
        file.write(f"{params['alpha']!r} {where}\\n")
    while (HERE / "wait").exists():
        pass
    model = Ridge(**params).fit(data.X_train, data.y_train)
    return root_mean_squared_error(data.y_valid, model.predict(data.X_valid)), model
"""
TRIALS = 6
NOTICED = 180
"""Seconds that a cluster may take to notice that a host is gone, and to end the sweep without it."""


@pytest.mark.parametrize("data", ["diabetes", "green-taxi:2023-01,2023-02,2023-03"])
def test_a_host_that_is_cut_off_costs_its_trial_one_more_try(
    shell: Shell, tmp_path: Path, data: str, request: pytest.FixtureRequest
) -> None:
    if data.startswith("green-taxi"):
        shell.env["SWEEPS_DATA_DIR"] = str(request.getfixturevalue("taxi_dir"))
    space = write_space(shell.folder, BODY.replace("PLACE", repr(str(shell.folder))))
    words = ["run", str(space), "--data", data, "--trials", str(TRIALS), "--seed", "1", "--json"]
    with hosts(2) as two:
        dask = Dask(tmp_path / "dask", free_port(), host="0.0.0.0")  # noqa: S104  # in the hosts' reach
        try:
            for host in two:
                dask.worker(host=host, threads=1)
            (shell.folder / "wait").touch()
            sweep = shell.begin(*words, "--engine", dask.url)
            starts = shell.folder / "starts"
            wait_until(lambda: starts.exists() and len(starts.read_text().splitlines()) == 2, sweep)
            begun = dict(reversed(line.split()) for line in starts.read_text().splitlines())
            assert set(begun) == {host.name for host in two}
            two[1].cut_off()
            (shell.folder / "wait").unlink()
            out, told = sweep.communicate(timeout=NOTICED)
        finally:
            dask.kill_all()
    assert sweep.returncode == 0, told
    assert json.loads(out)["trials"]["complete"] == TRIALS
    runs = [line.split() for line in starts.read_text().splitlines()]
    assert [alpha for alpha, _ in runs].count(begun[two[1].name]) == 2, "it was tried again"
    assert len({alpha for alpha, _ in runs}) == TRIALS
    assert [where for _, where in runs].count(two[1].name) == 1
