"""The version of assay; equal to the one in pyproject.toml, which a test compares."""

__version__ = "0.1.0"
