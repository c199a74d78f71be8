"""What makes a class a kind, and its fields a check."""

import pytest
from pydantic import ValidationError

from probe.check import Check, LimitError, Survey
from tests.check.kinds import Engine, TurboEngine

URL = "https://app:s3cret@engine.example/?key=t0ken"


SECRETS = "s3cret t0ken 0ther pr0xy p4ssword fr0mfile"


def test_metrics_are_named_after_their_kind_and_attribute() -> None:
    assert {key: metric.name for key, metric in Engine.declared.items()} == {
        "probe_duration_seconds": "probe_duration_seconds",
        "heat_ratio": "probe_engine_heat_ratio",
        "oil_bytes": "probe_engine_oil_bytes",
        "ready": "probe_engine_ready",
        "turns_total": "probe_engine_turns_total",
        "serviced_timestamp_seconds": "probe_engine_serviced_timestamp_seconds",
        "probe_ssl_earliest_cert_expiry": "probe_ssl_earliest_cert_expiry",
        "wear_seconds": "probe_engine_wear_seconds",
    }
    assert Engine.metrics.ready is Engine.declared["ready"]


def test_a_kind_is_named_after_its_module() -> None:
    class Anything(Check):
        """Named after this file."""

    assert Anything.kind == "test_contract"
    assert (Engine.kind, TurboEngine.kind) == ("engine", "turbo")


def test_surveys_are_paced_by_their_fields_and_have_their_own_metrics() -> None:
    assert Engine.surveys == {"usage": Survey("usage", "usage_interval", "usage_timeout")}
    check = Engine(interval="10s", timeout="2s", usage_interval="1h", usage_timeout="5m")
    assert (check.interval_of(""), check.timeout_of("")) == (10, 2)
    assert (check.interval_of("usage"), check.timeout_of("usage")) == (3600, 300)
    assert check.metrics_of("usage").keys() == {"wear_seconds"}
    assert not {"wear_seconds", "probe_duration_seconds"} & check.metrics_of("").keys()


def test_a_check_is_frozen_and_takes_no_unknown_field() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Engine(url=URL).url = "x"  # type: ignore[misc]  # which is the point
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        Engine.model_validate({"ulr": URL})


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("interval", "15", "'15' lacks a unit; write 15s, 5m or 1h30m"),
        ("interval", 15, "15 lacks a unit; write 15s, 5m or 1h30m"),
        ("interval", True, "True is no quantity; write 15s, 5m or 1h30m"),
        ("interval", ["{15s}"], "['{15s}'] is no quantity; write 15s, 5m or 1h30m"),
        ("interval", "{15s}", "'{15s}' is not a duration; write 15s, 5m or 1h30m"),
        ("interval", "0s", "Input should be greater than or equal to 1"),
        ("timeout", "0s", "Input should be greater than 0"),
        ("failure_threshold", 0, "Input should be greater than or equal to 1"),
    ],
)
def test_a_wrong_value_says_how_to_write_it(field: str, value: object, told: str) -> None:
    with pytest.raises(ValidationError) as raised:
        Engine.model_validate({field: value})
    (error,) = raised.value.errors()
    assert (error["loc"], error["msg"]) == ((field,), told)


def limits(check: Engine) -> set[tuple[str, str, float, bool]]:
    return {
        (limit.level, f"{limit.metric.rpartition('_engine_')[2]}{limit.op}", limit.bound, limit.by_user)
        for limit in check.limits
    }


def test_default_limits_stand_until_a_user_changes_them() -> None:
    assert limits(Engine()) == {("warn", "heat_ratio>", 0.8, False), ("fail", "heat_ratio>", 0.95, False)}
    changed = Engine(warn={"heat_ratio": "> 0.7"}, fail={"heat_ratio": "off", "oil_bytes": "< 1GiB"})
    assert limits(changed) == {("warn", "heat_ratio>", 0.7, True), ("fail", "oil_bytes<", 1024**3, True)}


