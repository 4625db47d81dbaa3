"""What is Ray's own: how an engine comes to a cluster, and how it leaves it."""

import engine_jobs as jobs
import pytest
from clusters import Ray, marks

from sweeps.engines import open_engine
from sweeps.errors import UsageError
from tests.stores import free_port

SOON = 60

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


def test_nobody_at_the_address_is_told():
    url = f"ray://127.0.0.1:{free_port()}"
    with pytest.raises(UsageError, match=f"--engine {url}: no Ray cluster answers there: .*ray start --head"):
        open_engine(url, 1, 1).__enter__()
