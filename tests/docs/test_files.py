"""What is generated is committed as it is, and nothing else is touched."""

import json
import os
import subprocess
import sys
from pathlib import Path

from probe.docs.files import MARK, generated, stale, write
from tests.docs.conftest import KINDS, PYPROJECT, ROOT, TINY

TINY_FILES = generated(TINY, PYPROJECT)


def test_what_is_committed_is_fresh() -> None:
    files = generated(KINDS, (ROOT / "pyproject.toml").read_text("utf-8"))
    assert stale(files, ROOT) == [], "run: make docs"


def test_every_kind_has_a_page_and_every_file_says_that_it_is_generated() -> None:
    assert sorted(TINY_FILES) == [
        "docs/kinds/README.md",
        "docs/kinds/pack.md",
        "docs/kinds/sql.md",
        "docs/kinds/web.md",
        "docs/metrics.md",
        "probe/generated/kinds.json",
        "probe/generated/schema.json",
    ]
    assert [path for path, content in TINY_FILES.items() if MARK not in content.partition("\n")[0]] == []
    for path in ("probe/generated/kinds.json", "probe/generated/schema.json"):
        assert json.loads(TINY_FILES[path])["$comment"].startswith(MARK)


def test_what_was_written_is_fresh_until_somebody_edits_it(tmp_path: Path) -> None:
    assert write(TINY_FILES, tmp_path) == sorted(TINY_FILES)
    assert stale(TINY_FILES, tmp_path) == []
    page = tmp_path / "docs/kinds/web.md"
    page.write_text(page.read_text("utf-8") + "By hand.\n", "utf-8")
    (tmp_path / "docs/metrics.md").unlink()
    assert stale(TINY_FILES, tmp_path) == ["docs/kinds/web.md", "docs/metrics.md"]
    assert write(TINY_FILES, tmp_path) == ["docs/kinds/web.md", "docs/metrics.md"]
    assert stale(TINY_FILES, tmp_path) == []


def test_a_page_of_a_kind_that_is_gone_is_removed_and_what_people_wrote_is_not(tmp_path: Path) -> None:
    write(TINY_FILES, tmp_path)
    by_hand = tmp_path / "docs/kinds/notes.md"
    by_hand.write_text(f"# Notes\n\n{MARK} are the others.\n", "utf-8")
    left = generated([kind for kind in TINY if kind.kind != "sql"], PYPROJECT)
    assert "docs/kinds/sql.md" in stale(left, tmp_path)
    write(left, tmp_path)
    assert sorted(path.name for path in by_hand.parent.iterdir()) == ["README.md", "notes.md", "pack.md", "web.md"]


def test_the_command_finds_the_same_in_another_process() -> None:
    """Another process hashes texts otherwise: nothing may depend on the order of a set."""
    done = subprocess.run(
        [sys.executable, "-m", "probe.docs", "--check"],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
