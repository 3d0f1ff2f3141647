"""What the code of src/assay must keep to: size, one name for one thing, own doors, typed values.

1. A module has at most 400 lines, a function 60, and seven parameters.
2. No two modules or packages have one name; ROLES may repeat, and MIRRORS are called after the rooms they show.
3. No module imports from the `__init__` of a package it stands in: with import-linter's `acyclic_siblings`, which sees
   circles between neighbours, no circle is left.
4. `Any` stands at most 12 times in 1,000 lines. Lines are those that are not blank.

Lists what does not keep to it and exits 1. The share of comments, wanted at 3%, is printed and not judged.
"""

from __future__ import annotations

import ast
import io
import sys
import tokenize
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

MODULE_LINES = 400
FUNCTION_LINES = 60
PARAMETERS = 7
ANY_PER_1000 = 12.0
COMMENT_SHARE = 0.03
# Names that say what a module is to its room, and so may stand in several.
ROLES = frozenset({"__init__", "__main__", "config", "protocol", "open"})
# Rooms whose files are called after what they show or call: `cli/audit.py` is the command of `audits/`.
MIRRORS = frozenset({"cli", "flows", "report"})


@dataclass(frozen=True)
class Module:
    """One file of the package, read once. place: its path inside the package, `data/sources/lines.py`."""

    path: Path
    place: Path

    @cached_property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @cached_property
    def tokens(self) -> list[tokenize.TokenInfo]:
        return list(tokenize.generate_tokens(io.StringIO(self.text).readline))

    @cached_property
    def lines(self) -> int:
        """Lines that are not blank."""
        return sum(bool(line.strip()) for line in self.text.splitlines())


def modules(package: Path) -> list[Module]:
    return [Module(path, path.relative_to(package)) for path in sorted(package.rglob("*.py"))]


def too_large(module: Module) -> Iterator[str]:
    """When something is larger there is a second idea in it: find its name."""
    lines = module.text.count("\n")
    if lines > MODULE_LINES:
        yield f"{module.place}: {lines} lines (at most {MODULE_LINES})"
    exempt = commands(module.tree)
    for node in ast.walk(module.tree):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        where = f"{module.place}:{node.lineno} {node.name}"
        length = (node.end_lineno or node.lineno) - node.lineno + 1
        if length > FUNCTION_LINES:
            yield f"{where}: {length} lines (at most {FUNCTION_LINES})"
        names = [arg.arg for arg in node.args.posonlyargs + node.args.args + node.args.kwonlyargs]
        count = len([name for name in names if name not in ("self", "cls")])
        if count > PARAMETERS and node.name not in exempt:
            yield f"{where}: {count} parameters (at most {PARAMETERS})"


def commands(tree: ast.Module) -> set[str]:
    """Functions a module registers as commands: their parameters are the options a user sees."""
    calls = [(node, node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)]
    registered = [
        call for call, made in calls if isinstance(made, ast.Call) and getattr(made.func, "attr", "") == "command"
    ]
    named = {argument.id for call in registered for argument in call.args if isinstance(argument, ast.Name)}
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    return named | {f.name for f in functions if any(".command(" in ast.unparse(d) for d in f.decorator_list)}


def same_names(found: Iterable[Module]) -> Iterator[str]:
    """Names that stand for more than one module or package. A mirror's names count within that mirror only."""
    places: dict[tuple[str, str], list[str]] = defaultdict(list)
    for module in found:
        package = module.place.name == "__init__.py"
        place = module.place.parent if package else module.place
        if place == Path() or place.stem in ROLES:
            continue
        room = place.parts[0] if place.parts[0] in MIRRORS and len(place.parts) > 1 else ""
        places[room, place.stem].append(f"{place}/" if package else str(place))
    for (_, name), several in sorted(places.items()):
        if len(several) > 1:
            yield f"{name!r} stands for {len(several)} things: {', '.join(several)}"


def own_doors(module: Module, package: Path) -> Iterator[str]:
    """Imports from the `__init__` of a package that the module stands in: that package is not ready before it is."""
    above = [(package.name, *part.parts) for part in module.place.parents]
    rooms = {".".join(parts): package.joinpath(*parts[1:]) for parts in above}
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            taken = [alias.name for alias in node.names if alias.name in rooms]
        elif isinstance(node, ast.ImportFrom) and node.module in rooms:
            room = rooms[node.module]
            taken = [alias.name for alias in node.names if not is_module(room / alias.name)]
        else:
            continue
        for name in taken:
            yield f"{module.place}:{node.lineno}: takes {name} from a door it stands behind; import its module"


def is_module(path: Path) -> bool:
    return path.is_dir() or path.with_suffix(".py").is_file()


def any_per_1000(found: Iterable[Module]) -> float:
    """How often the name `Any` stands in 1,000 lines, imports included."""
    return 1000 * share(found, lambda token: token.type == tokenize.NAME and token.string == "Any")


def comment_share(found: Iterable[Module]) -> float:
    """Comments a line; what is written to a tool (`# noqa`, `# fmt: skip`) explains nothing and is not counted."""
    tools = ("# noqa", "# fmt:", "# type:", "# pragma:")
    return share(found, lambda token: token.type == tokenize.COMMENT and not token.string.startswith(tools))


def share(found: Iterable[Module], counts: Callable[[tokenize.TokenInfo], bool]) -> float:
    found = list(found)
    lines = sum(module.lines for module in found)
    return sum(counts(token) for module in found for token in module.tokens) / lines if lines else 0.0


def problems(package: Path) -> list[str]:
    """Everything in the package that does not keep to the rules, one line each."""
    found = modules(package)
    lines = [line for module in found for line in (*too_large(module), *own_doors(module, package))]
    lines += same_names(found)
    untyped = any_per_1000(found)
    if untyped > ANY_PER_1000:
        lines.append(
            f"Any: {untyped:.1f} in 1,000 lines (at most {ANY_PER_1000:g}); most in {', '.join(most_any(found))}"
        )
    return lines


def most_any(found: Iterable[Module]) -> list[str]:
    """The rooms with most of them."""
    rooms: dict[str, list[Module]] = defaultdict(list)
    for module in found:
        rooms[module.place.parts[0]].append(module)
    counts = {room: any_per_1000(inside) for room, inside in rooms.items() if len(inside) > 1}
    return [f"{room} ({counts[room]:.0f})" for room in sorted(counts, key=lambda room: -counts[room])[:5]]


def main() -> int:
    package = Path(__file__).parent.parent / "src" / "assay"
    found = problems(package)
    for line in found:
        print(line)
    everything = modules(package)
    print(
        f"{len(everything)} modules; Any {any_per_1000(everything):.1f} in 1,000 lines; "
        f"comments {comment_share(everything):.1%} (wanted: {COMMENT_SHARE:.0%})"
    )
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
