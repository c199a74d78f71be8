"""The commands. One module a command, imported when it is called: `probe check` never pays for `probe run`."""

import atexit
import gc
import importlib
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import click

from probe.redact import Redactor, secrets_of_url

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

INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells count it (128 + SIGINT)."""


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

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that is meant; one that does not exist is a usage error with a suggestion."""
        if args[0] not in COMMANDS and not args[0].startswith("-"):
            from probe.check import suggestion  # noqa: PLC0415  # pydantic, which `probe --help` does without

            ctx.fail(f'no command "{args[0]}"{suggestion(args[0], COMMANDS)}')
        return super().resolve_command(ctx, args)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Remember what must not be repeated of what was typed."""
        ctx.obj = Redactor(secret for word in args for secret in secrets_of_url(word)[0])
        with _masked_errors(ctx.obj):
            return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; Ctrl-C ends it without a word."""
        try:
            with _masked_errors(ctx.obj):
                return super().invoke(ctx)
        except KeyboardInterrupt:
            ctx.exit(INTERRUPTED)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands, without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@contextmanager
def _masked_errors(redact: Redactor) -> Iterator[None]:
    """A CI log keeps what was typed at a wrong place: a URL with a login in it."""
    try:
        yield
    except click.ClickException as error:
        error.message = redact(error.message)  # type: ignore[misc]  # nobody has read it yet
        raise


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="stackprobe", prog_name="probe")
def probe() -> None:
    """Watch a whole stack: health, connections, sizes, LLM traces; for Prometheus, for people and for CI."""


RARELY = 50_000
"""Objects between two looks for garbage: what is imported stays, so looking at it costs a tenth of `probe check`."""


def main(arguments: Sequence[str] | None = None) -> None:
    """The console script."""
    gc.set_threshold(RARELY)
    atexit.register(gc.freeze)  # nor look for garbage among all that is there, at the end
    sys.exit(probe.main(args=arguments, prog_name="probe"))
