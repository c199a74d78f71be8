"""The demo with the example config, but in a hurry: `python -m tests.demo.quick FOLDER BREAK_AFTER MEND_AFTER …`.

Checks run each second, one failed run is enough, and a slow machine is no failure. With BREAK_AFTER 0 there is no
stack at all, and one check that fails: for what the demo does whatever its stack is.
"""

import sys
from pathlib import Path
from types import SimpleNamespace

from probe.cli import main
from probe.demo import run

FOLDER, BREAK_AFTER, MEND_AFTER, *ARGUMENTS = sys.argv[1:]
EXAMPLE = Path(FOLDER) / "example.yaml"
HURRY = {
    "${INTERVAL:-15s}": "1s",
    "timeout: 5s": "timeout: 1s\n  failure_threshold: 1",
    "max_duration: 500ms": "max_duration: 1s",
}
NOTHING = "checks:\n  nobody: {kind: tcp, address: '127.0.0.1:1'}\n"


class NoStack:
    """No server at all."""

    def __init__(self, folder: Path) -> None:
        self.parts: dict[str, object] = {}
        self.variables: dict[str, str] = {}
        self.bucket = SimpleNamespace(flavour="moto")

    async def start(self) -> None:
        """There is nothing to start."""

    async def stop(self) -> None:
        """There is nothing to stop."""


text = run.example().read_text()
for written, meant in HURRY.items():
    assert written in text, written
    text = text.replace(written, meant)
if float(BREAK_AFTER) == 0:
    text = NOTHING
    vars(run)["Stack"] = NoStack
EXAMPLE.write_text(text)
run.example = lambda: EXAMPLE
run.BREAK_AFTER, run.MEND_AFTER = float(BREAK_AFTER), float(MEND_AFTER)
main(["demo", *ARGUMENTS])
