"""Tasks that wait at a gate until a test lets them go."""

import engine_jobs as jobs


def begun(engine, gates):
    """Begin tasks that wait at a gate, and wait until they run."""
    futures = [engine.submit(jobs.meet, pair) for pair in gates]
    assert [started.read_text() for started, _ in gates] == ["here"] * len(gates)
    return futures
