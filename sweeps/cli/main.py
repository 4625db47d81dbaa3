"""``sweeps``: the group of commands, and how errors become one line and an exit code."""

import importlib
import sys
import traceback
from typing import Any

import click

from sweeps.cli.charset import adapt_streams
from sweeps.credentials import redact
from sweeps.errors import SweepsError, UsageError, one_line, unknown
from sweeps.heap import collect_seldom

COMMANDS = {
    "run": ("sweeps.cli.run", "Run a sweep and register its best model."),
    "resume": ("sweeps.cli.resume", "Go on with an interrupted sweep."),
    "stop": ("sweeps.cli.lifecycle", "End a running sweep from another terminal."),
    "spaces": ("sweeps.cli.spaces", "List the search spaces."),
    "lint": ("sweeps.cli.lint", "Check a search space without running it."),
    "preview": (
        "sweeps.cli.preview",
        "Show what a sweep would draw and take, and whether it trains.",
    ),
    "fetch": ("sweeps.cli.fetch", "Download a public dataset."),
    "list": ("sweeps.cli.inspect", "List the sweeps of the store."),
    "show": ("sweeps.cli.inspect", "Show a sweep and its trials."),
    "best": ("sweeps.cli.inspect", "Show the best trials of a sweep."),
    "compare": ("sweeps.cli.compare", "Compare sweeps at equal numbers of trials."),
    "diff": ("sweeps.cli.diff", "Show in what two trials differ."),
    "export": ("sweeps.cli.export", "Write all trials of a sweep as CSV, Parquet or JSON."),
    "explain": ("sweeps.cli.explain", "Explain a sweep in plain sentences, with the evidence."),
    "next-space": ("sweeps.cli.explain", "Write the search space to try next."),
    "report": ("sweeps.cli.report", "Write a sweep's report again, from MLflow alone."),
    "promote": ("sweeps.cli.promote", "Register a sweep's best model and judge it against the champion."),
    "reproduce": ("sweeps.cli.reproduce", "Train a trial again and compare it with its record."),
    "history": ("sweeps.cli.registry", "Show the promotions and rollbacks of a registered model."),
    "rollback": ("sweeps.cli.registry", "Move the champion back to an earlier version."),
    "delete": ("sweeps.cli.lifecycle", "Delete a sweep with its trials."),
    "restore": ("sweeps.cli.lifecycle", "Bring back a deleted sweep."),
    "doctor": ("sweeps.cli.doctor", "Check the store, and put right what kills left."),
    "completion": ("sweeps.cli.completion", "Print the completion script of a shell."),
    "ui": ("sweeps.cli.ui", "Open a sweep in the MLflow UI."),
}
"""Where each command lives (as ``NAME_command``) and its line in the help; ``--help`` loads nothing else."""


class LazyGroup(click.Group):
    """Imports a command's module when that command is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Give the names in the order of the help page."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the module of a command and give the command."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(COMMANDS[cmd_name][0])
        command: click.Command = getattr(module, f"{cmd_name.replace('-', '_')}_command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands' help lines without importing any of them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in COMMANDS.items()])

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        """Resolve the name; a mistyped one is told which was meant."""
        if args and not args[0].startswith("-") and args[0] not in COMMANDS:
            raise UsageError("sweeps", unknown("command", args[0], COMMANDS), "sweeps --help")
        return super().resolve_command(ctx, args)


@click.group(
    cls=LazyGroup,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
@click.version_option(package_name="sweeps", message="%(version)s")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Run hyperparameter sweeps for tabular regression; track them in MLflow; register the best model.

    \b
    sweeps run xgboost --data diabetes --trials 20
    sweeps show last
    sweeps ui last
    """
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


def main() -> None:
    """Run the command line and exit with its code (see docs/guide.md, exit codes)."""
    debug = "--debug" in sys.argv
    collect_seldom()
    adapt_streams()
    try:
        code = cli.main(prog_name="sweeps", standalone_mode=False)
    except SweepsError as error:
        code = report(str(error), error.exit_code, debug)
    except click.UsageError as error:
        code = report(usage_text(error), 2, debug)
    except (KeyboardInterrupt, click.Abort):
        code = report("interrupted", 130, debug)
    except BrokenPipeError:  # the reader of our answer went away, as `| head` does
        sys.stderr.close()
        code = 0
    except Exception as error:  # noqa: BLE001  # the last frame: whatever gets here is our bug
        what = f"{type(error).__name__}: {error}"
        text = f"this is a bug in sweeps: {what} (--debug shows where; please report it)"
        code = report(text, 1, debug)
    sys.exit(code if isinstance(code, int) else 0)


def report(text: str, code: int, debug: bool) -> int:
    """Print an error as one line, with the traceback where ``--debug`` asks for it."""
    if debug:
        click.echo(redact(traceback.format_exc()), err=True)
    click.echo(f"error: {one_line(redact(text))}", err=True)
    return code


def usage_text(error: click.UsageError) -> str:
    """Word click's complaint in our form: ``--option: what is wrong (what next)``."""
    command = error.ctx.command_path if error.ctx else "sweeps"
    hint = f" ({command} --help)"
    if isinstance(error, click.NoSuchOption):
        close = f" (did you mean {error.possibilities[0]}?)" if error.possibilities else hint
        return f"unknown option {error.option_name}{close}"
    if isinstance(error, click.BadOptionUsage):
        wrong = "needs a value" if "requires" in error.message else "takes no value"
        return f"{error.option_name}: {wrong}{hint}"
    if isinstance(error, click.MissingParameter) and error.param is not None:
        return f"{error.param.human_readable_name}: missing{hint}"
    if isinstance(error, click.BadParameter) and error.param is not None:
        return f"{option_name(error.param)}: {error.message}"
    return f"{error.format_message().rstrip('.')}{hint}"


def option_name(parameter: click.Parameter) -> str:
    """Give the long form of an option, or an argument's name."""
    return (
        max(parameter.opts, key=len) if isinstance(parameter, click.Option) else parameter.human_readable_name
    )
