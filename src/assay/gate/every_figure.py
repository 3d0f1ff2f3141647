"""Every figure that some room measures and a criterion may compare; the report writes labels from it too."""

from __future__ import annotations

from assay.audits.audit_figures import AUDIT_FIGURES
from assay.audits.fit.fit_meanings import FIT_FIGURES
from assay.audits.fresh.fresh_meanings import FRESH_FIGURES
from assay.audits.pressure.pressure_meanings import PRESSURE_FIGURES
from assay.capability.capability_meanings import CAPABILITY_FIGURES
from assay.findings.vocabulary import Vocabulary
from assay.study.analysis.vote_meanings import VOTE_FIGURES

EVERY_FIGURE = Vocabulary(
    tuple(AUDIT_FIGURES.values()), VOTE_FIGURES, CAPABILITY_FIGURES, PRESSURE_FIGURES, FRESH_FIGURES, FIT_FIGURES
)
