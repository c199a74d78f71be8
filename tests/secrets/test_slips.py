"""Slips of the pen in a config and in its env file: what is said of them repeats no secret."""

from pathlib import Path
from random import Random
from urllib.parse import quote

import yaml

from probe.config import ConfigError, load
from tests.secrets.configs import VARIABLE, candidates, complaint_about, places
from tests.secrets.leaks import Detector, nasty

MARKS = {name: nasty(f"slip-{name}") for name in ("dsn", "password", "bearer", "header", "file", "web", "env", "key")}
CONFIG = {
    "web": {"listen": "127.0.0.1:0", "bearer_token": MARKS["web"]},
    "checks": {
        "a": {
            "kind": "http",
            "url": f"http://visitor:{quote(MARKS['dsn'], safe='')}@h/",
            "bearer": MARKS["bearer"],
            "headers": {"X-Key": MARKS["header"]},
        },
        "b": {"kind": "redis", "host": "h", "username": "visitor", "password": MARKS["password"]},
        "c": {"kind": "postgres", "host": "h", "user": "visitor", "password": "${PASSWORD}"},
        "d": {"kind": "tcp", "address": "h:1", "dialogue": [{"send": "${file:secret}"}]},
        "e": {"kind": "s3", "endpoint": "http://h:1", "access_key": "ak", "secret_key": MARKS["key"], "buckets": ["b"]},
    },
}
STYLES = (None, '"', "'", "|")
SLIPS = (
    "'",
    '"',
    ":",
    "\n",
    "\t",
    " ",
    "{",
    "[",
    "*",
    "&",
    "!",
    "#",
    "- ",
    "%",
    "${",
    "}",
    "|",
    "\\x",
    ", ",
    "? ",
    "<<: ",
)


def slipped(text: str, rng: Random) -> str:
    """With something left out, something inserted, or cut off."""
    at = rng.randrange(len(text))
    ways = (text[:at] + text[at + rng.randrange(1, 4) :], text[:at] + rng.choice(SLIPS) + text[at:], text[:at])
    return rng.choice(ways)


def test_slips_of_the_pen(tmp_path: Path) -> None:
    rng, detector = Random(5), Detector({name: [mark] for name, mark in MARKS.items()})
    styles = [yaml.safe_dump(CONFIG, allow_unicode=True, default_style=style, sort_keys=False) for style in STYLES]
    env = "PASSWORD='{}'\n".format(MARKS["env"].replace("'", "\\'"))
    (tmp_path / "secret").write_text(MARKS["file"])
    path, refused, leaks = tmp_path / "config.yaml", 0, []
    for number in range(250):
        path.write_text(slipped(rng.choice(styles), rng))
        (tmp_path / ".env").write_text(slipped(env, rng) if number % 4 == 0 else env)
        try:
            load([path], allow=frozenset(), environ={})
        except ConfigError as error:
            refused += 1
            leaks += detector.leaks(str(error))
    assert leaks == []
    assert refused > 120


def test_variables_in_every_place(tmp_path: Path) -> None:
    """Also where no secret belongs: a variable may be one."""
    leaks, told = [], ""
    for place in places("variable"):
        for fields in candidates(place, 1):
            said = complaint_about(tmp_path, {place.kind: fields}, {VARIABLE: place.mark})
            leaks += Detector({place.name: [place.mark]}).leaks(said)
            told += said
    assert leaks == []
    assert f"${{{VARIABLE}}}" in told
