"""The tables of a study and what may happen to them. Knows SQL; knows no meaning of a vote.

items, plan, votes, log and aside are append-only by trigger: neither this program nor a slip in a shell changes a row.
votes holds what editors did, vote and undo alike; what stands is the fold of an editor's rows in order of `seq`.
"""

from __future__ import annotations

from sqlalchemy import (
    CheckConstraint,
    Column,
    Connection,
    Float,
    ForeignKey,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)

SCHEMA = "study/2"
metadata = MetaData()

meta = Table("assay_meta", metadata, Column("key", Text, primary_key=True), Column("value", Text, nullable=False))

editors = Table(
    "assay_editors",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("judge", Text, nullable=False),
)

# role "owner" has no editor. Only the hash of a token is kept.
links = Table(
    "assay_links",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("role", Text, nullable=False),
    Column("editor_id", Integer, ForeignKey("assay_editors.id")),
    Column("token_hash", Text, nullable=False, unique=True),
    Column("created_at", Float, nullable=False),
    Column("expires_at", Float, nullable=False),
    Column("revoked_at", Float),
)

sessions = Table(
    "assay_sessions",
    metadata,
    Column("token_hash", Text, primary_key=True),
    Column("link_id", Integer, ForeignKey("assay_links.id"), nullable=False),
    Column("created_at", Float, nullable=False),
)

items = Table(
    "assay_items",
    metadata,
    Column("id", Text, primary_key=True),
    Column("prompt_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("category", Text),
    Column("prompt", Text, nullable=False),
    Column("answer_a", Text, nullable=False),
    Column("answer_b", Text, nullable=False),
    Column("system_a", Text, nullable=False),
    Column("system_b", Text, nullable=False),
    Column("known", Text),
)

plan = Table(
    "assay_plan",
    metadata,
    Column("showing", Text, primary_key=True),
    Column("editor_id", Integer, ForeignKey("assay_editors.id"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("item_id", Text, ForeignKey("assay_items.id"), nullable=False),
    Column("left_side", Text, nullable=False),
    Column("kind", Text, nullable=False),
    UniqueConstraint("editor_id", "position"),
)

# round counts the undos of this showing so far: (showing, round, action) names one act, however often it is sent.
# hash covers the editor's previous hash: a row taken out or changed behind the program's back breaks the chain.
# source: where the act came from, "page" or the tool it was imported from.
votes = Table(
    "assay_votes",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("editor_id", Integer, ForeignKey("assay_editors.id"), nullable=False),
    Column("seq", Integer, nullable=False),
    Column("action", Text, nullable=False),
    Column("showing", Text, ForeignKey("assay_plan.showing"), nullable=False),
    Column("round", Integer, nullable=False),
    Column("choice", Text),
    Column("ratings", Text, nullable=False),
    Column("comment", Text, nullable=False),
    Column("ms", Integer),
    Column("ms_source", Text),
    Column("source", Text, nullable=False),
    Column("at", Float, nullable=False),
    Column("hash", Text, nullable=False),
    UniqueConstraint("editor_id", "seq"),
    UniqueConstraint("showing", "round", "action"),
    CheckConstraint("action IN ('vote', 'undo')"),
    CheckConstraint("(action = 'vote') = (choice IS NOT NULL)"),
)

log = Table(
    "assay_log",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("at", Float, nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("detail", Text, nullable=False),
)

aside = Table(
    "assay_aside",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("prompt_id", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("detail", Text, nullable=False),
)

APPEND_ONLY = (items, plan, votes, log, aside)


def create_all(connection: Connection) -> None:
    """Tables and the triggers that keep them append-only."""
    metadata.create_all(connection)
    statements = _postgres_guards() if connection.dialect.name == "postgresql" else _sqlite_guards()
    for statement in statements:
        connection.execute(text(statement))


def _sqlite_guards() -> list[str]:
    return [
        f"CREATE TRIGGER {table.name}_no_{act.lower()} BEFORE {act} ON {table.name} "
        f"BEGIN SELECT RAISE(ABORT, '{table.name} is append-only'); END"
        for table in APPEND_ONLY
        for act in ("UPDATE", "DELETE")
    ]


def _postgres_guards() -> list[str]:
    refuse = (
        "CREATE FUNCTION assay_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$"
    )
    return [refuse] + [
        f"CREATE TRIGGER {table.name}_guard BEFORE UPDATE OR DELETE OR TRUNCATE ON {table.name} "
        # A statement, and not each row: TRUNCATE has no rows.
        "FOR EACH STATEMENT EXECUTE FUNCTION assay_append_only()"
        for table in APPEND_ONLY
    ]
