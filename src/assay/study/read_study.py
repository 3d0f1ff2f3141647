"""A closed study, wherever it is kept: in its database, or in a folder that `assay study export` wrote."""

from __future__ import annotations

from pathlib import Path

from assay.data.config import DataConfig
from assay.errors import StudyError
from assay.study.exchange.anonymous_folder import is_export, read_export
from assay.study.exchange.outside_votes import holds_outside_votes, read_outside_votes
from assay.study.store.closed_study import read_closed
from assay.study.study_address import is_url, without_password
from assay.study.study_records import ClosedStudy


def read_judged(source: str, *, config: DataConfig) -> ClosedStudy:
    """A closed study, or the votes of a file that was never a study of ours, read as `config` says."""
    if holds_outside_votes(source, config):
        return read_outside_votes(source, config=config)
    if config != DataConfig():
        raise StudyError(
            f"{without_password(source)}: a study says itself how it is read; leave --layout, --columns out."
        )
    return read_study(source)


def read_study(source: str) -> ClosedStudy:
    """A closed study from its database (a SQLite file or a postgresql:// URL), or from an export folder or file.

    Raises StudyError while the study is open or where it cannot be vouched for.
    """
    if is_url(source):
        return read_closed(source)
    if not Path(source).exists():
        raise StudyError(f"{source}: there is nothing. Give a study's file, postgresql://..., or an export folder.")
    if holds_outside_votes(source, DataConfig()):
        raise StudyError(f"{source}: a file of rows, and no study. Votes in such a file: assay study analyse {source}")
    return read_export(source) if is_export(source) else read_closed(source)
