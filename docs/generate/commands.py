"""The command line, from click's own objects."""

import inspect
import re
from collections.abc import Iterator

import click

from docs.generate.markdown import code, flowing, joined, table
from sweeps.cli.main import COMMANDS, cli


def commands() -> str:
    """Give a section for each command, in the order of ``sweeps --help``."""
    return joined(*(_section(name, command) for name, command in every()))


def every() -> Iterator[tuple[str, click.Command]]:
    """Give all commands by name."""
    context = click.Context(cli, info_name="sweeps")
    for name in COMMANDS:
        command = cli.get_command(context, name)
        assert command is not None  # noqa: S101  # it is in the list that get_command looks in
        yield name, command


def _section(name: str, command: click.Command) -> str:
    options = [p for p in command.params if isinstance(p, click.Option) and not p.hidden]
    arguments = [p for p in command.params if isinstance(p, click.Argument)]
    words = " ".join(f"[{_shown(p)}]" if not p.required else _shown(p) for p in arguments)
    usage = f"```text\nsweeps {name} {words}".rstrip() + " [OPTIONS]\n```"
    rows = [_row(option) for option in options]
    return joined(
        f"### sweeps {name}",
        usage,
        _description(command.help or ""),
        table(["option", "value", "default", "what it does"], rows),
    )


def _shown(argument: click.Argument) -> str:
    return argument.human_readable_name + ("…" if argument.nargs != 1 else "")


def _description(text: str) -> str:
    r"""Give a command's docstring; what follows a ``\b`` is kept as it stands."""
    return "\n\n".join(
        f"```bash\n{part.removeprefix(chr(8)).strip()}\n```" if part.startswith("\b") else flowing(part)
        for part in re.split(r"\n\s*\n", inspect.cleandoc(text))
    )


def _row(option: click.Option) -> list[str]:
    """Say what an option takes; a default in words stands in brackets at the end of its help."""
    told = re.fullmatch(r"(.*?)\s*\[(.+)\]\.?", option.help or "", re.DOTALL)
    help_text, words = (told[1], told[2]) if told else (option.help or "", "")
    names = ", ".join(code(name) for name in sorted([*option.opts, *option.secondary_opts], key=len))
    more = " May be repeated." if option.multiple else ""
    return [names, code(_value(option)), words or code(_default(option)), help_text.rstrip(".") + "." + more]


def _value(option: click.Option) -> str:
    if option.is_flag:
        return ""
    if isinstance(option.type, click.Choice):
        return " ".join(str(choice) for choice in option.type.choices)
    name = option.type.name.upper()
    return name if name == "TIME" else option.metavar or name


def _default(option: click.Option) -> str:
    given = option.default
    plain = isinstance(given, str | int | float) and not isinstance(given, bool)
    return str(given) if plain and not option.is_flag else ""
