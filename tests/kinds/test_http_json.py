"""The rules of `expect.json`, one by one."""

from typing import Any

import pytest

from probe.kinds.http.json_rules import differences
from tests.exchange.web import HEALTHY


@pytest.mark.parametrize(
    "expected",
    [
        {},
        {"status": "healthy", "ready": True},
        {"checks": {"db": {"status": "ok"}}},
        {"checks.db.status": "ok", "checks.db": {"latency": 3.5}},
        {"queue.depth": 7},
        {"queue.depth": 7.0},
        {"queue.depth": "< 100"},
        {"queue.depth": ">= 7"},
        {"queue.depth": "== 7"},
        {"queue.depth": "!= 8"},
        {"status": "== healthy"},
        {"status": '== "healthy"'},
        {"status": "!= null"},
        {"version": r"~ ^2\.\d+"},
        {"version": "!~ beta"},
        {"queue": "~ depth"},
        {"items.length": 2, "items.1.name": "b"},
        {"items": [{"name": "a"}, {"name": "b"}]},
        {"items": {"0.name": "a"}},
    ],
    ids=str,
)
def test_what_holds(expected: dict[str, Any]) -> None:
    assert list(differences(expected, HEALTHY)) == []


@pytest.mark.parametrize(
    ("expected", "says"),
    [
        ({"status": "ok"}, 'status ok, got "healthy"'),
        ({"checks.db.status": "down"}, 'checks.db.status down, got "ok"'),
        ({"checks": {"db": {"status": "down"}}}, 'checks.db.status down, got "ok"'),
        ({"checks.cache.status": "ok"}, "checks.cache.status ok, which is not there"),
        ({"queue.depth": "> 7"}, "queue.depth > 7, got 7"),
        ({"status": "> 7"}, 'status > 7, got "healthy"'),
        ({"ready": "> 0"}, "ready > 0, got true"),
        ({"ready": 1}, "ready 1, got true"),
        ({"queue.depth": "7"}, "queue.depth 7, got 7"),
        ({"nothing": "!= null"}, "nothing != null, which is not there"),
        ({"version": "~ ^3"}, 'version ~ ^3, got "2.4.1"'),
        ({"items.2.name": "c"}, "items.2.name c, which is not there"),
        ({"items.length": "> 2"}, "items.length > 2, got 2"),
        ({"status": {"db": "ok"}}, 'status {"db": "ok"}, got "healthy"'),
        ({"items": [{"name": "a"}]}, 'items [{"name": "a"}], got [{"name": "a"}, {"name": "b"}]'),
    ],
    ids=str,
)
def test_what_does_not(expected: dict[str, Any], says: str) -> None:
    assert list(differences(expected, HEALTHY)) == [says]


def test_a_key_with_dots_is_found_first() -> None:
    assert list(differences({"a.b": 1}, {"a.b": 1, "a": {"b": 2}})) == []


def test_a_list_may_be_the_whole() -> None:
    assert list(differences({"length": 1, "0": "x"}, ["x"])) == []
    assert list(differences({"status": "ok"}, "ok")) == ["status ok, which is not there"]
