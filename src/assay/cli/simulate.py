"""`assay simulate`: data whose truth is known. Parses, calls one function, prints."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from assay.cli.options import Json, output
from assay.errors import ConfigError


def register(app: typer.Typer) -> None:
    """Add `assay simulate support`."""
    group = typer.Typer(help="Write preference pairs whose truth is known.", no_args_is_help=True)
    group.command("support")(support)
    app.add_typer(group, name="simulate")


def support(
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="JSON lines; the truth goes to FILE.truth.json.")],
    pairs: Annotated[int, typer.Option("--pairs", min=1, help="Pairs to write, exactly.")] = 8000,
    seed: Annotated[int, typer.Option("--seed", help="The same seed writes the same file.")] = 0,
    defect: Annotated[
        list[str] | None,
        typer.Option("--defect", metavar="NAME=SHARE", help="Plant a defect; may be repeated.", show_default=False),
    ] = None,
    as_json: Json = False,
) -> None:
    """Write a simulated support desk: five categories, three annotators, a known best accuracy.

    Example: assay simulate support --pairs 8000 --seed 0 --defect flipped_labels=0.1 --out support.jsonl
    """
    from assay.simulate.support import support as simulate_support

    simulation = simulate_support(pairs, seed=seed, defects=dict(map(_share, defect or ())))
    truth = simulation.write(out)
    oracle = simulation.truth["oracle"]
    lines = [f"{len(simulation.rows)} pairs in {out}, the truth in {truth}", "best reachable accuracy:"]
    parts = [("overall", oracle), *oracle["by_category"].items()]
    lines += [f"  {name:14} {part['accuracy']:.3f}  n={part['n']}" for name, part in parts if part["n"]]
    lines += [f"planted {name}: {len(found['rows'])} rows" for name, found in simulation.truth["defects"].items()]
    result = {"out": str(out), "truth": str(truth), "pairs": len(simulation.rows), "oracle": oracle}
    output(result, "\n".join(lines), as_json=as_json)


def _share(text: str) -> tuple[str, float]:
    name, equals, share = text.partition("=")
    try:
        return name.strip(), float(share)
    except ValueError:
        found = "no share" if not equals else f"the share {share!r}"
        raise ConfigError(f"--defect {text!r}: {found}; expected NAME=SHARE, such as flipped_labels=0.1.") from None
