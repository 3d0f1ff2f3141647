"""What a scorer is made of, by fingerprint: itself, members, models. Two that share any of it agree too well.

Gold that shares weights with the reward under test makes its mistakes too, and an optimised policy then looks good to
both. Opens nothing that the scorers' own fingerprints do not open.
"""

from __future__ import annotations

from assay.models.resolve import locate
from assay.scorers.averaged import AveragedScorer
from assay.scorers.corrected import CorrectedScorer
from assay.scorers.debate.debate_scorer import DebateScorer
from assay.scorers.ensemble import EnsembleScorer
from assay.scorers.factuality.factual_scorer import FactualScorer
from assay.scorers.function import FunctionScorer
from assay.scorers.implicit import ImplicitScorer
from assay.scorers.judge.judge_scorer import JudgeScorer
from assay.scorers.jury.jury_scorer import JuryScorer
from assay.scorers.local import LocalScorer
from assay.scorers.protocol import Scorer


def made_of(scorer: Scorer) -> dict[str, str]:
    """Names by fingerprint of everything in `scorer` that makes its rewards."""
    found = {scorer.fingerprint: scorer.name}
    if isinstance(scorer, FunctionScorer):
        found[f"function at {id(scorer.function)}"] = scorer.name  # each wrapping has a fingerprint of its own
    elif isinstance(scorer, EnsembleScorer):
        for one in scorer.members.values():
            found |= made_of(one)
    elif isinstance(scorer, CorrectedScorer):
        found |= made_of(scorer.scorer)
    elif isinstance(scorer, AveragedScorer):  # before LocalScorer, of which it is one
        found |= {locate(one).fingerprint: one for one in scorer.models}
    elif isinstance(scorer, LocalScorer):
        found[locate(scorer.model, scorer.revision).fingerprint] = scorer.model  # whatever template it is read with
    elif isinstance(scorer, ImplicitScorer):
        found |= dict(zip(scorer.implied.prints, (scorer.policy, scorer.reference), strict=True))
    elif isinstance(scorer, JudgeScorer):
        found[scorer.judge.fingerprint] = scorer.config.model
    elif isinstance(scorer, FactualScorer) and scorer.judge is not None:
        found[scorer.judge.judge.fingerprint] = scorer.judge.config.model
    elif isinstance(scorer, JuryScorer):
        for member in scorer.judges.values():
            found |= made_of(member)
    elif isinstance(scorer, DebateScorer):
        found |= {one.fingerprint: scorer.debate.configs[name].model for name, one in scorer.speakers.items()}
    return found


def shared_weights(one: Scorer, other: Scorer) -> list[str]:
    """Names, as `one` calls them, of what both are made of; empty where they share nothing that can be seen."""
    first, second = made_of(one), made_of(other)
    return sorted({first[print_] for print_ in first.keys() & second.keys()})
