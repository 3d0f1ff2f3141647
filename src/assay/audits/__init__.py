"""Audit of any scorer on labelled pairs: how much is preference, how much is length or luck."""

from typing import TYPE_CHECKING

from assay.lazy_names import door

if TYPE_CHECKING:
    from assay.audits.pairs.audit import Audit, audit

__all__ = ["Audit", "audit"]
__getattr__ = door(__name__, {"Audit": "assay.audits.pairs.audit", "audit": "assay.audits.pairs.audit"})
