"""The map of faults to tests names no test that is not there; no fault is left out."""

import ast
import re
from pathlib import Path

import pytest

from tests.shell import ROOT

MAP = Path(__file__).with_name("README.md").read_text("utf-8")


@pytest.mark.parametrize("named", sorted(set(re.findall(r"`(tests/\S+)`", MAP))))
def test_the_map_names_a_test_that_exists(named: str) -> None:
    file, _, test = named.partition("::")
    tree = ast.parse((ROOT / file).read_text("utf-8"))
    assert test in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_the_map_has_every_fault() -> None:
    first = [line.split("|")[1] for line in MAP.splitlines() if line.startswith("| F")]
    rows = {int(number) for cell in first for number in re.findall(r"F(\d+)", cell)}
    assert rows == set(range(1, 56))
