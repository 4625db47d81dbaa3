"""What a worker does before its first trial, while the driver is still busy with imports and data.

Apart from ``sweeps.worker``, whose import takes the driver a third of a second that it has no use for yet.
"""

from sweeps.heap import uncollected


def warm_up(space: str) -> None:
    """Import what the trials of a search space need.

    Args:
        space: path of its module, on the driver.
    """
    with uncollected():
        import skops.io  # noqa: F401  # the slowest of what keeping a model needs

        import sweeps.worker  # noqa: F401
        from sweeps.shared import here
        from sweeps.space.search_space import load_space

        load_space(here(space))
