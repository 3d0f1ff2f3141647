"""What a PostgreSQL URL says to the driver, and what the driver's errors say to people."""

from __future__ import annotations

import ssl
import time
from contextlib import closing

import pytest
from pg8000.dbapi import DatabaseError, InterfaceError
from sqlalchemy import exc, text

from assay.errors import StudyError
from assay.study.exchange import import_votes, write_tasks
from assay.study.store import close_study, read_closed
from assay.study.store.database import Database, StudyUnavailableError, open_database
from assay.study.store.database.postgres import DURABLE, connect_arguments, error_text, is_passing
from tests.study.harness import Cluster, make_study


def test_urls_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPASSWORD", "from outside")
    found = connect_arguments("postgresql://an%40na:p%2Fw@db.example:6543/study%20one")
    assert (found["user"], found["password"], found["host"], found["port"]) == ("an@na", "p/w", "db.example", 6543)
    assert (found["database"], found["startup_params"], found["ssl_context"]) == (
        "study one",
        {"options": DURABLE},
        None,
    )
    found = connect_arguments("postgres://me@/d?options=-csearch_path%3Dx")
    assert (found["host"], found["port"], found["password"]) == ("localhost", 5432, "from outside")
    assert found["startup_params"] == {"options": f"{DURABLE} -csearch_path=x"}
    found = connect_arguments("postgresql://me@/d?host=/run/postgresql")
    assert (found["unix_sock"], found["ssl_context"]) == ("/run/postgresql/.s.PGSQL.5432", False)
    assert "host" not in found
    for mode, expected in (("disable", False), ("prefer", None), ("require", True)):
        assert connect_arguments(f"postgresql://h/d?sslmode={mode}")["ssl_context"] is expected
    for mode, names in (("verify-ca", False), ("verify-full", True)):
        context = connect_arguments(f"postgresql://h/d?sslmode={mode}")["ssl_context"]
        assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, names)
    with pytest.raises(StudyError, match=r"write / \? # and @ as %2F") as refused:
        connect_arguments("postgresql://me:xyz/zy@h/d")
    assert "xyz" not in str(refused.value)
    with pytest.raises(StudyError, match="sslmode=maybe is not understood"):
        connect_arguments("postgresql://h/d?sslmode=maybe")
    with pytest.raises(StudyError, match="service is not understood"):
        connect_arguments("postgresql://h/d?service=x")


def test_errors_by_hand() -> None:
    full = DatabaseError({"S": "ERROR", "C": "53100", "M": "could not extend file: No space left on device"})
    assert error_text(full) == ("53100", "could not extend file: No space left on device")
    assert error_text(InterfaceError("network error")) == ("", "network error")
    assert [is_passing(code) for code in ("53100", "57P01", "40001", "08006", "23505", "42601", "")] == [
        True, True, True, True, False, False, False,
    ]  # fmt: skip
    database = Database("postgresql://nobody@127.0.0.1:1/d")
    assert isinstance(database.explain(exc.DatabaseError("", None, full)), StudyUnavailableError)
    refused = DatabaseError({"C": "P0001", "M": "assay_votes is append-only"})
    assert "append-only" in str(database.explain(exc.DatabaseError("", None, refused)))
    with pytest.raises(StudyUnavailableError, match="the database does not answer"), database.begin():
        pass


def test_no_server_is_said_in_words(tmp_path) -> None:
    with pytest.raises(StudyUnavailableError, match=r"127.0.0.1:1/d: the database does not answer .* Try again"):
        open_database("postgresql://nobody:secret@127.0.0.1:1/d")


def work_while_cut(database: Database, other: Database, number: int) -> None:
    with database.begin() as connection:
        with other.begin() as outside:
            outside.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": number})
        connection.execute(text("SELECT 1"))


def test_a_held_connection_that_was_cut_comes_back(tmp_path, cluster: Cluster) -> None:
    """The server ends the session behind the driver's back: one clear refusal at most, then work goes on."""
    place = cluster.url(f"cut_{time.time_ns()}")
    make_study(tmp_path, place)
    with closing(open_database(place, hold="one")) as database, closing(open_database(place)) as other:
        with database.begin() as connection:
            number = connection.execute(text("SELECT pg_backend_pid()")).scalar()
        with other.begin() as connection:
            connection.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": number})
        with database.begin() as connection:  # the pool looks before it hands the connection on
            assert connection.execute(text("SELECT pg_backend_pid()")).scalar() != number
            again = connection.execute(text("SELECT pg_backend_pid()")).scalar()
        with pytest.raises(StudyUnavailableError):
            work_while_cut(database, other, again)
        with database.begin() as connection:
            assert connection.execute(text("SHOW synchronous_commit")).scalar() == "on"


def test_no_message_tells_the_password(tmp_path, cluster: Cluster) -> None:
    place = cluster.url(f"masked_{time.time_ns()}").replace("assay@", "assay:se%40cret@")
    make_study(tmp_path, place)
    told = []
    for refused in (
        lambda: read_closed(place),  # open
        lambda: make_study(tmp_path, place),  # there already
        lambda: write_tasks(place, tmp_path / "t", tool="csv"),  # closed
        lambda: import_votes(place, [], tool="csv"),  # closed
    ):
        if len(told) == 2:
            close_study(place)
        with pytest.raises(StudyError) as error:
            refused()
        told.append(str(error.value))
    assert [text for text in told if "cret" in text or "assay:***@127.0.0.1" not in text] == []
