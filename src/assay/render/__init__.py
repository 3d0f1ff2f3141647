"""Prompt and answer to token ids, the same for everyone, and the gate that keeps the pairs which fit."""

from typing import TYPE_CHECKING

from assay.lazy_names import door

if TYPE_CHECKING:
    from assay.render.encoder import Encoded, Renderer
    from assay.render.length_gate import LengthGate, RenderedPair, RenderedPairs

__all__ = ["Encoded", "LengthGate", "RenderedPair", "RenderedPairs", "Renderer"]
__getattr__ = door(
    __name__,
    {
        "Encoded": "assay.render.encoder",
        "LengthGate": "assay.render.length_gate",
        "RenderedPair": "assay.render.length_gate",
        "RenderedPairs": "assay.render.length_gate",
        "Renderer": "assay.render.encoder",
    },
)
