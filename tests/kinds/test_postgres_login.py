"""DSNs as people and libpq write them, and what a config may not say."""

from typing import Any

import pytest

from probe.exchange import Tls
from probe.kinds.postgres import Postgres
from probe.kinds.postgres.login import AnyName, Login, LoginError, of_dsn

ANY = Tls(insecure=True)


@pytest.mark.parametrize(
    ("dsn", "login"),
    [
        ("postgresql://u:p@db/app", Login("db", 5432, "u", "p", "app", ANY, True)),
        ("postgres://u@db:5433", Login("db", 5433, "u", "", "u", ANY, True)),
        ("postgresql+asyncpg://u:p%40%2F@db/a%20b", Login("db", 5432, "u", "p@/", "a b", ANY, True)),
        ("postgresql://u:p@[::1]:7/app", Login("::1", 7, "u", "p", "app", ANY, True)),
        ("postgresql://u:p@[::1]/app", Login("::1", 5432, "u", "p", "app", ANY, True)),
        ("postgresql:///app?host=/run/pg&user=u", Login("/run/pg", 5432, "u", "", "app", ANY, True)),
        ("postgresql://u@%2Frun%2Fpg:7/app", Login("/run/pg", 7, "u", "", "app", ANY, True)),
        ("postgresql://db?user=u&password=p&dbname=d&port=7", Login("db", 7, "u", "p", "d", ANY, True)),
        ("postgresql://u:p@db/app?schema=public&connection_limit=5", Login("db", 5432, "u", "p", "app", ANY, True)),
        ("postgresql://u@db?sslmode=disable", Login("db", 5432, "u", "", "u", None)),
        ("postgresql://u@db?sslmode=allow", Login("db", 5432, "u", "", "u", ANY, True)),
        ("postgresql://u@db?sslmode=require", Login("db", 5432, "u", "", "u", ANY)),
        ("postgresql://u@db?ssl=require", Login("db", 5432, "u", "", "u", ANY)),
        ("postgresql://u@db?sslmode=require&sslrootcert=c", Login("db", 5432, "u", "", "u", AnyName(ca="c"))),
        ("postgresql://u@db?sslmode=verify-ca&sslrootcert=c", Login("db", 5432, "u", "", "u", AnyName(ca="c"))),
        ("postgresql://u@db?sslmode=verify-full&sslrootcert=c", Login("db", 5432, "u", "", "u", Tls(ca="c"))),
        (
            "postgresql://u@db?sslmode=verify-full&sslcert=c&sslkey=k",
            Login("db", 5432, "u", "", "u", Tls(cert="c", key="k")),
        ),
    ],
)
def test_reads_a_dsn_as_libpq_does(dsn: str, login: Login) -> None:
    assert of_dsn(dsn) == login


def test_shows_a_server_as_people_write_it() -> None:
    assert of_dsn("postgresql://u@[::1]:7/app").where == "[::1]:7"
    assert of_dsn("postgresql://u@db").where == "db:5432"
    assert of_dsn("postgresql:///app?host=/run/pg&user=u").where == "/run/pg/.s.PGSQL.5432"


@pytest.mark.parametrize(
    ("dsn", "message"),
    [
        ("mysql://u@db", "the dsn does not begin with postgresql://; write postgresql://user:password@host/database"),
        ("postgresql://[u@db", "the dsn is no URL; write postgresql://user:password@host:5432/database"),
        ("postgresql:///app", "the dsn names no host; write postgresql://user:password@host/database"),
        ("postgresql://db/app", "the dsn names no user; write postgresql://user:password@host/database"),
        (
            "postgresql://u@a,b/app",
            "the dsn names several hosts; a check watches one server, so give each a check of its own",
        ),
        ("postgresql://u@db:http/app", "the dsn's port is no number from 1 to 65535"),
        ("postgresql://u@db:65536/app", "the dsn's port is no number from 1 to 65535"),
        (
            "postgresql://u@db/app?sslmode=on",
            "the dsn's sslmode is none of disable, allow, prefer, require, verify-ca, verify-full",
        ),
        ("postgresql://u@db/app?sslmode=verify-full&sslkey=k", "sslkey is given without sslcert in the dsn"),
    ],
)
def test_says_what_is_wrong_with_a_dsn(dsn: str, message: str) -> None:
    with pytest.raises(LoginError) as error:
        of_dsn(dsn)
    assert str(error.value) == message
    assert list(Postgres(name="db", dsn=dsn).problems()) == [(("dsn",), message)]


def test_logs_in_by_separate_fields() -> None:
    fields: dict[str, Any] = {"host": "db", "user": "u", "password": "p", "tls": {"ca": "c"}}
    assert Postgres(**fields).login == Login("db", 5432, "u", "p", "u", Tls(ca="c"))
    assert Postgres(host="db", port=7, user="u", database="d").login == Login("db", 7, "u", "", "d", ANY, True)


def test_takes_the_password_apart_from_the_dsn() -> None:
    assert Postgres(dsn="postgresql://u@db/app", password="p").login.password == "p"


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({}, ((), "does not say where to log in; write dsn, or host and user")),
        ({"host": "db"}, ((), "does not say where to log in; write dsn, or host and user")),
        (
            {"dsn": "postgresql://u@db", "host": "db", "user": "u"},
            (("host",), "host and dsn say the same; keep one of them"),
        ),
        (
            {"dsn": "postgresql://u:p@db", "password": "p"},
            (("dsn",), "say it once: the password either in the dsn or apart from it"),
        ),
        (
            {"dsn": "postgresql://u@db?sslmode=require", "tls": {}},
            (("dsn",), "say it once: either tls here or sslmode in the dsn"),
        ),
        (
            {"queries": {"a b": {"sql": "SELECT 1"}}},
            (("queries", "a b"), "\"a b\" can't be part of a metric's name; use small letters, digits and _"),
        ),
        (
            {"queries": {"a": {"sql": "SELECT 1", "values": ["B"]}}},
            (("queries", "a", "values"), "\"B\" can't be part of a metric's name; use small letters, digits and _"),
        ),
        (
            {"queries": {"a_total": {"sql": "SELECT 1"}}},
            (("queries", "a_total"), '"a_total" ends in _total, as a counter does; this becomes a gauge, rename it'),
        ),
        (
            {"queries": {"a": {"sql": "SELECT 1", "values": ["b"]}, "a_b": {"sql": "SELECT 1"}}},
            (("queries", "a_b"), "query_a_b is the name of two numbers, of query a too; rename one"),
        ),
    ],
)
def test_says_what_does_not_hold_together(fields: dict[str, Any], problem: tuple[Any, str]) -> None:
    complete = fields if "queries" not in fields else {"dsn": "postgresql://u@db", **fields}
    assert list(Postgres(name="db", **complete).problems()) == [problem]


def test_shows_no_password() -> None:
    shown = repr(Postgres(name="db", dsn="postgresql://u:open@db", password="sesame"))
    assert "open" not in shown
    assert "sesame" not in shown
