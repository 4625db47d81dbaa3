"""Points in Hyperopt's documents."""

from typing import Any

from sweeps.space.draws import python_number
from sweeps.trial import Point


def point_of(docs: list[dict[str, Any]]) -> Point:
    """Give the point that Hyperopt suggests: the labels that it drew, as Python numbers."""
    values: dict[str, Any] = docs[0]["misc"]["vals"]
    return {label: python_number(drawn[0]) for label, drawn in values.items() if len(drawn)}
