"""Who runs on this machine, from /proc."""

import os
from pathlib import Path


def descendants(pid: int) -> set[int]:
    """The processes that this one started, and those that they started."""
    children: dict[int, set[int]] = {}
    for child in _pids():
        try:
            parent = int(Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()[1])
        except (FileNotFoundError, ProcessLookupError):
            continue
        children.setdefault(parent, set()).add(child)
    found: set[int] = set()
    ahead = [pid]
    while ahead:
        fresh = children.get(ahead.pop(), set()) - found
        found |= fresh
        ahead += fresh
    return found


def living(pids: set[int]) -> dict[int, str]:
    """Those that still run, with their command lines; one that is dead and not yet buried does not."""
    commands = {}
    for pid in pids:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if state != "Z":
            commands[pid] = command.replace(b"\0", b" ").decode(errors="replace")
    return commands


def that_name(text: Path) -> dict[int, str]:
    """Those that have it in their command line."""
    return {pid: command for pid, command in living({*_pids()}).items() if str(text) in command}


def _pids() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]
