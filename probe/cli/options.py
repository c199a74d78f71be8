"""What several commands take: where the config is, what it may do, how much to log."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import click

from probe.config import Config, ConfigError, listen_address, load

ALLOWANCES = ("files", "command", "kinds")
"""What a config can do only when the operator allows it: read files elsewhere, run commands, load a user's kinds."""

USAGE = 2
"""Exit code of a bad config, a bad option, or an agent that can't start."""

CONFIG = Path("config.yaml")
"""The config when none is named."""

Command = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class ConfigOptions:
    """Where the config is and what it may do, as the operator said."""

    paths: Sequence[Path]
    env_files: Sequence[Path]
    allow: frozenset[str]

    @property
    def none_is_there(self) -> bool:
        """Whether none was named and there is no config.yaml."""
        return list(self.paths) == [CONFIG] and not CONFIG.exists()

    def read(self) -> Config:
        """Read it. Raises ConfigError."""
        return load(self.paths, allow=self.allow, environ=os.environ, env_files=self.env_files)

    def read_or_exit(self) -> Config:
        """Read it, or print all that is wrong and exit with 2."""
        if self.none_is_there:
            fail(f"there is no {CONFIG} in this folder; write one, or say where it is with --config")
        try:
            return self.read()
        except ConfigError as error:
            fail(str(error))


class Failed(click.ClickException):
    """The command can't do its work: what is wrong on standard error, and exit code 2."""

    exit_code = USAGE

    def show(self, file: Any = None) -> None:
        click.echo(self.message, err=file is None, file=file)


def fail(message: str) -> NoReturn:
    """Say what is wrong on standard error and exit with 2."""
    raise Failed(message)


def config_options(command: Command) -> Command:
    """Give a command `--config`, `--env-file` and `--allow`, as one argument `options`."""

    def with_options(config: Sequence[Path], env_file: Sequence[Path], allow: Sequence[str], **rest: Any) -> Any:
        return command(options=ConfigOptions(config, env_file, frozenset(allow)), **rest)

    with_options.__name__, with_options.__doc__ = command.__name__, command.__doc__
    with_options.__click_params__ = getattr(command, "__click_params__", [])  # type: ignore[attr-defined]  # click's own
    for option in reversed(_CONFIG_OPTIONS):
        with_options = option(with_options)
    return with_options


def listen_option(default: str | None, help_text: str) -> Callable[[Command], Command]:
    """Give a command `--listen`."""
    return click.option(
        "--listen", default=default, show_default=True, callback=_address, metavar="HOST:PORT", help=help_text
    )


def _address(_: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    try:
        listen_address(":0" if value is None else value)
    except ValueError as error:
        raise click.BadParameter(str(error), param=parameter) from None
    return value


def _allowances(_: click.Context, parameter: click.Parameter, value: str | None) -> Sequence[str]:
    names = [name.strip() for name in (value or "").split(",") if name.strip()]
    for name in names:
        if name not in ALLOWANCES:
            raise click.BadParameter(f'no allowance "{name}"; there are: {", ".join(ALLOWANCES)}', param=parameter)
    return names


_CONFIG_OPTIONS = (
    click.option(
        "--config",
        "-c",
        multiple=True,
        default=[str(CONFIG)],
        show_default=True,
        type=click.Path(path_type=Path),
        help="A config file, or a folder of *.yaml; may be given several times.",
    ),
    click.option(
        "--env-file",
        multiple=True,
        type=click.Path(path_type=Path),
        help="A file of variables for the config; the real environment wins.",
    ),
    click.option(
        "--allow",
        envvar="PROBE_ALLOW",
        callback=_allowances,
        metavar="WHAT,…",
        help=f"Let the config do what runs code or reads files: {', '.join(ALLOWANCES)}.",
    ),
)
