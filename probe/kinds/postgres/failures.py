"""What asyncpg's exceptions stand for: decided by SQLSTATE, and by class where there is none."""

from collections.abc import Mapping
from typing import Any

import asyncpg.exceptions as pg
from asyncpg.pgproto import pgproto

from probe.check import Denied, Failure, Failures, Overdue, Unhealthy
from probe.model import Reason

BY_SQLSTATE: Mapping[str, Reason] = {
    "03": Reason.UNHEALTHY,  # statement not yet complete
    "08": Reason.PROTOCOL,  # connection exceptions; 08P01 is also what PgBouncer says when it minds a setting
    "09": Reason.UNHEALTHY,  # triggered action
    "0A": Reason.UNHEALTHY,  # feature not supported
    "0B": Reason.UNHEALTHY,  # transaction initiation
    "0F": Reason.UNHEALTHY,  # locator
    "0L": Reason.AUTH,  # grantor
    "0P": Reason.AUTH,  # role specification
    "0Z": Reason.UNHEALTHY,  # diagnostics
    "10": Reason.UNHEALTHY,  # XQuery
    "20": Reason.UNHEALTHY,  # case not found
    "21": Reason.UNHEALTHY,  # cardinality
    "22": Reason.UNHEALTHY,  # data
    "23": Reason.UNHEALTHY,  # integrity constraint
    "24": Reason.UNHEALTHY,  # cursor state
    "25": Reason.UNHEALTHY,  # transaction state; 25006: a query of the config wants to write
    "25P04": Reason.TIMEOUT,  # transaction_timeout
    "26": Reason.UNHEALTHY,  # statement name
    "27": Reason.UNHEALTHY,  # triggered data change
    "28": Reason.AUTH,  # password, pg_hba.conf, role that may not log in
    "2B": Reason.UNHEALTHY,  # dependent privileges
    "2D": Reason.UNHEALTHY,  # transaction termination
    "2F": Reason.UNHEALTHY,  # SQL routine
    "34": Reason.UNHEALTHY,  # cursor name
    "38": Reason.UNHEALTHY,  # external routine
    "39": Reason.UNHEALTHY,  # external routine invocation
    "3B": Reason.UNHEALTHY,  # savepoint
    "3D": Reason.UNHEALTHY,  # no such database
    "3F": Reason.UNHEALTHY,  # no such schema
    "40": Reason.UNHEALTHY,  # rolled back: deadlock, serialization, conflict with recovery
    "42": Reason.UNHEALTHY,  # syntax, or no such table, column, function
    "42501": Reason.AUTH,  # insufficient privilege
    "44": Reason.UNHEALTHY,  # WITH CHECK OPTION
    "53": Reason.UNHEALTHY,  # too many connections, disk full, out of memory
    "54": Reason.UNHEALTHY,  # program limit
    "55": Reason.UNHEALTHY,  # not in the state it should be in
    "57": Reason.UNHEALTHY,  # starting up, shutting down, crashed
    "57014": Reason.TIMEOUT,  # statement_timeout, which is the run's own deadline
    "58": Reason.UNHEALTHY,  # the system under it: input/output
    "72": Reason.UNHEALTHY,  # snapshot too old
    "F0": Reason.UNHEALTHY,  # configuration file
    "HV": Reason.UNHEALTHY,  # foreign data wrapper
    "P0": Reason.UNHEALTHY,  # PL/pgSQL
    "XX": Reason.UNHEALTHY,  # an error inside of the server: corruption
}
"""By SQLSTATE or, where that is not decided, by its class (the first two characters)."""


def of_sqlstate(error: Any) -> Reason:
    """The reason for what a server said; `unhealthy` for an SQLSTATE of an extension's own."""
    state = error.sqlstate
    if not state:  # every error of PostgreSQL's has one
        return Reason.PROTOCOL
    return BY_SQLSTATE.get(state) or BY_SQLSTATE.get(state[:2], Reason.UNHEALTHY)


def of_loss(error: Any) -> Reason:
    """A connection that ended amid an answer, unless the server said why before it hung up."""
    said = error.__cause__
    return of_sqlstate(said) if isinstance(said, pg.PostgresError) else Reason.PROTOCOL


FAILURES: Failures = {
    pg.PostgresError: of_sqlstate,
    pg.ConnectionDoesNotExistError: of_loss,
    pg.InternalClientError: Reason.PROTOCOL,  # "unexpected …" in what the server sent
    pg.ProtocolError: Reason.PROTOCOL,
    pg.UnsupportedServerFeatureError: Reason.UNHEALTHY,
    pgproto.BufferError: Reason.PROTOCOL,
    # What only a mistake of ours brings about:
    pg.InterfaceError: Reason.INTERNAL,
    pg.ClientConfigurationError: Reason.INTERNAL,
    pg.UnsupportedClientFeatureError: Reason.INTERNAL,
    pg.TargetServerAttributeNotMatched: Reason.INTERNAL,
    pg.OutdatedSchemaCacheError: Reason.INTERNAL,
    pg.InterfaceWarning: Reason.INTERNAL,
    pg.PostgresWarning: Reason.INTERNAL,
}


def of_query(name: str, error: pg.PostgresError) -> Failure:
    """The same failure, saying which query of the config it was."""
    raised = {Reason.AUTH: Denied, Reason.TIMEOUT: Overdue}.get(of_sqlstate(error), Unhealthy)
    return raised(f"query {name}: {error.args[0]}")
