"""Artifacts of a run -> one self-contained HTML page and a model card. Never trains, never scores."""

from typing import TYPE_CHECKING

from assay.lazy_names import door

if TYPE_CHECKING:
    from assay.report.run.card import model_card
    from assay.report.run.page import render

__all__ = ["model_card", "render"]
__getattr__ = door(__name__, {"model_card": "assay.report.run.card", "render": "assay.report.run.page"})
