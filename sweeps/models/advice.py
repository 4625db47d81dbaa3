"""What to say of a drawn value that a model would refuse."""

from typing import Any


def whole_number_advice(name: str, value: Any, owner: str) -> str:
    """What to say when a float was drawn where an int is needed."""
    return f"{name} draws {value!r}: {owner} needs an int (wrap it: scope.int(hp.quniform(...)))"
