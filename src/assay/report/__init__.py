"""Artifacts of a run -> one self-contained HTML page and a model card. Never trains, never scores."""

from assay.report.run.card import model_card
from assay.report.run.page import render

__all__ = ["model_card", "render"]
