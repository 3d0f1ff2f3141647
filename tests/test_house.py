"""What `make check` refuses, on trees made to be refused: a check that never fails is not one."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from scripts import house

ROOT = Path(__file__).parent.parent


def tree(root: Path, files: dict[str, str], *, name: str = "tiny") -> Path:
    """A package with these files, and an `__init__` in every folder that has none."""
    package = root / name
    for place, text in files.items():
        path = package / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    for folder in {above for path in package.rglob("*.py") for above in path.parents}:
        if folder.is_relative_to(package):
            (folder / "__init__.py").touch()
    return package


def test_a_tree_that_keeps_to_the_rules_has_no_problem(tmp_path: Path) -> None:
    package = tree(
        tmp_path,
        {
            "data/__init__.py": "from tiny.data.rows import read\n",
            "data/rows.py": "from tiny.data import labels\nfrom tiny.data.labels import LABELS\n\n\ndef read(): ...\n",
            "data/labels.py": "LABELS = ()\n",
            "data/config.py": "",
            "audits/config.py": "",
            "cli/data.py": "from tiny.data import read\n",
            "report/run/labels.py": "",
        },
    )
    assert house.problems(package) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("x = 1\n" * 401, "rows.py: 401 lines (at most 400)"),
        ("def long():\n" + "    x = 1\n" * 60, "rows.py:1 long: 61 lines (at most 60)"),
        ("def many(a, b, c, d, /, e, f, *, g, h): ...\n", "rows.py:1 many: 8 parameters (at most 7)"),
    ],
)
def test_what_is_too_large_is_named(tmp_path: Path, text: str, found: str) -> None:
    assert house.problems(tree(tmp_path, {"rows.py": text})) == [found]


def test_what_is_just_within_the_size_passes(tmp_path: Path) -> None:
    many = "class A:\n    def many(self, a, b, c, d, e, f, g): ...\n"
    command = "def command(a, b, c, d, e, f, g, h): ...\n\n\napp.command('x')(command)\n"
    files = {"a.py": "x = 1\n" * 400, "b.py": "def long():\n" + "    x = 1\n" * 59, "c.py": many, "d.py": command}
    assert house.problems(tree(tmp_path, files)) == []


@pytest.mark.parametrize(
    ("places", "found"),
    [
        (("stats/draws.py", "data/draws.py"), "'draws' stands for 2 things: data/draws.py, stats/draws.py"),
        (("data/run/x.py", "engine/run.py"), "'run' stands for 2 things: data/run/, engine/run.py"),
        (("report/a/words.py", "report/words.py"), "'words' stands for 2 things: report/a/words.py, report/words.py"),
    ],
)
def test_one_name_for_two_modules_is_refused(tmp_path: Path, places: tuple[str, str], found: str) -> None:
    assert house.problems(tree(tmp_path, dict.fromkeys(places, ""))) == [found]


@pytest.mark.parametrize(
    "line", ["from tiny.data import read", "import tiny.data", "from tiny import VERSION", "import tiny"]
)
def test_a_module_that_goes_through_its_own_door_is_refused(tmp_path: Path, line: str) -> None:
    package = tree(tmp_path, {"data/rows.py": f"\n{line}\n"})
    (found,) = house.problems(package)
    assert found.startswith("data/rows.py:2: takes ")


def test_too_many_any_are_counted_by_line_and_room(tmp_path: Path) -> None:
    untyped = "from typing import Any\n\nx: Any = 1\n# Any in words\ny = 'Any'\n"
    package = tree(tmp_path, {"data/rows.py": untyped, "data/other.py": "x = 1\n"})
    assert house.any_per_1000(house.modules(package)) == 1000 * 2 / 5
    assert house.problems(package) == ["Any: 400.0 in 1,000 lines (at most 12); most in data (400)"]
    rest = {"data/more.py": "x = 1\n" * 161}  # 2 of 166 lines: 12.05 in 1,000
    assert house.problems(tree(tmp_path, rest))[0].startswith("Any: 12.0 ")
    assert house.problems(tree(tmp_path, {"data/more.py": "x = 1\n" * 162})) == []


def test_comments_are_counted_without_those_for_tools(tmp_path: Path) -> None:
    text = "# why\nx = 1  # why not\ny = 2  # noqa: E501\nz = '# no comment'\n"
    assert house.comment_share(house.modules(tree(tmp_path, {"a.py": text}))) == 2 / 4


CIRCLES = {
    "two modules": {"data/a.py": "import tiny.data.b", "data/b.py": "import tiny.data.a"},
    "for types only": {
        "data/a.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from tiny.data.b import B",
        "data/b.py": "from tiny.data.a import A",
    },
    "inside a function": {"a.py": "def f():\n    import tiny.b", "b.py": "import tiny.a"},
    "two rooms": {
        "data/rows/a.py": "import tiny.data.texts.b",
        "data/texts/b.py": "",
        "data/texts/c.py": "import tiny.data.rows.d",
        "data/rows/d.py": "",
    },
}


def circles(root: Path) -> subprocess.CompletedProcess[str]:
    """What import-linter says of the package `tiny`, by the contract in pyproject.toml."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    (rule,) = [c for c in project["tool"]["importlinter"]["contracts"] if c["type"] == "acyclic_siblings"]
    ancestors = ["tiny" + name.removeprefix("assay") for name in rule["ancestors"]]
    settings = '[tool.importlinter]\nroot_package = "tiny"\n[[tool.importlinter.contracts]]\nname = "circles"\n'
    (root / "rules.toml").write_text(settings + f'type = "acyclic_siblings"\nancestors = {ancestors}\n')
    command = [str(Path(sys.executable).parent / "lint-imports"), "rules.toml", "--no-cache", "--no-logo"]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("kind", CIRCLES)
def test_a_circle_is_refused(tmp_path: Path, kind: str) -> None:
    tree(tmp_path, CIRCLES[kind])
    done = circles(tmp_path)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "No cycles are allowed in tiny" in done.stdout


def test_imports_that_only_go_down_are_no_circle(tmp_path: Path) -> None:
    tree(tmp_path, {"data/a.py": "import tiny.data.b", "data/b.py": "import tiny.stats.c", "stats/c.py": ""})
    done = circles(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
