"""`probe validate`: is the config good?"""

import click

from probe.cli.options import ConfigOptions, config_options


@click.command(name="validate")
@config_options
def command(options: ConfigOptions) -> None:
    """Read the config and say everything that is wrong with it; nothing is run or asked.

    Exit code 0 when it is good, 2 when it is not.
    """
    config = options.read_or_exit()
    kinds = sorted({check.kind for check in config.checks.values()})
    checks = f"{len(config.checks)} check{'s' if len(config.checks) != 1 else ''}"
    click.echo(f"the config is good: {checks} ({', '.join(kinds)})")
