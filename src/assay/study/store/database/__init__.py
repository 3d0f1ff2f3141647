"""One study in one database: connections that keep what they acknowledge, tables that only grow, locks of servers."""

from assay.study.store.database.server_lock import ServerLock, share_on_postgres, take_on_postgres
from assay.study.store.database.study_database import (
    Database,
    StudyConflictError,
    StudyUnavailableError,
    create_database,
    open_database,
)

__all__ = [
    "Database",
    "ServerLock",
    "StudyConflictError",
    "StudyUnavailableError",
    "create_database",
    "open_database",
    "share_on_postgres",
    "take_on_postgres",
]
