"""An explicit reward model or DPO first: a reasoned choice from what is needed. Pure rules; knows no run."""

from typing import TYPE_CHECKING

from assay.lazy_names import door

if TYPE_CHECKING:
    from assay.advice.reward_or_dpo import Advice, Needs, advise

__all__ = ["Advice", "Needs", "advise"]
__getattr__ = door(__name__, dict.fromkeys(__all__, "assay.advice.reward_or_dpo"))
