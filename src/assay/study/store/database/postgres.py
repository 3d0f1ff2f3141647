"""PostgreSQL by pg8000 (BSD-3; psycopg is LGPL): a URL becomes an engine, its errors become (SQLSTATE, message).

Knows the driver's ways; knows no study. pg8000 raises one class for whatever the server refuses and tells it by
SQLSTATE; a connection cut in the middle of an answer may come as a plain OSError.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping
from typing import Literal
from urllib.parse import parse_qsl, unquote, urlsplit

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.pool import NullPool

from assay.errors import StudyError

SCHEMES = ("postgresql", "postgres", "postgresql+pg8000")
# Longer than statement_timeout: the server gives up first, and says so.
SOCKET_SECONDS = 15
# The server's own settings may be laxer; an acknowledged vote must survive its power failing.
DURABLE = "-csynchronous_commit=on -cstatement_timeout=10000"
# SQLSTATE classes after which trying again is right: connection, resources, locks, transaction rollback, shutdown.
PASSING = ("08", "53", "55", "40", "57", "58")
CUT = ("08", "57P")


def postgres_engine(place: str, *, hold: Literal["one", "none"]) -> Engine:
    """An engine on a URL. Raises StudyError for a part of the URL that is not understood."""
    import pg8000.dbapi

    arguments = connect_arguments(place)
    if hold == "one":
        engine = create_engine("postgresql+pg8000://", connect_args=arguments, pool_size=1, max_overflow=0)
    else:
        engine = create_engine("postgresql+pg8000://", connect_args=arguments, poolclass=NullPool)
    event.listen(engine, "handle_error", _know_a_cut)
    if hold == "one":
        # SQLAlchemy's pool_pre_ping does the same, but lets the driver's plain OSErrors through.
        def still_there(connection: DBAPIConnection, _record: object, _proxy: object) -> None:
            try:
                engine.dialect.do_ping(connection)
            except (OSError, pg8000.dbapi.Error) as error:
                raise DisconnectionError from error

        event.listen(engine, "checkout", still_there)
    return engine


def connect_arguments(place: str) -> dict[str, object]:
    """What pg8000 is told of postgresql://user:password@host:port/database?options=...&sslmode=..."""
    parts = urlsplit(place)
    asked = dict(parse_qsl(parts.query, keep_blank_values=True))
    strange = sorted(asked.keys() - {"options", "sslmode", "sslrootcert", "host", "application_name"})
    if strange:
        raise StudyError(
            f"postgresql://: {strange[0]} is not understood. A study's URL may have options, sslmode, sslrootcert, "
            "host (a socket's folder) and application_name."
        )
    try:
        host, port = parts.hostname or "localhost", parts.port or 5432
    except ValueError:  # its own message would show a part of the password
        raise StudyError(
            "postgresql://: the port is no number. In a password write / ? # and @ as %2F %3F %23 and %40."
        ) from None
    folder = asked.get("host", "")
    if folder and not folder.startswith("/"):
        host = folder
    user = unquote(parts.username or "") or os.environ.get("PGUSER") or os.environ.get("USER") or "postgres"
    found: dict[str, object] = {
        "user": user,
        "database": unquote(parts.path.lstrip("/")) or user,
        "password": unquote(parts.password) if parts.password else os.environ.get("PGPASSWORD"),
        "timeout": SOCKET_SECONDS,
        "application_name": asked.get("application_name", "assay"),
        "startup_params": {"options": f"{DURABLE} {asked.get('options', '')}".strip()},
        "ssl_context": ssl_context(asked),
    }
    if folder.startswith("/"):
        return {**found, "unix_sock": f"{folder}/.s.PGSQL.{port}", "ssl_context": False}
    return {**found, "host": host, "port": port}


def ssl_context(asked: Mapping[str, str]) -> ssl.SSLContext | bool | None:
    """libpq's sslmode in pg8000's terms: None tries TLS, False does not, True insists, a context verifies as well."""
    mode = asked.get("sslmode", "prefer")
    plain: dict[str, bool | None] = {"disable": False, "allow": None, "prefer": None, "require": True}
    if mode in plain:
        return plain[mode]
    if mode not in ("verify-ca", "verify-full"):
        raise StudyError(
            f"postgresql://: sslmode={mode} is not understood; libpq's words are (disable to verify-full)."
        )
    context = ssl.create_default_context(cafile=asked.get("sslrootcert"))
    context.check_hostname = mode == "verify-full"
    return context


def error_text(error: BaseException | None) -> tuple[str, str]:
    """(SQLSTATE, message) of an error of the server; an empty code for any other."""
    detail = error.args[0] if error is not None and error.args else None
    if isinstance(detail, dict):
        return str(detail.get("C", "")), str(detail.get("M", ""))
    return "", str(error)


def is_passing(code: str) -> bool:
    return code.startswith(PASSING)


def is_conflict(code: str) -> bool:
    """Two transactions wanted the same row, or each other's: a unique key that is there by now, or a deadlock."""
    return code == "23505" or code.startswith("40")


def _know_a_cut(context: ExceptionContext) -> None:
    """A server that shuts down, or a socket that broke: the connection is gone, and the pool must know."""
    error = context.original_exception
    if isinstance(error, OSError) or error_text(error)[0].startswith(CUT):
        context.is_disconnect = True
