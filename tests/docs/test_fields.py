"""Fields as people write them, whatever shape they have."""

from typing import Any

from probe.docs import fields
from tests.docs.conftest import TINY, documents

SCHEMA, REFERENCE = documents(TINY)
ROWS = {row["name"]: row for row in fields.rows(SCHEMA["$defs"]["web"], SCHEMA["$defs"])}


def shown(name: str) -> tuple[str, str]:
    return ROWS[name]["type"], ROWS[name]["default"]


def test_types_and_defaults_are_as_in_a_config() -> None:
    assert ROWS["url"] == {
        "name": "url",
        "type": "text",
        "required": True,
        "default": "",
        "description": "Address of the page.",
    }
    assert shown("interval") == ("duration", "15s")
    assert shown("retry_interval") == ("duration", "")
    assert shown("usage_interval") == ("duration", "5m")
    assert shown("max_body") == ("size", "10MiB")
    assert shown("share") == ("ratio", "0.5")
    assert shown("failure_threshold") == ("whole number from 1", "3")
    assert shown("optional") == ("true or false", "false")
    assert shown("method") == ("`GET` or `POST`", "GET")
    assert shown("token") == ("secret", "")
    assert shown("headers") == ("map of secrets", "")
    assert shown("tags") == ("list of texts", "")


def test_a_model_s_fields_stand_below_the_field_that_holds_it() -> None:
    assert [name for name in ROWS if name.startswith("login")] == [
        "login",
        "login.username",
        "login.password",
        "logins",
        "logins[].username",
        "logins[].password",
    ]
    assert shown("login") == ("map", "")
    assert shown("logins") == ("list of maps", "")
    assert shown("by_name") == ("map of maps", "")
    assert shown("by_name.<name>.password") == ("secret", "")
    assert ROWS["login.password"]["required"]
    assert shown("expect.status") == ("whole number, `2xx`, `3xx` or list of whole numbers", "200")
    assert shown("expect.json") == ("anything", "")


def rows_of(field: dict[str, Any], **definitions: dict[str, Any]) -> list[tuple[str, str]]:
    described = {"properties": {"kind": {"const": "x"}, "a": field}}
    return [(row["name"], row["type"]) for row in fields.rows(described, definitions)]


def test_a_model_that_holds_itself_ends() -> None:
    inner = {"properties": {"of": {"items": {"$ref": "#/$defs/rule"}, "type": "array"}}}
    assert rows_of({"$ref": "#/$defs/rule"}, rule=inner) == [("a", "map"), ("a.of", "list of maps")]


def test_a_switch_or_a_map_reads_well() -> None:
    switch = {"anyOf": [{"$ref": "#/$defs/tls"}, {"type": "boolean"}, {"$ref": "#/$defs/variable"}]}
    assert rows_of(switch, tls={"properties": {}}) == [("a", "map, true or false")]


def test_what_may_be_listed_is_not_told_by_the_names_of_types() -> None:
    types = {"additionalProperties": {"enum": ["list", "set"], "type": "string"}, "type": "object"}
    assert rows_of(types) == [("a", "map of `list` or `set`")]


def test_common_fields_are_told_once() -> None:
    common = [row["name"] for row in REFERENCE["fields"]]
    assert common[:3] == ["interval", "timeout", "retry_interval"]
    own = [row["name"] for row in REFERENCE["kinds"]["web"]["fields"]]
    assert own[0] == "url"
    assert not set(own) & set(common)
