"""Every figure that an audit may hold, whichever room measures it: the rows of all rooms, joined. Computes nothing."""

from __future__ import annotations

from assay.audits.candidates.group_meanings import GROUP_FIGURES
from assay.audits.label_quality.label_meanings import LABEL_FIGURES
from assay.audits.leakage.leakage_meanings import LEAKAGE_FIGURES
from assay.audits.objective_meanings import OBJECTIVE_FIGURES
from assay.audits.pairs.pair_meanings import PAIR_FIGURES
from assay.audits.policy.policy_meanings import POLICY_FIGURES
from assay.audits.position_meanings import POSITION_FIGURES
from assay.audits.probes.probe_meanings import PROBE_FIGURES
from assay.audits.prompt_use.prompt_meanings import PROMPT_FIGURES
from assay.audits.slices.slice_meanings import SLICE_FIGURES
from assay.audits.style.style_meanings import STYLE_FIGURES
from assay.findings.vocabulary import Vocabulary
from assay.scorers.judge.spent_calls import JUDGE_FIGURES
from assay.scorers.jury.seat_counts import JURY_FIGURES
from assay.scorers.remote.activated import REMOTE_FIGURES

AUDIT_FIGURES = Vocabulary(
    PAIR_FIGURES,
    LABEL_FIGURES,
    STYLE_FIGURES,
    SLICE_FIGURES,
    PROMPT_FIGURES,
    PROBE_FIGURES,
    LEAKAGE_FIGURES,
    GROUP_FIGURES,
    POSITION_FIGURES,
    OBJECTIVE_FIGURES,
    POLICY_FIGURES,
    REMOTE_FIGURES,
    JUDGE_FIGURES,
    JURY_FIGURES,
)
