"""Load a search-space module: any Python file with ``SPACE`` and ``MODEL``, or ``train()``.

What a module may define: see :class:`SearchSpace`. It needs no import of ours and works with plain ``fmin``.
"""

import functools
import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from sweeps.errors import SpaceError, unknown
from sweeps.space.evaluate import Read, reader
from sweeps.space.hyperparameters import Constant, Hyperparameter, find_leaves, is_active
from sweeps.space.module import SpaceFile, SpaceListing, find_space, import_space, list_spaces, read_space
from sweeps.space.ranges import explain_refusal, problem
from sweeps.space.values import loggable, plain, raw
from sweeps.trial import Point

__all__ = ["SearchSpace", "SpaceListing", "faults", "find_space", "list_spaces", "load_space", "open_space"]


@dataclass(frozen=True)
class SearchSpace:
    """A search-space module, loaded and sound in itself; ``sweeps.lint`` judges whether it can work."""

    file: SpaceFile
    expression: Any
    """``SPACE``: any Hyperopt expression."""
    model: Callable[..., Any] | None = None
    """``MODEL``: takes the params as keywords and gives a regressor. None: the params' key ``model``."""
    train: Callable[..., Any] | None = None
    """``train(params, data, report)`` instead of a model."""
    first: tuple[Mapping[str, Any], ...] = ()
    """``FIRST``: points to try first, label to value, partial allowed."""
    features: Any = "auto"
    """``FEATURES``: "auto", "dataset" (those of the dataset's publication), or a transformer."""
    summary: str = ""
    """First line of the docstring."""

    @property
    def name(self) -> str:
        """The file's stem."""
        return self.file.path.stem

    @property
    def path(self) -> Path:
        """The module's file."""
        return self.file.path

    @property
    def source(self) -> str:
        """The module's text."""
        return self.file.source

    @property
    def digest(self) -> str:
        """Sha256 of the file, in hex."""
        return self.file.digest

    @property
    def labels(self) -> tuple[str, ...]:
        """Every hyperparameter's label, once, in the order of the expression."""
        return tuple(dict.fromkeys(found.label for found in self.hyperparameters))

    @functools.cached_property
    def leaves(self) -> tuple[list[Hyperparameter], list[Constant]]:
        """The hyperparameters and the fixed values, one for each place in the expression."""
        return find_leaves(self.expression)

    @functools.cached_property
    def _read(self) -> Read:
        return reader(self.expression, {h.node: functools.partial(raw, h) for h in self.hyperparameters})

    @property
    def hyperparameters(self) -> list[Hyperparameter]:
        """One for each place in the expression."""
        return self.leaves[0]

    def at(self, label: Any = None) -> str:
        """Name the file in a message, with the line of a hyperparameter where it can be found."""
        return self.file.at(self.file.line_of(label) if label is not None else None)

    def params(self, point: Point) -> dict[str, Any]:
        """Evaluate the space at a point.

        Args:
            point: raw coordinate of each active label (the index for a choice); further ones are ignored.

        Returns:
            What the model receives: Python numbers, choices as values, only the active branch. A space for
            ``train()`` that does not evaluate to a dict arrives under the key ``params``.

        Raises:
            ValueError: the point lacks an active label.
            SpaceError: the space does not evaluate to a dict of keyword arguments for the model.
        """
        value = plain(self._evaluate(point))
        if isinstance(value, dict) and all(isinstance(key, str) for key in value):
            return value
        if self.train is not None:
            return {"params": value}
        got = f"a dict with the keys {list(value)}" if isinstance(value, dict) else type(value).__name__
        raise SpaceError(
            self.at(), f"SPACE must evaluate to a dict of the model's keyword arguments, got {got}"
        )

    def first_points(self) -> list[dict[str, float | int]]:
        """Give FIRST as raw coordinates; partial points stay partial.

        A value inside one option of a choice chooses that option too, where there is only one such place.

        Raises:
            SpaceError: an unknown label, or a value that the hyperparameter never has.
        """
        return [self._first_point(index, entry) for index, entry in enumerate(self.first)]

    def logged_params(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Flatten params for a log: nested names joined by dots, a class or function by its name."""
        flat: dict[str, Any] = {}
        for name, value in params.items():
            if isinstance(value, Mapping) and value:
                nested = {str(key): part for key, part in value.items()}
                flat |= {f"{name}.{key}": part for key, part in self.logged_params(nested).items()}
            else:
                flat[name] = loggable(value)
        return flat

    def _evaluate(self, point: Point) -> Any:
        missing = [h.label for h in self.hyperparameters if h.label not in point and is_active(h, point)]
        if missing:
            raise ValueError(f"the point lacks {', '.join(map(repr, missing))}: {dict(point)}")
        return self._read(point)

    def _first_point(self, index: int, entry: Mapping[str, Any]) -> dict[str, float | int]:
        point: dict[str, float | int] = {}
        for label, value in entry.items():
            if label not in self.labels:
                raise SpaceError(self.at(), f"FIRST[{index}]: {unknown('label', str(label), self.labels)}")
            found = next(h for h in self.hyperparameters if h.label == label)
            try:
                point[label] = found.coordinate(value)
            except ValueError as error:
                raise SpaceError(self.at(label), f"FIRST[{index}]: {label!r}: {error}") from error
        for label in entry:
            point |= self._implied(index, label, point)
        return point

    def _implied(self, index: int, label: str, point: Point) -> dict[str, int]:
        """The options that must be chosen for a label to be active."""
        branches = {found.branch for found in self.hyperparameters if found.label == label}
        possible = [b for b in branches if all(point.get(choice, option) == option for choice, option in b)]
        if not possible:
            others = sorted({repr(choice) for branch in branches for choice, _ in branch})
            text = f"{label!r} is not active for the given {', '.join(others)}"
            raise SpaceError(self.at(), f"FIRST[{index}]: {text}", "leave one of them out")
        return dict(possible[0]) if len(possible) == 1 else {}


def load_space(name: str) -> SearchSpace:
    """Import a search-space module and check that it is one.

    Args:
        name: a name that ``list_spaces`` gives, or the path of a ``.py`` file.

    Raises:
        SpaceError: no such module, it does not import, something is missing or of the wrong kind, or the
            arguments of a hyperparameter cannot work; with the line.
    """
    space = open_space(name)
    for fault in faults(space):
        raise fault
    return space


def open_space(name: str) -> SearchSpace:
    """Import a search-space module; its hyperparameters, model and FIRST may still be unfit (``faults``).

    Raises:
        SpaceError: no such module, it does not import, or something in it is missing or of the wrong kind.
    """
    file = read_space(find_space(name))
    module = import_space(file, explain_refusal)
    doc = inspect.getdoc(module) if module.__doc__ else ""
    return SearchSpace(
        file,
        _expression(file, module),
        _callable(file, module, "MODEL"),
        _callable(file, module, "train"),
        _first(file, module),
        _features(file, module),
        (doc or "").strip().partition("\n")[0],
    )


def faults(space: SearchSpace) -> Iterator[SpaceError]:
    """Give what makes a space unfit in itself: arguments that cannot work, no model, FIRST out of reach."""
    found = list(_argument_faults(space))
    yield from found
    try:
        _check_trainable(space)
        if not found:
            space.first_points()
    except SpaceError as error:
        yield error


def _expression(file: SpaceFile, module: ModuleType) -> Any:
    from hyperopt.pyll import Apply, as_apply

    if not hasattr(module, "SPACE"):
        found = ", ".join(_own_names(module)) or "nothing"
        raise SpaceError(
            file.at(), f"no attribute 'SPACE' (found: {found})", "SPACE = {'x': hp.uniform('x', 0, 1)}"
        )
    value = module.SPACE
    if not isinstance(value, dict | list | tuple | Apply) or (not isinstance(value, Apply) and not value):
        got = f"an empty {type(value).__name__}" if isinstance(value, dict | list | tuple) else _kind(value)
        raise SpaceError(file.at(), f"SPACE must be a non-empty dict of hyperopt expressions, got {got}")
    if isinstance(value, dict) and not all(isinstance(key, str) for key in value):
        key = next(key for key in value if not isinstance(key, str))
        raise SpaceError(file.at(), f"SPACE: the keys are names of params and must be text, got {key!r}")
    try:
        return as_apply(value)
    except (TypeError, RecursionError) as error:
        raise SpaceError(file.at(), f"SPACE is no hyperopt expression: {error}") from error


def _callable(file: SpaceFile, module: ModuleType, name: str) -> Callable[..., Any] | None:
    value = getattr(module, name, None)
    if value is None or callable(value):
        return value
    hint = f"write {name} = {type(value).__name__}" if hasattr(value, "get_params") else ""
    raise SpaceError(file.at(), f"{name} must be a class or a function, got {_kind(value)}", hint)


def _first(file: SpaceFile, module: ModuleType) -> tuple[Mapping[str, Any], ...]:
    value = getattr(module, "FIRST", ())
    if isinstance(value, list | tuple) and all(isinstance(entry, Mapping) for entry in value):
        return tuple(value)
    raise SpaceError(file.at(), f"FIRST must be a list of dicts, label to value, got {value!r:.60}")


def _features(file: SpaceFile, module: ModuleType) -> Any:
    value = getattr(module, "FEATURES", "auto")
    if isinstance(value, type):
        raise SpaceError(file.at(), f"FEATURES is the class {value.__name__}", f"write {value.__name__}()")
    if value in ("auto", "dataset") if isinstance(value, str) else hasattr(value, "fit_transform"):
        return value
    raise SpaceError(
        file.at(), f"FEATURES must be 'auto', 'dataset' or a scikit-learn transformer, got {value!r:.60}"
    )


def _argument_faults(space: SearchSpace) -> Iterator[SpaceError]:
    for found in space.hyperparameters:
        if text := problem(found):
            about = f"{found.label!r}: {text}" if found.label is not None else text
            yield SpaceError(space.at(found.label), about)


def _check_trainable(space: SearchSpace) -> None:
    if space.model is not None and space.train is not None:
        raise SpaceError(space.at(), "has both MODEL and train(): which one is meant?", "rename one of them")
    if space.train is not None:
        try:
            inspect.signature(space.train).bind({}, None, None)
        except TypeError as error:
            raise SpaceError(space.at("train"), f"train(params, data, report): {error}") from error
    elif space.model is None and not any(c.path == ("model",) for c in space.leaves[1]):
        raise SpaceError(
            space.at(), "no MODEL, no train(), and no key 'model' in SPACE", "MODEL = Ridge, for example"
        )


def _own_names(module: ModuleType) -> list[str]:
    return [
        name
        for name, value in vars(module).items()
        if not name.startswith("_")
        and not isinstance(value, ModuleType)
        and getattr(value, "__module__", module.__name__) == module.__name__
    ]


def _kind(value: Any) -> str:
    """What an object is, for a message: its type, and the package it comes from if that is foreign."""
    kind = type(value)
    package = kind.__module__.partition(".")[0]
    return kind.__name__ if package == "builtins" else f"{package} {kind.__name__}"
