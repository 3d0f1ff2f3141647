"""Audit of any scorer on labelled pairs: how much is preference, how much is length or luck."""

from assay.audits.findings import Finding
from assay.audits.run import Audit, audit

__all__ = ["Audit", "Finding", "audit"]
