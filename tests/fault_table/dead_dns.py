"""Checks whose DNS server answers nothing, in a network and with mounts of this process' own.

glibc asks the server that /etc/resolv.conf names, and nothing can point it elsewhere: so this process has its own
/etc/resolv.conf, which names a real UDP socket of its own, on port 53 of a loopback that nobody else sees.
"""

import asyncio
import fcntl
import json
import socket
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

from probe.model import Reason
from tests.fault_table import leftovers
from tests.fault_table.bed import DEADLINE, ENOUGH, Said, run_all
from tests.fault_table.table import rows_of
from tests.installed import NAMESPACE

NAME = "db.example"
SIOCSIFFLAGS, IFF_UP = 0x8914, 1


def started(folder: Path, module: str, *arguments: str) -> subprocess.Popen[str]:
    """A module run as a program in such a network, where it calls `silent` first; what it prints can be read."""
    config, order = folder / "resolv.conf", folder / "nsswitch.conf"
    config.write_text("nameserver 127.0.0.1\noptions timeout:1 attempts:2\n")
    order.write_text("hosts: files dns\n")
    mounted = 'mount --bind "$1" /etc/resolv.conf && mount --bind "$2" /etc/nsswitch.conf && shift 2 && exec "$@"'
    return subprocess.Popen(
        [*NAMESPACE, "sh", "-c", mounted, "sh", config, order, sys.executable, "-m", module, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=Path(__file__).parents[2],
    )


def silent() -> socket.socket:
    """The DNS server. The loopback that it is on is down before."""
    dead = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    fcntl.ioctl(dead, SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", IFF_UP))
    dead.bind(("127.0.0.1", 53))
    return dead


class DeadDns:
    """The child, which does its work while other rows do theirs."""

    def __init__(self, folder: Path, kinds: list[str]) -> None:
        self._child = started(folder, "tests.fault_table.dead_dns", *kinds)
        self._told: dict[str, Any] = {}

    def said(self, kind: str) -> Said:
        """What a check of this kind said of a name that nobody answers for."""
        if not self._told:
            printed, _ = self._child.communicate(timeout=30)
            assert self._child.returncode == 0, printed
            self._told = json.loads(printed.splitlines()[-1])
            assert self._told["asked"], "the server was not asked"
        reasons, messages, took = self._told["said"][kind]
        return Said({of: Reason(said) for of, said in reasons.items()}, messages, took, set(self._told["left"]))

    def end(self) -> None:
        self._child.kill()
        self._child.communicate()


async def _say(kinds: list[str]) -> dict[str, Any]:
    await asyncio.gather(*(run_all(rows_of(kind).pointed_at("127.0.0.1", 1, None), ENOUGH) for kind in kinds))
    # What a kind does once in a process is done now, and takes nothing of the deadline.
    looks = (leftovers.threads, leftovers.tasks, leftovers.sockets)
    before = [look() for look in looks]
    checks = [rows_of(kind).pointed_at(NAME, 4321, None) for kind in kinds]
    found = await asyncio.gather(*(run_all(check, DEADLINE) for check in checks))
    # Nothing can cancel getaddrinfo: its thread lasts until the resolver gives up, here after 2 s.
    left = [await leftovers.left_over(*each) for each in zip(before, looks, strict=True)]
    return {
        "said": {kind: said[:3] for kind, said in zip(kinds, found, strict=True)},
        "left": sorted(set().union(*left)),
    }


def _main(kinds: list[str]) -> None:
    with silent() as dead:
        told = asyncio.run(_say(kinds))
        dead.setblocking(False)
        asked = NAME.partition(".")[0].encode() in dead.recv(512)
    print(json.dumps({**told, "asked": asked}))  # noqa: T201  # what the parent reads


if __name__ == "__main__":
    _main(sys.argv[1:])
