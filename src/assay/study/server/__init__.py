"""Serves a study: the pages editors and owner use, over a queue that answers only what is durably kept."""

from typing import TYPE_CHECKING

from assay.lazy_names import door

if TYPE_CHECKING:
    from assay.study.server.app import Address, build_app, open_study, serve

__all__ = ["Address", "build_app", "open_study", "serve"]
__getattr__ = door(__name__, dict.fromkeys(__all__, "assay.study.server.app"))
