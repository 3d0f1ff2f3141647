"""Templates of the pages: everything escaped, hidden characters made visible, undefined names an error, styles inlined.

Knows jinja2 and the templates folder; knows no section of any page.
"""

from __future__ import annotations

from importlib import resources

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from assay.report import words


def html_environment() -> Environment:
    """Where the pages' templates are found and how their values are written."""
    return Environment(
        loader=PackageLoader("assay.report"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=visible_value,
        trim_blocks=False,
        keep_trailing_newline=True,
    )


def visible_value(value: object) -> Markup | str:
    """What an expression in a template puts on the page; None would be a bug and shows as unknown."""
    if isinstance(value, Markup):
        return value
    return words.UNKNOWN if value is None else words.visible(str(value))


def inlined_styles(*names: str) -> Markup:
    """Style sheets of the templates folder as one text for a page's <style>."""
    templates = resources.files("assay.report").joinpath("templates")
    return Markup("".join(templates.joinpath(name).read_text(encoding="utf-8") for name in names))
