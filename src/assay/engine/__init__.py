"""Run transformers' decoders so that each token rows share is computed once; README.md here says how and why exactly.

`shared_prefixes` is for code that calls models itself, the others are for code that has rows of token ids.
"""

from typing import TYPE_CHECKING

from assay.lazy_names import door

if TYPE_CHECKING:
    from assay.engine.drop_in import shared_prefixes
    from assay.engine.forward import hidden_at, last_hidden, refusal
    from assay.engine.logprobs import completion_logprobs

__all__ = ["completion_logprobs", "hidden_at", "last_hidden", "refusal", "shared_prefixes"]
__getattr__ = door(
    __name__,
    {
        "completion_logprobs": "assay.engine.logprobs",
        "hidden_at": "assay.engine.forward",
        "last_hidden": "assay.engine.forward",
        "refusal": "assay.engine.forward",
        "shared_prefixes": "assay.engine.drop_in",
    },
)