def test_a_limit_with_a_selector_stands_beside_the_one_without() -> None:
    narrowed = Engine(fail={"heat_ratio{part=head}": "> 1"})
    assert [(limit.level, limit.selected, limit.bound) for limit in narrowed.limits] == [
        ("warn", "", 0.8),
        ("fail", "", 0.95),
        ("fail", "part=head", 1.0),
    ]


def test_a_field_may_stand_for_a_limit_and_a_written_one_wins() -> None:
    assert ("fail", "heat_ratio>", 0.99, True) in limits(Engine(max_heat=0.99))
    both = Engine(max_heat=0.99, fail={"heat_ratio{part=head}": "> 0.5"})
    assert [limit.bound for limit in both.limits if limit.selected] == [0.5]


def test_a_limit_that_can_not_stand_is_a_problem_at_its_place() -> None:
    check = Engine(url=URL, warn={"heat_rate": "> 1", "oil": "off"}, fail={"turns_total": "> 1"})
    (heat, oil, turns) = check.problems()
    assert heat == (("warn", "heat_rate"), 'no metric "heat_rate"; did you mean "heat_ratio"?')
    assert oil[0] == ("warn", "oil")
    assert turns[0] == ("fail", "turns_total")
    assert turns[1].startswith("turns_total is a counter")
    with pytest.raises(LimitError):
        _ = check.limits


def test_a_limit_that_is_written_twice_is_a_problem() -> None:
    twice = {"heat_ratio": "> 0.8", "probe_engine_heat_ratio": "off", "ready": "< 1"}
    assert list(Engine(url=URL, warn=twice, fail={"heat_ratio": "> 0.9"}).problems()) == [
        (
            ("warn", "probe_engine_heat_ratio"),
            "probe_engine_heat_ratio is the same limit as heat_ratio; remove one of them",
        )
    ]


def test_fields_that_can_not_hold_together_are_problems() -> None:
    check = Engine(interval="5s", timeout="10s", usage_interval="1m", usage_timeout="2m")
    assert list(check.problems()) == [
        (("timeout",), "timeout (10s) is longer than the interval (5s); make it shorter"),
        (("usage_timeout",), "usage_timeout is longer than usage_interval; make it shorter"),
        (("url",), "url is missing; write one"),
    ]
    assert list(Engine(url=URL).problems()) == []


@pytest.mark.parametrize(
    ("label", "told"),
    [
        ("check", 'label "check" is reserved; choose another name'),
        ("__name", 'label "__name" is reserved; choose another name'),
        ("part", 'label "part" is reserved; choose another name'),
        ("a-b", '"a-b" is no label name; use letters, digits and _'),
        ("1st", '"1st" is no label name; use letters, digits and _'),
        ("größe", '"größe" is no label name; use letters, digits and _'),
    ],
)
def test_labels_that_are_not_the_users(label: str, told: str) -> None:
    assert list(Engine(url=URL, labels={label: "x", "team": "core"}).problems()) == [(("labels", label), told)]


def test_secrets_show_in_no_text() -> None:
    check = Engine(
        url=URL, mirrors={"one": "http://b:0ther@mirror"}, proxy="http://c:pr0xy@proxy", password="p4ssword"
    ).with_secrets(frozenset({"fr0mfile"}))
    for text in (repr(check), str(check), f"{check}", check.redact(SECRETS)):
        assert not [secret for secret in SECRETS.split() if secret in text]
    assert check.redact(SECRETS) == "*** *** *** *** *** ***"
    assert check.redact("engine.example") == "engine.example"


def test_a_kind_inherits_the_metrics_of_another_under_its_own_name() -> None:
    assert TurboEngine.declared["boost_ratio"].name == "probe_turbo_boost_ratio"
    assert TurboEngine.declared["probe_ssl_earliest_cert_expiry"].name == "probe_ssl_earliest_cert_expiry"
