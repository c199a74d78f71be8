"""What an HTTP answer must be like: status, headers, body, JSON."""

import re
from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from probe.check import Duration, Part
from probe.exchange.answer import Answer, excerpt
from probe.exchange.patterns import Regex
from probe.kinds.http.json_rules import differences

_STATUS = re.compile(r"(?P<one>\d{3})|(?P<low>\d{3})\s*-\s*(?P<high>\d{3})|(?P<hundred>[1-5])xx", re.IGNORECASE)


def _statuses(value: object) -> tuple[str, ...]:
    given = value if isinstance(value, list | tuple) else [value]
    if not given:
        raise PydanticCustomError("status", "no status at all would do; write 200, 2xx or [200, 204]")
    for each in given:
        if isinstance(each, bool) or not isinstance(each, str | int) or not _STATUS.fullmatch(str(each).strip()):
            raise PydanticCustomError("status", f"{each!r} is no status; write 200, 200-299, 2xx, or a list of these")
    return tuple([str(each).strip().lower() for each in given])


def _range(status: str) -> range:
    found = _STATUS.fullmatch(status)
    if found is None:
        raise AssertionError("the validator has seen it")
    if found["hundred"]:
        first = int(found["hundred"]) * 100
        return range(first, first + 100)
    low, high = found["one"] or found["low"], found["one"] or found["high"]
    return range(int(low), int(high) + 1)


def _listed(value: object) -> object:
    return [value] if isinstance(value, str | re.Pattern) else value


Texts = Annotated[tuple[str, ...], BeforeValidator(_listed, json_schema_input_type=str | tuple[str, ...])]
"""One text, or a list of them."""

Regexes = Annotated[tuple[Regex, ...], BeforeValidator(_listed, json_schema_input_type=Regex | tuple[Regex, ...])]
"""One regular expression, or a list of them."""


class Body(Part):
    """What the text of a body must be like; each of them a text or a list of texts that must all hold."""

    contains: Texts = ()
    """Texts that the body must contain."""
    lacks: Texts = ()
    """Texts that the body must not contain."""
    matches: Regexes = ()
    """Regular expressions that must be found in the body (`.` matches no line break, `^` only the beginning)."""

    def problem(self, text: str) -> str | None:
        """What is wrong with a body, or None."""
        for wanted in self.contains:
            if wanted not in text:
                return f"to contain {wanted!r}"
        for unwanted in self.lacks:
            if unwanted in text:
                return f"to lack {unwanted!r}"
        for pattern in self.matches:
            if not pattern.search(text):
                return f"to match {pattern.pattern}"
        return None


class Expect(Part):
    """What an answer must be like."""

    status: Annotated[
        tuple[str, ...],
        BeforeValidator(_statuses),
        WithJsonSchema(
            {
                "anyOf": [
                    {"type": ["integer", "string"]},
                    {"type": "array", "items": {"type": ["integer", "string"]}, "minItems": 1},
                ],
                "examples": [200, "2xx", "200-299", [200, 204]],
            }
        ),
    ] = ("2xx",)
    """The status: a code, a range (`200-299`), a class (`2xx`), or a list of these. Default: `2xx`."""
    headers: Mapping[str, Regex] = Field(default_factory=dict)
    """Headers by name that must be there and match; of one that came several times, any may."""
    body: Body = Body()
    """What the text of the body must contain, lack or match."""
    json_: Mapping[str, Any] = Field(default_factory=dict, alias="json")
    """What the body, read as JSON, must hold. What is not named is not looked at.

    A key is a name or a path of names and list positions (`checks.db.status`, `items.0.id`; `items.length` is the
    length of a list). Its value is what must be there: a map is looked into in the same way, a text that begins with
    an operator is a rule (`"> 0"`, `"<= 100"`, `"!= null"`, `"~ ^2\\."` for a regular expression, `"!~ beta"`),
    anything else must be equal.
    """
    max_duration: Duration | None = Field(default=None, gt=0)
    """The longest that the whole run may take: short for `fail: {probe_duration_seconds: "> …"}`."""
    http_version: (
        Annotated[
            str,
            Field(pattern=r"^1\.[01]$", coerce_numbers_to_str=True),
            WithJsonSchema({"anyOf": [{"type": "string", "pattern": r"^1\.[01]$"}, {"enum": [1.0, 1.1]}]}),
        ]
        | None
    ) = None
    """The HTTP version that the server must answer in: `1.0` or `1.1`."""

    def allows(self, status: int) -> bool:
        """Whether this status is one of those expected."""
        return any(status in allowed for allowed in self._allowed)

    @cached_property
    def _allowed(self) -> tuple[range, ...]:
        return tuple([_range(each) for each in self.status])

    def text_problem(self, answer: Answer) -> str | None:
        """What of the headers and the body's text is not as expected, or None."""
        for name, pattern in self.headers.items():
            values = answer.headers.getall(name, ())
            if not any(pattern.search(value) for value in values):
                came = f"got {excerpt(', '.join(values))}" if values else "it is missing"
                return f"expected header {name} to match {pattern.pattern}, {came}"
        wrong = self.body.problem(answer.text) if self.body.model_fields_set else None
        return f"expected the body {wrong}, got {answer.shown or 'an empty one'}" if wrong else None

    def json_problem(self, answer: Answer) -> str | None:
        """What of the body, read as JSON, is not as expected, or None. Raises Garbled when it is no JSON."""
        if not self.json_:
            return None
        wrong = next(differences(self.json_, answer.json()), None)
        return f"expected json {excerpt(wrong)}: {answer.shown}" if wrong else None
