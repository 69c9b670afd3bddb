"""`tierwise completion`: the completion script of a shell."""
from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from engine import commands


@click.command()
@click.argument("shell", type=click.Choice(["bash", "fish", "zsh"]))
def command(shell: str) -> None:
    """Print the completion script of a shell.

    \b
    bash:  eval "$(tierwise completion bash)"
    zsh:   eval "$(tierwise completion zsh)"
    fish:  tierwise completion fish > ~/.config/fish/completions/tierwise.fish
    """
    kind = get_completion_class(shell)
    if kind is None:
        raise click.UsageError(f"no completion for `{shell}`")
    script = kind(commands.group, {}, "tierwise", "_TIERWISE_COMPLETE")
    click.echo(script.source())
