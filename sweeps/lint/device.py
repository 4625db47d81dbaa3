"""Where the models of a space train: what the space says of it, and what the sweep asks for."""

from collections.abc import Iterator
from contextlib import suppress

from sweeps.errors import SpaceError, UsageError
from sweeps.lint.finding import Finding, Severity, find
from sweeps.lint.points import evaluated, with_every_option
from sweeps.space.search_space import SearchSpace


def check_own_device(space: SearchSpace) -> Iterator[Finding]:
    """Find models that the space itself sends to a GPU."""
    from sweeps.models.device import on_gpu

    named = next((h.label for h in space.hyperparameters if h.path[-1:] == ("device",)), None)
    for device in filter(on_gpu, _devices(space)):
        what = f"device={device!r} sends the trials of all workers to the same GPU"
        why = "they fill its memory and slow each other down"
        fix = "leave it out: --device cuda gives each trial a GPU to itself"
        yield find(Severity.WARNING, "own-gpu", space, named, what, why, fix)


def check_device(space: SearchSpace, device: str) -> None:
    """Refuse a device that no model of the space can train on, or that the space contradicts.

    In a choice between models those that have no GPU train on the CPU. What a ``train()`` does with the GPU
    that it sees is its own affair.

    Raises:
        UsageError: it is refused.
    """
    if device == "cpu" or space.train is not None:
        return
    found = _devices(space)
    if not found:
        wrong = f"no model of {space.at()} trains on a GPU: of those that sweeps knows, XGBoost's do"
        raise UsageError(f"--device {device}", wrong, "leave it out")
    for other in found:
        if other not in (None, device):
            wrong = f"{space.at()} sets device={other!r} itself"
            raise UsageError(f"--device {device}", wrong, "delete 'device' there")


def _devices(space: SearchSpace) -> list[str | None]:
    """The devices that XGBoost's models are set to, None where to none; empty where no model is XGBoost's."""
    from sweeps.models import devices_of

    found = list[str | None]()
    for point in [] if space.train is not None else with_every_option(space):
        with suppress(SpaceError, ValueError):  # a point that is refused is looked for elsewhere
            found += devices_of(space.model, evaluated(space, point))
    return list(dict.fromkeys(found))
