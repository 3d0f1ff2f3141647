"""`assay simulate`: data whose truth is known, simulated editors for a study. Parses, calls one function, prints."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from assay.cli import simulated_answers
from assay.cli.options import Json, output
from assay.errors import ConfigError

if TYPE_CHECKING:
    from assay.simulate.known_truth import Accuracy, Oracle

WorldName = Literal["grants", "support"]


def register(app: typer.Typer) -> None:
    """Add `assay simulate support`, `candidates`, `press`, `grants` and `editors`."""
    group = typer.Typer(help="Write pairs and candidates whose truth is known, or let simulated editors vote.",
                        no_args_is_help=True)  # fmt: skip
    group.command("support")(support)
    simulated_answers.register(group)
    group.command("grants")(grants)
    group.command("editors")(editors)
    app.add_typer(group, name="simulate")


def support(
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="JSON lines; the truth goes to FILE.truth.json.")],
    pairs: Annotated[int, typer.Option("--pairs", min=1, help="Pairs to write, exactly.")] = 8000,
    seed: Annotated[int, typer.Option("--seed", help="The same seed writes the same file.")] = 0,
    defect: Annotated[
        list[str] | None,
        typer.Option("--defect", metavar="NAME=SHARE", help="Plant a defect; may be repeated.", show_default=False),
    ] = None,
    shortcut: Annotated[
        list[str] | None,
        typer.Option(
            "--shortcut",
            metavar="NAME=STRENGTH",
            help="Plant a shortcut; length=0.9 pads the chosen answer to be the longer one in 9 of 10 pairs.",
            show_default=False,
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Write a simulated support desk: five categories, three annotators, a known best accuracy.

    Example: assay simulate support --pairs 8000 --seed 0 --defect flipped_labels=0.1 --out support.jsonl
    """
    from assay.simulate.support import support as simulate_support

    simulation = simulate_support(
        pairs, seed=seed, defects=_shares("--defect", defect), shortcuts=_shares("--shortcut", shortcut)
    )
    truth = simulation.write(out)
    oracle = simulation.truth["oracle"]
    lines = [f"{len(simulation.rows)} pairs in {out}, the truth in {truth}", *_best_reachable(oracle)]
    lines += [f"planted {name}: {len(found['rows'])} rows" for name, found in simulation.truth["defects"].items()]
    lines += [
        f"shortcut {name}: the chosen answer is the longer one in {found['followed']:.1%} of the pairs"
        for name, found in simulation.truth.get("shortcuts", {}).items()
    ]
    result = {"out": str(out), "truth": str(truth), "pairs": len(simulation.rows), "oracle": oracle}
    output(result, "\n".join(lines), as_json=as_json)


def grants(
    out: Annotated[
        Path,
        typer.Option(
            "--out",
            metavar="FILE",
            help="JSON lines; beside it FILE.truth.json, and NAME.fresh.jsonl and NAME.attention.jsonl for a study.",
        ),
    ],
    pairs: Annotated[int, typer.Option("--pairs", min=1, help="Pairs to write, exactly.")] = 2500,
    fresh: Annotated[int, typer.Option("--fresh", min=0, help="Prompts apart, which no pair has.")] = 50,
    seed: Annotated[int, typer.Option("--seed", help="The same seed writes the same files.")] = 0,
    as_json: Json = False,
) -> None:
    """Write a simulated grant office: paragraphs of applications, three simulated editors, a utility of any text.

    Example: assay simulate grants --pairs 2500 --fresh 50 --seed 0 --out grants.jsonl
    """
    from assay.simulate.grants import grants as simulate_grants

    office = simulate_grants(pairs, seed=seed, fresh=fresh)
    files = office.write(out)
    oracle = office.truth["oracle"]
    lines = [
        f"{len(office.rows)} simulated pairs in {out}, the truth in {files.truth}",
        f"{len(office.fresh)} fresh prompts in {files.fresh}; {len(office.attention)} attention items of a study in "
        f"{files.attention}",
        *_best_reachable(oracle),
    ]
    result = {
        "out": str(out), "truth": str(files.truth), "fresh": str(files.fresh), "attention": str(files.attention),
        "pairs": len(office.rows), "oracle": oracle,
    }  # fmt: skip
    output(result, "\n".join(lines), as_json=as_json)


def editors(
    links: Annotated[
        list[str],
        typer.Argument(
            metavar="LINKS",
            help="STUDY.links.csv of a study made with --simulated simulated-editor-1 (-2, -3; of the support desk "
            "simulated-agent-1), or up to three personal links, which the three editors take in order.",
        ),
    ],
    world: Annotated[
        WorldName, typer.Option("--world", help="Whose editors: the grant office's, or the support desk's.")
    ] = "grants",
    seed: Annotated[int, typer.Option("--seed", help="Of the editors' noise.")] = 0,
    as_json: Json = False,
) -> None:
    """Let a simulated world's editors vote in a study that is being served, over its own addresses.

    They judge the two texts shown by the documented utility, each with a taste and noise of their own; the support
    desk's also rate the aspects helpful, harmless and honest where the study asks for them. Every vote is kept as
    simulated. Interrupted, the same command goes on.

    Example: assay simulate editors study.db.links.csv
    """
    from assay.flows.simulated_editors import editors_of, vote_in_study

    done = [vote_in_study(editor, link, seed=seed) for editor, link in editors_of(links, world=world)]
    lines = []
    for one in done:
        lines.append(f"{one.editor}: {one.votes} simulated votes{_listed(one.choices)}")
        lines += [f"  {aspect}{_listed(said)}" for aspect, said in one.ratings.items()]
    result = {
        one.editor: {
            "judge": "simulated", "votes": one.votes, "choices": dict(one.choices),
            "ratings": {aspect: dict(said) for aspect, said in one.ratings.items()},
        }
        for one in done
    }  # fmt: skip
    output(result, "\n".join(lines), as_json=as_json)


def _listed(choices: Mapping[str, int]) -> str:
    return "".join(f", {count} {choice.replace('_', ' ')}" for choice, count in sorted(choices.items()))


def _best_reachable(oracle: Oracle) -> list[str]:
    parts: list[tuple[str, Accuracy]] = [("overall", oracle), *oracle["by_category"].items()]
    shares = [(name, part["accuracy"], part["n"]) for name, part in parts]
    return [
        "best reachable accuracy:",
        *(f"  {name:14} {accuracy:.3f}  n={n}" for name, accuracy, n in shares if accuracy is not None),
    ]


_EXAMPLES = {"--defect": "flipped_labels=0.1", "--shortcut": "length=0.9"}


def _shares(option: str, given: list[str] | None) -> dict[str, float]:
    return dict(_share(option, text) for text in given or ())


def _share(option: str, text: str) -> tuple[str, float]:
    name, equals, share = text.partition("=")
    try:
        return name.strip(), float(share)
    except ValueError:
        found = "no share" if not equals else f"the share {share!r}"
        raise ConfigError(f"{option} {text!r}: {found}; expected NAME=SHARE, such as {_EXAMPLES[option]}.") from None
