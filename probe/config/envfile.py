"""Env files as Docker Compose reads them, so that one `.env` serves both.

python-dotenv reads another dialect: it expands `${VAR}` in single quotes too, `$VAR` nowhere, knows no `\\$`, and
reports a line that it can't read to its log only.

    NAME=value        trimmed; ends at a # after a space; variables are expanded
    NAME="value"      may span lines; \\n \\r \\t \\" \\\\ \\$ are escapes; variables are expanded
    NAME='value'      may span lines; taken as it is, but for \\'
    export NAME=…     the same;  NAME: … too
    NAME              says nothing here
"""

import re
from collections.abc import Mapping

from probe.config.places import Complaint, Place
from probe.config.variables import Expander, VariableError, Variables

_LINE = re.compile(
    r"""
    (?:export[ \t]+)? (?P<name>[A-Za-z_][A-Za-z0-9_.-]*) [ \t]*
    (?: (?P<assigns>[=:])
        (?: [ \t]*'(?P<single>(?:[^'\\]|\\.)*)'  (?:[ \t]+\#[^\n]*|[ \t]*) $
          | [ \t]*"(?P<double>(?:[^"\\]|\\.)*)"  (?:[ \t]+\#[^\n]*|[ \t]*) $
          | (?P<bare>(?:[ \t]*[^\s'"][^\n]*)?[ \t]*) $
        )
      | (?:\#[^\n]*)? $
    )
    """,
    re.VERBOSE | re.MULTILINE | re.DOTALL,
)
_SPACE = re.compile(r"(?:\s|#[^\n]*)*")
_COMMENT = re.compile(r"[ \t]#.*")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\", "$": "$$", "'": "'"}

Values = dict[str, str | VariableError]


def read_env(file: str, text: str, environ: Mapping[str, str], expander: Expander) -> tuple[Values, list[Complaint]]:
    """The variables of an env file, and what can't be read of it; neither shows a value.

    They may refer to the environment and to those above them. One that refers to an unset one becomes the error
    to raise when somebody asks for it: a file made for Compose may hold more than a config needs.
    """
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    values: Values = {}
    complaints = []
    number, counted = 1, 0
    position = _after(_SPACE, text, 0)
    while position < len(text):
        number += text.count("\n", counted, position)
        counted = position
        place = Place(file, number, 1)
        line = _LINE.match(text, position)
        if line is None:
            complaints.append(Complaint(place, "this line is no NAME=value, or its quotes do not match"))
            position = _after(_SPACE, text, (text.find("\n", position) + 1) or len(text))
            continue
        if line["assigns"]:
            values[line["name"]] = _value(line, place, Variables(environ, values), expander)
        position = _after(_SPACE, text, line.end())
    return values, complaints


def _value(line: re.Match[str], place: Place, lookup: Variables, expander: Expander) -> str | VariableError:
    if line["single"] is not None:
        return line["single"].replace("\\'", "'")
    if line["double"] is not None:
        template = _ESCAPE.sub(lambda escape: _ESCAPES.get(escape[1], escape[0]), line["double"])
    else:
        template = _COMMENT.sub("", line["bare"]).strip()
    try:
        return expander.expand(template, lookup, bare=True).text
    except VariableError as error:
        return VariableError(f"{error} (in {place}, for {line['name']})")


def _after(pattern: re.Pattern[str], text: str, position: int) -> int:
    found = pattern.match(text, position)
    return found.end() if found else position
