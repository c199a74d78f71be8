"""`probe check`: every check once, for people and for CI."""

import asyncio
import os
import sys
from collections.abc import Iterable, Mapping, Sequence

import click
import uvloop

from probe import log
from probe.api import run_checks
from probe.check import Check, suggestion
from probe.cli import board
from probe.cli.options import ConfigOptions, config_options
from probe.state.document import VERSION, described


@click.command(name="check")
@click.argument("names", nargs=-1, metavar="[NAME]…")
@config_options
@click.option("--kind", multiple=True, help="Only checks of this kind; may be given several times.")
@click.option("--label", multiple=True, metavar="K=V", help="Only checks with this label; all that are given.")
@click.option("--surveys/--no-surveys", default=True, help="Run the slow surveys too (the default).")
@click.option("--strict", is_flag=True, help="Let a degraded check fail.")
@click.option("--explain", is_flag=True, help="Show the steps of each run.")
@click.option("--output", "-o", type=click.Choice(board.OUTPUTS), help="Default: a table on a terminal, else plain.")
def command(
    options: ConfigOptions,
    names: Sequence[str],
    kind: Sequence[str],
    label: Sequence[str],
    surveys: bool,
    strict: bool,
    explain: bool,
    output: str | None,
) -> None:
    """Run every check once, all at the same time, or those that are NAMEd.

    One run decides: thresholds and start periods do not apply. Exit code 0 when all is well, 1 when a check is
    unhealthy or unknown (an absent optional one and a passive one do not count), 2 when the config is bad.
    """
    masking = log.set_up("warning")
    config = options.read_or_exit()
    chosen = _chosen(config.checks, names, kind, label)
    log.mask(masking, (check.redact for check in chosen.values()))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as loop:
        result = loop.run(run_checks(chosen, surveys=surveys))
        documents = [described(result, name, reveals=True) for name in chosen]
        board.show(documents, output, explain=explain, head={"version": VERSION, "health": str(result.health)})
        code = board.exit_code(documents, strict=strict)
        if any(state.is_stuck or state.has_stuck_survey for state in result):
            sys.stdout.flush()
            os._exit(code)  # what ignores its cancellation would keep the loop from closing
    sys.exit(code)


def _chosen(
    checks: Mapping[str, Check], names: Sequence[str], kinds: Sequence[str], labels: Sequence[str]
) -> Mapping[str, Check]:
    _must_exist(names, checks, "no check", "NAME")
    _must_exist(kinds, [check.kind for check in checks.values()], "no check is of kind", "--kind")
    _must_exist(labels, [label for check in checks.values() for label in _labels(check)], "no check has", "--label")
    chosen = {
        name: check
        for name, check in checks.items()
        if (not names or name in names) and (not kinds or check.kind in kinds) and _labels(check).issuperset(labels)
    }
    if not chosen:
        raise click.UsageError("no check is left to run: none is all that NAME, --kind and --label ask for")
    return chosen


def _must_exist(asked: Sequence[str], there: Iterable[str], told: str, option: str) -> None:
    known = sorted({*there})
    for one in asked:
        if one not in known:
            raise click.BadParameter(f'{told} "{one}"{suggestion(one, known)}', param_hint=option)


def _labels(check: Check) -> set[str]:
    """As `--label` takes them: `team=core`."""
    return {f"{name}={value}" for name, value in check.labels.items()}
