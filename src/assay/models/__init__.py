"""Base models: where they are, how they open, how long a row they take, in which mode they run."""

from typing import TYPE_CHECKING

from assay.lazy_names import door

if TYPE_CHECKING:
    from assay.models.catalogue import CATALOGUE
    from assay.models.config import ModelConfig
    from assay.models.local_model import LocalModel
    from assay.models.resolve import locate

__all__ = ["CATALOGUE", "LocalModel", "ModelConfig", "locate"]
__getattr__ = door(
    __name__,
    {
        "CATALOGUE": "assay.models.catalogue",
        "LocalModel": "assay.models.local_model",
        "ModelConfig": "assay.models.config",
        "locate": "assay.models.resolve",
    },
)
