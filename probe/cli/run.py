"""`probe run`: the agent."""

import click
import uvloop

from probe import log
from probe.agent import RunOptions, StartError, run_agent
from probe.cli.options import ConfigOptions, config_options, fail, listen_option
from probe.config import Web


@click.command(name="run")
@config_options
@listen_option(None, "Where to serve; instead of the config's web.listen.")
@click.option("--log-level", type=click.Choice(log.LEVELS), default="info", show_default=True)
def command(options: ConfigOptions, listen: str | None, log_level: str) -> None:
    """Run the checks, serve /metrics and a status page, until SIGTERM or Ctrl-C.

    The config is read again on SIGHUP and when one of its files changes; a bad one changes nothing. Exit code 0,
    or 2 when it can't start.
    """
    masking = log.set_up(log_level)
    config = options.read_or_exit()

    def web(configured: Web) -> Web:
        return configured if listen is None else configured.model_copy(update={"listen": listen})

    running = RunOptions(options.read, web, lambda url: click.echo(f"status page {url}/  metrics {url}/metrics"))
    try:
        uvloop.run(run_agent(config, running, masking))
    except StartError as error:
        fail(str(error))
