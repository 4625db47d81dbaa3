"""The reference says what the code is."""

import re
import shlex
from pathlib import Path

import click
import pytest

import sweeps
from docs.generate.answers import undescribed
from docs.generate.codes import read_variables
from docs.generate.commands import every
from docs.generate.meanings import VARIABLES
from docs.generate.reference import reference
from sweeps.cli.main import cli

PAGE = Path(__file__).parents[2] / "docs" / "reference.md"


@pytest.fixture(scope="module")
def fresh() -> str:
    return reference()


def test_the_page_is_what_the_command_writes(fresh: str) -> None:
    assert fresh.splitlines() == PAGE.read_text().splitlines(), "run: python -m docs.generate"


def test_nothing_is_listed_without_a_word_on_it(fresh: str) -> None:
    assert undescribed(fresh) == [], "say it in a docstring, or in docs/generate/meanings.py"


@pytest.mark.parametrize(("name", "command"), list(every()), ids=str)
def test_every_option_is_there(name: str, command: click.Command) -> None:
    section = PAGE.read_text().partition(f"### sweeps {name}\n")[2].partition("\n### ")[0]
    options = [name for p in command.params if isinstance(p, click.Option) for name in p.opts]
    assert [option for option in options if f"`{option}`" not in section] == []


@pytest.mark.parametrize("name", sweeps.__all__)
def test_every_python_name_is_there(name: str) -> None:
    assert f"### sweeps.{name}\n" in PAGE.read_text()


def test_the_examples_of_the_help_are_commands() -> None:
    examples = re.findall(r"^sweeps (\w+) (.*)$", PAGE.read_text().partition("## JSON")[0], re.MULTILINE)
    shown = [(name, rest) for name, rest in examples if "[OPTIONS]" not in rest]
    assert len(shown) > 3
    for name, rest in shown:
        command = cli.get_command(click.Context(cli), name)
        assert command is not None
        command.make_context(name, shlex.split(re.split(r" [>|] ", rest)[0]))


def test_every_variable_that_the_code_reads_is_described() -> None:
    assert read_variables() - VARIABLES.keys() == set()
