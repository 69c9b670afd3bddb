"""The command line, `tierwise`.

One module holds one command and is imported when that command is asked for, so that
`--help` costs no more than click. Conventions: `-` is standard input or output, data go
to standard output and talk to standard error, NO_COLOR holds, and the exit code is 0 for
fine, 1 for findings, 2 for wrong usage or an invalid policy, 3 for data that cannot be
read.
"""
from __future__ import annotations

import errno
import gc
import os
import sys
from importlib import import_module
from typing import Any, NoReturn

import click

from engine import __version__, process

#: Command, the module that holds it, and its line in `tierwise --help`.
COMMANDS: dict[str, tuple[str, str]] = {
    "allocate": ("allocate", "Share a limited budget over decided customers."),
    "check": ("check", "Find what is wrong in policies."),
    "completion": ("completion", "Print the completion script of a shell."),
    "decide": ("decide", "Decide one customer and explain it."),
    "diff": ("diff", "Tell what a change does to the sample portfolios."),
    "feel": ("feel", "Evaluate FEEL expressions."),
    "fmt": ("fmt", "Write policies in one form."),
    "new": ("new", "Begin a policy, a CI file or a plugin."),
    "notice": ("notice", "Write the letter that a decision calls for."),
    "plugins": ("plugins", "List plugins and what they give."),
    "report": ("report", "Tell a decided portfolio on one page."),
    "run": ("run", "Decide a portfolio."),
    "schema": ("schema", "Print what a policy asks for, as JSON Schema."),
    "sql": ("sql", "Print a policy as one SQL statement."),
    "table": ("table", "Take grids to a spreadsheet and back."),
    "test": ("test", "Decide the cases of test files and compare."),
}

#: Where the paths of `--plugin` stand, whether they were given before or behind the command's name.
PLUGIN_PATHS = "tierwise.plugins"
#: Where the name of a plugin's command stands while it runs.
PLUGIN_COMMAND = "tierwise.command"

_INTERRUPTED = 130
_PIPE_CLOSED = 141


class LazyGroup(click.Group):
    """A group that imports a command's module when the command is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            # A command of a plugin: none is imported while a shell completes.
            return None if ctx.resilient_parsing else _further().command(cmd_name)
        module = import_module(f"engine.commands.{COMMANDS[cmd_name][0]}")
        command = module.command
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and not args[0].startswith("-") and args[0] not in COMMANDS:
            further = _further().names() if not ctx.resilient_parsing else ()
            if args[0] not in further:
                words = (*COMMANDS, *further)
                near = [name for name in words if _within_one_slip(args[0], name) or name.startswith(args[0])]
                hint = f"; did you mean `{near[0]}`?" if near else ""
                raise click.UsageError(f"no command is called `{args[0]}`{hint}", ctx)
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> object:
        try:
            found = super().invoke(ctx)
            sys.stdout.flush()
            return found
        except BrokenPipeError as problem:              # here, as click would end with 1
            raise click.exceptions.Exit(_stopped(problem)) from None
        except (click.ClickException, click.Abort, click.exceptions.Exit, OSError):
            raise
        except Exception as problem:                    # a strange one of our own is raised on
            if PLUGIN_COMMAND not in ctx.meta:
                raise
            raise _further().failed(ctx.meta[PLUGIN_COMMAND], problem) from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name][1]) for name in self.list_commands(ctx)])


def _further() -> Any:
    """The commands of plugins: only now, since `--help` and the commands of our own need none of it."""
    return import_module("engine.commands.further")


def keep_plugins(ctx: click.Context, param: click.Parameter, value: tuple[str, ...]) -> None:
    """Keep the paths of `--plugin` for whoever needs plugins."""
    ctx.meta[PLUGIN_PATHS] = (*ctx.meta.get(PLUGIN_PATHS, ()), *value)


def _stopped(problem: OSError) -> int:
    """What the system refused, most often to write, told as the end of the command; its exit code."""
    # What standard output still holds cannot be written either: point the descriptor elsewhere, or the
    # interpreter would complain when it flushes at exit.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if problem.errno == errno.EPIPE:                    # the reader has gone (`tierwise run ... | head`)
        return _PIPE_CLOSED
    # Only now: what it needs is more than `--help` may cost.
    common = import_module("engine.commands.common")
    place = f"`{problem.filename}`: " if problem.filename else ""
    text = problem.strerror or str(problem)
    common.Failure(place + text[:1].lower() + text[1:], code=common.BAD_DATA).show()
    return int(common.BAD_DATA)


def _streams() -> None:
    """Let output go nowhere where the process was started with a stream closed."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))


def _within_one_slip(typed: str, name: str) -> bool:
    """Whether one letter was left out, added, changed, or changed places with its neighbour."""
    start = 0
    while start < min(len(typed), len(name)) and typed[start] == name[start]:
        start += 1
    a, b = typed[start:], name[start:]
    return a[1:] == b or a == b[1:] or a[1:] == b[1:] or (a[1::-1] == b[:2] and a[2:] == b[2:])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("--plugin", multiple=True, metavar="PATH", expose_value=False, callback=keep_plugins,
              help="A plugin beside the installed ones, a file or package; many times.")
@click.version_option(__version__, prog_name="tierwise", message="%(prog)s %(version)s")
def group() -> None:
    """Decide lending applications by policies written in YAML and FEEL.

    \b
    tierwise check policies/                        what is wrong in these policies?
    tierwise decide policy.yaml customer.json       what do we say to this customer, and why?
    tierwise run policy.yaml customers.csv -o out.csv

    Exit codes: 0 fine, 1 findings, 2 wrong usage or invalid policy, 3 unreadable data.
    """


def main(args: list[str] | None = None) -> NoReturn:
    """Run the command line and exit; `args` default to those of the process."""
    # What a policy is made of lives until the end. Looking through it for cycles again and again while it
    # loads, and once more when the interpreter ends, costs a quarter of `check`.
    gc.set_threshold(100_000)
    process.owned = True
    code = run(args)
    gc.freeze()
    sys.exit(code)


def run(args: list[str] | None = None) -> int:
    """Run the command line; its exit code."""
    _streams()
    try:
        code = group.main(args, prog_name="tierwise", standalone_mode=False)
        return code if isinstance(code, int) else 0
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.ClickException as problem:
        problem.show()
        return problem.exit_code
    except OSError as problem:
        return _stopped(problem)
    except (click.Abort, KeyboardInterrupt):
        return _INTERRUPTED
