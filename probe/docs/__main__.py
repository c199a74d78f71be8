"""`python -m probe.docs`: write the generated files of a checkout, or say which are stale."""

import sys
from pathlib import Path

import click

from probe.docs.files import generated, stale, write
from probe.registry import ExtraMissing, Registry

ROOT = Path(__file__).parents[2]
"""Of the checkout that this module stands in."""


@click.command()
@click.option("--check", is_flag=True, help="Write nothing; name the files that are stale and exit with 1.")
def command(check: bool) -> None:
    """Write docs/kinds, docs/metrics.md and probe/generated from the declarations of all kinds."""
    pyproject = ROOT / "pyproject.toml"
    if not pyproject.is_file():
        raise click.UsageError(f"{ROOT} is no checkout of probe: it has no pyproject.toml; run this from one")
    registry = Registry()
    try:
        kinds = [registry.find(name) for name in registry.names()]
    except ExtraMissing as missing:
        raise click.UsageError(str(missing)) from None
    files = generated(kinds, pyproject.read_text("utf-8"))
    if check:
        sys.exit(_report(stale(files, ROOT)))
    for path in write(files, ROOT):
        click.echo(path)


def _report(paths: list[str]) -> int:
    for path in paths:
        click.echo(f"{path} is stale; run: python -m probe.docs", err=True)
    return int(bool(paths))


if __name__ == "__main__":
    command(prog_name="python -m probe.docs")
