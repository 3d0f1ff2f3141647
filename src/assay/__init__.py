"""assay: preference pairs in, a reward model or a tuned policy out, with a verdict that can be defended."""

__version__ = "0.1.0"
