"""The Python names, from signatures and docstrings, read without running anything."""

import enum
from pathlib import Path
from typing import Any

import griffe

import sweeps
from docs.generate.markdown import code, flowing, joined, table

ROOT = Path(__file__).parents[2]


def python_api() -> str:
    """Give a section for each public name: functions first, then classes, then errors."""
    package = griffe.load("sweeps", search_paths=[ROOT], docstring_parser="google")
    named = [(name, package[name].final_target) for name in sweeps.__all__]
    functions = [_function(name, what) for name, what in named if what.is_function]
    classes = [_class(name, what) for name, what in named if what.is_class]
    return joined(*functions, *classes)


def _function(name: str, function: Any) -> str:
    sections = _sections(function)
    told = {p.name: p.description for p in sections.get("parameters", [])}
    rows = [
        [code(p.name), code(p.annotation or ""), code(p.default or ""), flowing(told.get(p.name, ""))]
        for p in function.parameters
    ]
    [returned] = sections.get("returns", [None])
    returns = f"Returns {code(returned.annotation)}: {flowing(returned.description)}" if returned else ""
    raised = [[code(e.annotation), flowing(e.description)] for e in sections.get("raises", [])]
    return joined(
        f"### sweeps.{name}",
        flowing(sections.get("text", "")),
        table(["argument", "type", "default", "what it is"], rows),
        returns,
        table(["raises", "when"], raised),
    )


def _class(name: str, found: Any) -> str:
    members = {n: m for n, m in found.members.items() if not n.startswith("_")}
    fields = [_field(n, m) for n, m in members.items() if m.is_attribute]
    methods = [[code(_call(n, m)), flowing(_text(m))] for n, m in members.items() if m.is_function]
    sections = _sections(found)
    given = [[code(p.name), "", flowing(p.description)] for p in sections.get("parameters", [])]
    if issubclass(getattr(sweeps, name), enum.Enum):
        fields = [[key, "", text] for key, _, text in fields]
    return joined(
        f"### sweeps.{name}",
        flowing(sections.get("text", "")),
        table(["name", "type", "what it is"], fields + given),
        table(["method", "gives"], methods),
    )


def _field(name: str, attribute: Any) -> list[str]:
    return [code(name), code(attribute.annotation or ""), flowing(_text(attribute))]


def _call(name: str, function: Any) -> str:
    words = [f"{p.name}: {p.annotation}" for p in function.parameters if p.name != "self"]
    return f"{name}({', '.join(words)}) -> {function.returns}"


def _text(found: Any) -> str:
    return found.docstring.value if found.docstring else ""


def _sections(found: Any) -> dict[str, Any]:
    """Give a docstring's sections by kind."""
    parsed = found.docstring.parsed if found.docstring else []
    return {section.kind.value: section.value for section in parsed}
