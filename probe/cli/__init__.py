"""The commands. One module a command, imported when it is called: `probe check` never pays for `probe run`."""

import importlib
import signal
import sys
from collections.abc import Sequence
from importlib.metadata import version

import click

COMMANDS = {
    "run": "The agent: runs the checks, serves /metrics and a status page.",
    "check": "The same checks, once: a table, an exit code.",
    "status": "The board of a running agent.",
    "validate": "Read the config and say everything that is wrong with it.",
    "schema": "The JSON Schema of the config, for editors.",
    "kinds": "What can be checked, and what each kind needs.",
    "demo": "A real stack and the agent on it.",
}
"""Each command and what it does; its module defines `command`."""


class Commands(click.Group):
    """Imports a command when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order in which people meet them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of this name, if there is one."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"probe.cli.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands, without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(version("stackprobe"), prog_name="probe")
def probe() -> None:
    """Watch a whole stack: health, connections, sizes, LLM traces; for Prometheus, for people and for CI."""


def main(arguments: Sequence[str] | None = None) -> None:
    """The console script."""
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # `probe check | head` ends quietly
    sys.exit(probe.main(args=arguments, prog_name="probe"))
