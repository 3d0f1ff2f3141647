"""Data whose truth is known: a simulated grant office, whose editors can vote on any two texts."""

from assay.simulate.grants.editorial_utility import Worth, worth
from assay.simulate.grants.grant_editors import EDITORS, Editor, judge
from assay.simulate.grants.grant_office import GrantOffice, grants

__all__ = ["EDITORS", "Editor", "GrantOffice", "Worth", "grants", "judge", "worth"]
