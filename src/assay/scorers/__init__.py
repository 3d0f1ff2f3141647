"""Whatever scores answers: one protocol, and one file for each kind of scorer behind it."""

from typing import TYPE_CHECKING

from assay.lazy_names import door

if TYPE_CHECKING:
    from assay.scorers.open import as_scorer, open_scorer, open_scorers
    from assay.scorers.protocol import Reward, Scorer, Unscored

__all__ = ["Reward", "Scorer", "Unscored", "as_scorer", "open_scorer", "open_scorers"]
__getattr__ = door(
    __name__,
    {
        "Reward": "assay.scorers.protocol",
        "Scorer": "assay.scorers.protocol",
        "Unscored": "assay.scorers.protocol",
        "as_scorer": "assay.scorers.open",
        "open_scorer": "assay.scorers.open",
        "open_scorers": "assay.scorers.open",
    },
)
