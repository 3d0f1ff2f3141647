"""One study in one database: connections that keep what they acknowledge, tables that only grow, one server a time."""

from assay.study.store.database.server_lock import ServerLock, take_postgres_lock
from assay.study.store.database.study_database import (
    Database,
    StudyUnavailableError,
    create_database,
    open_database,
)

__all__ = [
    "Database",
    "ServerLock",
    "StudyUnavailableError",
    "create_database",
    "open_database",
    "take_postgres_lock",
]
