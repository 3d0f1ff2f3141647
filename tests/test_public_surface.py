"""What `import assay` offers: sorted, there, described, light; and what the docs import is there too."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest

import assay
from assay import api, api_pressure, api_service, api_worlds

ROOT = Path(__file__).parents[1]
PAGES = sorted([*(ROOT / "docs").rglob("*.md"), ROOT / "README.md"])
DESCRIBED = set(re.findall(r"`([A-Za-z_]\w*)(?:`|\()", (ROOT / "docs" / "api.md").read_text(encoding="utf-8")))


def test_the_names_are_sorted_and_stand_once() -> None:
    assert list(assay.__all__) == sorted(set(assay.__all__))
    assert dir(assay) == list(assay.__all__)


@pytest.mark.parametrize("name", assay.__all__)
def test_every_name_is_there_explained_and_in_the_docs(name: str) -> None:
    found = getattr(assay, name)
    assert name in DESCRIBED, f"docs/api.md does not describe {name}"
    assert name == "__version__" or inspect.getdoc(found), f"{name} has no docstring"


def test_no_name_is_a_room_s() -> None:
    """Importing `assay.report` would put the room where a function called `report` stood."""
    rooms = {module.name for module in pkgutil.iter_modules(assay.__path__)}
    assert not rooms & set(assay.__all__)


@pytest.mark.parametrize("module", [api, api_pressure, api_service, api_worlds])
def test_api_holds_the_functions_of_the_surface_and_nothing_else(module) -> None:
    ours = {name for name, value in vars(module).items() if getattr(value, "__module__", "") == module.__name__}
    assert ours == set(assay.HOMES[module.__name__])


def test_docs_show_no_deep_path() -> None:
    text = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    assert re.findall(r"assay\.\w+\.\w+|from assay", text) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_what_a_page_imports_is_there(page: Path) -> None:
    for block in re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL):
        for node in ast.walk(ast.parse(block)):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("assay"):
                module = importlib.import_module(node.module or "")
                missing = [alias.name for alias in node.names if not hasattr(module, alias.name)]
                assert missing == [], f"{page}: {node.module} has no {missing}"
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "assay":
                assert node.attr in assay.__all__, f"{page}: assay.{node.attr}"


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute"):
        assay.nothing  # noqa: B018


def test_import_takes_no_heavy_library() -> None:
    """`import assay` and the start of any command must not wait for torch, nor for what only some calls need."""
    code = "import sys, assay, assay.cli.main as main; main.build(); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"torch", "transformers", "datasets", "scipy", "pandas", "pyarrow", "jinja2", "bitsandbytes"}
    assert heavy.intersection(done.stdout.split()) == set()
