"""Sweeps that begin at the same moment on a dataset that their store does not know yet."""

import threading
from concurrent.futures import ThreadPoolExecutor

from sweeps.tracking.inputs import DatasetInfo, log_datasets
from sweeps.tracking.store import open_store

AT_ONCE = 6
ROUNDS = 8


def test_all_link_the_same_dataset(any_uri: str) -> None:
    clients = [open_store(any_uri).client for _ in range(AT_ONCE)]
    experiment = clients[0].create_experiment("at once")
    runs = [clients[0].create_run(experiment).info.run_id for _ in range(ROUNDS * AT_ONCE)]
    together = threading.Barrier(AT_ONCE)

    def link(client: int) -> None:
        for turn in range(ROUNDS):
            splits = [
                DatasetInfo("training", "trips", f"train-{turn}", "trips", 3),
                DatasetInfo("validation", "trips", f"valid-{turn}", "trips", 2),
            ]
            together.wait(60)
            log_datasets(clients[client], runs[turn * AT_ONCE + client], splits)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(link, range(AT_ONCE)))
    for number, run in enumerate(runs):
        turn = number // AT_ONCE
        inputs = clients[0].get_run(run).inputs
        assert inputs is not None
        linked = {one.dataset.digest for one in inputs.dataset_inputs}
        assert linked == {f"train-{turn}", f"valid-{turn}"}
