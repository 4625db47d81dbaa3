"""Which calls a model in the skops format may make when it predicts.

Features are made of ``operator.methodcaller`` and ``operator.attrgetter``. Free to name any method they could
do anything: ``DataFrame.query`` evaluates an expression, and a chain of attributes leads from a table to the
operating system. So what each of them names is compared with a list, too.
"""

import json
import re
import zipfile
from collections.abc import Iterator, Mapping
from typing import IO, Any

METHODS = frozenset(
    {"abs", "add", "apply", "astype", "clip", "div", "drop", "fillna", "isna", "max", "mean", "min", "mul"}
    | {"notna", "round", "sub", "sum", "to_dict", "to_frame", "to_numpy"}
)
"""Of tables and columns: they compute, and neither read nor write nor evaluate anything."""

ATTRIBUTES = re.compile(r"T|values|dt\.[a-z][a-z_]*")
PLAIN_TYPES = frozenset({"bool", "float", "int", "object", "str"})
CHECK = ("sklearn.utils.validation", "check_array")
"""The one function that may be called with arguments of its own, by HistGradientBoosting with categories."""

LARGEST = 256 * 2**20
"""Bytes of a description; one of a large forest has some megabytes."""

Node = Mapping[str, Any]


def forbidden_calls(skops_file: str | IO[bytes]) -> list[str]:
    """Name the calls in a model that are not on the list, each as text.

    Raises:
        ValueError: the file is no model, or its description contradicts itself.
    """
    nodes = list(_nodes(_schema(skops_file)))
    of_id: dict[Any, list[Node]] = {}
    for node in nodes:
        of_id.setdefault(node.get("__id__"), []).append(node)
    calls = [node for node in nodes if _is_call(node)]
    for inner in (inner for call in calls for inner in _nodes(call) if "__id__" in inner):
        if any(other != inner for other in of_id[inner["__id__"]]):  # skops would take the first one
            raise ValueError(f"two different things have the number {inner['__id__']}")
    return sorted({_told(call) for call in calls if not _is_allowed(call)})


def _schema(skops_file: str | IO[bytes]) -> Any:
    with zipfile.ZipFile(skops_file) as archive:
        info = archive.getinfo("schema.json")
        if info.file_size > LARGEST:
            raise ValueError(f"its description has {info.file_size} bytes")
        return json.loads(archive.read(info))


def _nodes(tree: Any) -> Iterator[Node]:
    """Give every node of a description, without recursion: a hostile one may be as deep as it likes."""
    waiting = [tree]
    while waiting:
        found = waiting.pop()
        if isinstance(found, dict):
            if "__loader__" in found:
                yield found
            waiting += found.values()
        elif isinstance(found, list):
            waiting += found


def _is_call(node: Node) -> bool:
    module, name = node.get("__module__"), node.get("__class__")
    calling = ("methodcaller", "attrgetter", "itemgetter", "partial")
    return module in ("operator", "_operator", "functools") or name in calling


def _is_allowed(node: Node) -> bool:
    if (node.get("__module__"), node.get("__loader__")) == ("functools", "PartialNode"):
        function = node["content"]["func"]
        return (function.get("__module__"), function.get("__class__")) == CHECK
    if (node.get("__module__"), node.get("__loader__")) != ("operator", "OperatorFuncNode"):
        return False
    [*words] = node["attrs"].get("content") or [None]
    first, *rest = words
    if node["__class__"] == "methodcaller":
        return _text(first) in METHODS and _are_arguments(str(_text(first)), rest)
    if node["__class__"] == "attrgetter":
        return all(ATTRIBUTES.fullmatch(_text(word) or "") for word in words)
    return node["__class__"] == "itemgetter" and all(_is_plain(word) for word in words)


def _are_arguments(method: str, nodes: list[Any]) -> bool:
    """Whether arguments are data; ``apply`` takes one attribute, as a text would be the name of a method."""
    if method == "apply":
        return len(nodes) == 1 and _is_call(nodes[0]) and nodes[0]["__class__"] == "attrgetter"
    return all(_is_plain(node) for node in nodes)


def _is_plain(node: Any) -> bool:
    if not isinstance(node, dict):
        return False
    loader = node.get("__loader__")
    if loader in ("TupleNode", "ListNode"):
        return all(_is_plain(inner) for inner in node["content"])
    if loader == "TypeNode":
        return node.get("__module__") == "builtins" and node.get("__class__") in PLAIN_TYPES
    return loader == "JsonNode"


def _text(node: Any) -> str | None:
    """The text that a node holds; None where it holds something else."""
    if not isinstance(node, dict) or node.get("__loader__") != "JsonNode":
        return None
    value = json.loads(node["content"])
    return value if isinstance(value, str) else None


def _told(node: Node) -> str:
    content = (node.get("attrs") or {}).get("content") if isinstance(node.get("attrs"), dict) else None
    words = [_text(word) or "…" for word in content] if isinstance(content, list) else ["…"]
    return f"{node.get('__class__')}({', '.join(words)})"[:80]
