"""Artifacts of a run, or of a reward under pressure -> one self-contained HTML page and a model card. Never scores."""

from typing import TYPE_CHECKING

from assay.lazy_names import door

if TYPE_CHECKING:
    from assay.report.pressure.pressure_folder import pressure_page
    from assay.report.run.card import model_card
    from assay.report.run.page import render
    from assay.report.run.policy_card import policy_card

HOMES = {
    "model_card": "assay.report.run.card",
    "policy_card": "assay.report.run.policy_card",
    "pressure_page": "assay.report.pressure.pressure_folder",
    "render": "assay.report.run.page",
}
__all__ = ["model_card", "policy_card", "pressure_page", "render"]
__getattr__ = door(__name__, HOMES)
