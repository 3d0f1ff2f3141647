"""The size budget of src/assay: a module under 400 lines, a function under 60, at most seven parameters.

When something is larger there is a second idea in it: find its name. Exits 1 and lists the places otherwise.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

MODULE_LINES = 400
FUNCTION_LINES = 60
PARAMETERS = 7
ROOT = Path(__file__).parent.parent


def problems(path: Path) -> Iterator[str]:
    text = path.read_text(encoding="utf-8")
    name = path.relative_to(ROOT)
    lines = text.count("\n")
    if lines > MODULE_LINES:
        yield f"{name}: {lines} lines (at most {MODULE_LINES})"
    tree = ast.parse(text)
    exempt = commands(tree)
    for node in ast.walk(tree):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        length = (node.end_lineno or node.lineno) - node.lineno + 1
        if length > FUNCTION_LINES:
            yield f"{name}:{node.lineno} {node.name}: {length} lines (at most {FUNCTION_LINES})"
        if node.name not in exempt:
            names = [arg.arg for arg in node.args.posonlyargs + node.args.args + node.args.kwonlyargs]
            count = len([arg for arg in names if arg not in ("self", "cls")])
            if count > PARAMETERS:
                yield f"{name}:{node.lineno} {node.name}: {count} parameters (at most {PARAMETERS})"


def commands(tree: ast.Module) -> set[str]:
    """Functions a module registers as commands: their parameters are the options a user sees."""
    calls = [(node, node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)]
    registered = [
        call for call, made in calls if isinstance(made, ast.Call) and getattr(made.func, "attr", "") == "command"
    ]
    named = {argument.id for call in registered for argument in call.args if isinstance(argument, ast.Name)}
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    return named | {f.name for f in functions if any(".command(" in ast.unparse(d) for d in f.decorator_list)}


def main() -> int:
    found = [line for path in sorted((ROOT / "src").rglob("*.py")) for line in problems(path)]
    for line in found:
        print(line)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
