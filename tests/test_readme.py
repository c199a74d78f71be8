"""README.md as it stands: its configs load, its commands exist, its links lead somewhere."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from probe.cli import probe
from probe.config import load

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
SETTINGS = {"defaults", "checks", "web", "state_dir", "env_file"}
OTHERS = {"scrape_configs", "groups", "services", "on", "jobs"}
"""First keys of files that are not probe's: Prometheus', Compose's, a CI's."""


def blocks(*languages: str) -> list[str]:
    found = re.findall(r"^```(\w+)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    return [text for language, text in found if language in languages]


def whole(fragment: str) -> str | None:
    """A config that a YAML block is, or is a part of; None for another program's file."""
    read = yaml.safe_load(fragment)
    assert isinstance(read, dict), fragment
    if read.keys() & OTHERS:
        return None
    if "checks" in read:
        return fragment
    if read.keys() <= SETTINGS:
        return f"{fragment}\nchecks:\n  any: {{kind: tcp, address: 'any:1'}}\n"
    if "kind" in read:
        return "checks:\n  any:\n" + _indented(fragment, 4)
    return "checks:\n" + _indented(fragment, 2)


def _indented(text: str, by: int) -> str:
    return "".join(f"{' ' * by}{line}\n" for line in text.splitlines())


def _with_needs(config: str) -> str:
    """With a check for each need that a fragment names and does not have."""
    checks: dict[str, Any] = yaml.safe_load(config)["checks"]
    wanted = {need for check in checks.values() for need in check.get("needs", ())} - checks.keys()
    return config + "".join(f"  {name}: {{kind: tcp, address: 'any:1'}}\n" for name in sorted(wanted))


@pytest.mark.parametrize("block", blocks("yaml", "yml"))
def test_its_configs_are_good(tmp_path: Path, block: str) -> None:
    config = whole(block)
    if config is None:
        return
    (tmp_path / "secret").write_text("s3cret")
    path = tmp_path / "config.yaml"
    path.write_text(re.sub(r"\$\{file:[^}]+\}", "${file:secret}", _with_needs(config)))
    variables = dict.fromkeys(re.findall(r"\$\{(\w+)", config), "x")
    assert load([path], allow=frozenset(), environ=variables).checks


def commands() -> Iterator[list[str]]:
    """The arguments of every `probe …` that it shows, in blocks for a shell and in the text."""
    for block in blocks("sh", "bash", "shell", "console"):
        for line in block.replace("\\\n", " ").splitlines():
            for part in re.split(r"&&|\||;", line.removeprefix("$ ")):
                words = shlex.split(part, comments=True)
                if words[:1] == ["probe"]:
                    yield words[1:]
    for spoken in re.findall(r"`probe ([^`\n]+)`", README):
        yield shlex.split(spoken)


@pytest.mark.parametrize("arguments", list(commands()), ids=" ".join)
def test_its_commands_exist_with_these_options(arguments: list[str]) -> None:
    whole = click.Context(probe, info_name="probe")
    name, command, rest = probe.resolve_command(whole, list(arguments))
    assert command is not None
    command.make_context(name, rest, parent=whole).close()  # UsageError for what it does not take


def test_it_shows_the_commands_that_people_need() -> None:
    shown = {arguments[0] for arguments in commands()}
    assert {"run", "check", "status", "validate", "kinds", "schema"} <= shown


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\]\(([^)#]+)[^)]*\)", README))))
def test_its_links_lead_to_files(target: str) -> None:
    assert target.startswith("https://") or (ROOT / target).exists()


def test_its_make_targets_exist() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = {
        words[0]
        for block in blocks("sh", "console")
        for words in re.findall(r"^(?:\$ )?make (\w+)()", block, re.MULTILINE)
    }
    assert targets
    assert [target for target in sorted(targets) if not re.search(rf"^{target}:", makefile, re.MULTILINE)] == []
