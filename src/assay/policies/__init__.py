"""Whatever answers prompts: one protocol, and one file for each kind of policy behind it."""

from typing import TYPE_CHECKING

from assay.lazy_names import door

if TYPE_CHECKING:
    from assay.policies.open import open_policy
    from assay.policies.protocol import Generation, Generations, Policy, Prompt, Sampling

__all__ = ["Generation", "Generations", "Policy", "Prompt", "Sampling", "open_policy"]
__getattr__ = door(
    __name__,
    {
        "Generation": "assay.policies.protocol",
        "Generations": "assay.policies.protocol",
        "Policy": "assay.policies.protocol",
        "Prompt": "assay.policies.protocol",
        "Sampling": "assay.policies.protocol",
        "open_policy": "assay.policies.open",
    },
)
