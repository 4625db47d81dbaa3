"""What is Ray's own: how an engine comes to a cluster, and how it leaves it."""

import os
import subprocess
import sys
import time
from concurrent.futures import wait
from contextlib import contextmanager
from pathlib import Path

import engine_jobs as jobs
import psutil
import pytest
from clusters import ROOT, Ray, marks
from gates import begun
from hosts import hosts

from sweeps.engines import LostTaskError, open_engine
from sweeps.errors import UsageError
from tests.stores import free_port

SOON = 60
TOKEN = "0123456789abcdef" * 4
DRIVER = """
import engine_jobs as jobs
from sweeps.engines import open_engine
with open_engine({url!r}, 1, 1) as engine:
    print(engine.submit(jobs.double, 2).result())
"""

pytestmark = marks("ray")


def test_an_engine_connects_to_a_cluster_by_its_address_and_leaves_it():
    import ray

    cluster = Ray(free_port(), free_port())
    try:
        for _ in range(2):  # the second time proves that the first one left
            with open_engine(cluster.url, 1, 1) as engine:
                assert engine.submit(jobs.double, 2).result(SOON) == 4
            assert not ray.is_initialized()
    finally:
        cluster.kill_all()


def test_a_cluster_that_wants_a_token_takes_those_who_have_it_and_others_are_told(monkeypatch):
    from ray.util.client import worker

    cluster = Ray(free_port(), free_port(), token=TOKEN)
    path = os.pathsep.join([str(Path(jobs.__file__).parent), str(ROOT)])
    known = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": TOKEN, "PYTHONPATH": path}
    try:
        done = subprocess.run(
            [sys.executable, "-c", DRIVER.format(url=cluster.url)],
            env={**os.environ, **known},
            capture_output=True,
            text=True,
            check=False,
            timeout=SOON,
        )
        assert done.stdout == "4\n", done.stderr
        for name in ("INITIAL_TIMEOUT_SEC", "MAX_TIMEOUT_SEC"):
            monkeypatch.setattr(worker, name, 1)
        said = f"--engine {cluster.url}: no Ray cluster answers there: .*where it wants a token: set RAY_AUTH"
        with pytest.raises(UsageError, match=said):
            open_engine(cluster.url, 1, 1).__enter__()
    finally:
        cluster.kill_all()


def test_nobody_at_the_address_is_told():
    url = f"ray://127.0.0.1:{free_port()}"
    said = f"--engine {url}: no Ray cluster answers there: .*refused.*start one: ray start --head"
    with pytest.raises(UsageError, match=said):
        open_engine(url, 1, 1).__enter__()


# nodes that come and go


@contextmanager
def head_and_host():
    """A head with room for one task, and a host for another node."""
    with hosts(1) as [host]:
        cluster = Ray(free_port(), free_port(), threads=1, address=host.driver)
        try:
            yield cluster, host
        finally:
            cluster.kill_all()


def killed(node):
    """Kill all processes of a node at once, as when its power fails."""
    for process in [*psutil.Process(node.pid).children(recursive=True), psutil.Process(node.pid)]:
        process.kill()


@pytest.mark.nightly
@pytest.mark.parametrize("how", ["killed", "cut off"])
def test_a_node_that_joins_is_used_and_one_that_leaves_loses_only_what_it_ran(fifo, how):
    with head_and_host() as (cluster, host), open_engine(cluster.url, None, 1) as engine:
        assert engine.slots == 1
        gates = [(fifo(), fifo()) for _ in range(2)]
        grown = engine.changed
        [stays] = begun(engine, gates[:1])
        node = cluster.node(host)
        grown.result(SOON)
        assert engine.slots == 2
        [goes] = begun(engine, gates[1:])
        killed(node) if how == "killed" else host.cut_off()
        done, _ = wait([stays, goes], 2 * SOON, "FIRST_COMPLETED")
        assert done == {goes}
        error = goes.exception()
        assert isinstance(error, LostTaskError)
        assert host.address in str(error)
        gates[0][1].write_text("go")
        assert stays.result(SOON) == "go"
        assert [engine.submit(jobs.double, n).result(SOON) for n in range(4)] == [0, 2, 4, 6]
        deadline = time.monotonic() + 2 * SOON  # Ray itself calls a silent node dead only after a while
        while engine.slots > 1:
            assert time.monotonic() < deadline
            time.sleep(0.1)
