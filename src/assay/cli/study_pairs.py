"""`assay study pairs` and `next`: votes become training pairs, and which comparisons to ask about next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, get_args

import typer

from assay.cli.options import ConfigFile, Json, Sets, StudyOrExport, output
from assay.errors import ConfigError

if TYPE_CHECKING:
    from assay.flows.next_by_axis import AxisRequest
    from assay.study.analysis.axis_proposals import AxisProposal
    from assay.study.analysis.axis_standing import AxisStanding
    from assay.study.analysis.training_rows import TrainingRow, TrainingRows
    from assay.study.config import NextConfig
    from assay.study.study_records import EditorKind

By = Annotated[
    Literal["whole", "aspects"],
    typer.Option("--by", help="aspects: a pair for each aspect that was rated, which is its objective."),
]
Judges = Annotated[
    list[str] | None,
    typer.Option(
        "--judges", help="Whose votes count: human (unless said), simulated, llm; may be repeated.", show_default=False
    ),
]
Proposals = Annotated[
    Path | None,
    typer.Option(
        "--proposals",
        metavar="FILE",
        help="What assay study next wrote and this study was made of: pairs then say in source.part whether they were "
        "random or chosen.",
        show_default=False,
    ),
]
OnePart = Annotated[
    Literal["random", "chosen"] | None,
    typer.Option(
        "--part", help="With --proposals: only these. Estimate on random, train on chosen.", show_default=False
    ),
]
Scores = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[SCORES|RUN|NAME=SCORES...]",
        help="Score files of several models, or a run folder; NAME=FILE: scores of one axis, such as helpful=h.jsonl.",
    ),
]
Pool = Annotated[
    str | None,
    typer.Option(
        "--pairs",
        help="What was scored: pairs, or prompts with candidates. Else --study's own comparisons again.",
        show_default=False,
    ),
]
Studies = Annotated[
    list[str] | None,
    typer.Option(
        "--study",
        metavar="STUDY|EXPORT",
        help="A closed study: by axis, what its votes leave open; may be repeated.",
        show_default=False,
    ),
]
Objectives = Annotated[
    list[str] | None,
    typer.Option(
        "--objective", metavar="NAME", help="An axis; may be repeated. Else the study's aspects.", show_default=False
    ),
]
RandomPart = Annotated[
    int | None,
    typer.Option(
        "--random",
        min=0,
        help="Of them drawn at random and marked so, for estimates; half by axis, else none.",
        show_default=False,
    ),
]


def register(study_app: typer.Typer) -> None:
    study_app.command("pairs", epilog="Example: assay study pairs study.db --by aspects --out pairs.jsonl")(pairs)
    study_app.command("next", epilog="Example: assay study next runs/support --pairs pairs.jsonl --out next.jsonl")(
        next_
    )


def pairs(
    study: StudyOrExport,
    out: Annotated[Path, typer.Option("--out", help="JSON lines to write, for assay check and assay reward.")],
    judges: Judges = None,
    by: By = "whole",
    proposals: Proposals = None,
    part: OnePart = None,
    as_json: Json = False,
) -> None:
    """Turn a closed study's votes into training pairs: majority, votes, agreement, margin, where they come from.

    Repeats and attention items never become pairs. Ties are written too: assay check counts them and sends them to
    review. By aspects one comparison becomes a pair for each aspect that was rated, whichever answer each prefers.
    """
    from rich.markup import escape

    from assay.artifacts.files import write_jsonl
    from assay.study.analysis.axis_pool import asked_parts, of_part
    from assay.study.analysis.training_rows import aspect_rows, training_rows
    from assay.study.exchange.pseudonyms import anonymised
    from assay.study.read_study import read_study

    wanted = _kinds(judges)
    if part is not None and proposals is None:
        raise ConfigError("--part tells parts of a file of assay study next: give it with --proposals FILE.")
    closed = anonymised(read_study(study))
    parts = None if proposals is None else asked_parts(closed, proposals)
    whole = aspect_rows(closed, judges=wanted) if by == "aspects" else {"": training_rows(closed, judges=wanted)}
    if parts is not None and part is not None:
        only = of_part(closed, parts, part)
        whole = {name: training_rows(only, judges=wanted, aspect=name or None) for name in whole}
    found = {name: replace(one, rows=_with_parts(one.rows, parts)) for name, one in whole.items()}
    rows = [row for one in found.values() for row in one.rows]
    count = write_jsonl(out, rows)
    ties = sum(row["label"] != "chosen" for row in rows)
    first = next(iter(found.values()))
    value: dict[str, object] = {
        "out": str(out), "rows": count, "without_majority": ties, "votes": first.votes,
        "votes_left_out": dict(first.left_out), "items_without_votes": first.items_without_votes,
    }  # fmt: skip
    of = f" of the {part} part" if part else ""
    text = f"{count} pairs{of} in {escape(str(out))}, {ties} of them without a majority"
    if by == "aspects":
        value["aspects"] = {name: _aspect_counts(one) for name, one in found.items()}
        lines = [f"{text}:", *(_aspect_line(name, one, part) for name, one in found.items())]
        output(value, "\n".join([*lines, f"Next: assay objectives {escape(str(out))}"]), as_json=as_json)
        return
    left = ", ".join(f"{number} {name}" for name, number in first.left_out.items())
    text += f"; votes left out: {left}" if left else ""
    text += f"; {first.items_without_votes} items have no vote" if first.items_without_votes else ""
    output(value, f"{text}.\nNext: assay check {escape(str(out))} --out checked", as_json=as_json)


def next_(
    *,
    scores: Scores = None,
    out: Annotated[Path, typer.Option("--out", help="JSON lines to write, for assay study create --pairs.")],
    pairs: Pool = None,
    count: Annotated[int, typer.Option(min=1, help="How many pairs to propose.")] = 50,
    study: Studies = None,
    objective: Objectives = None,
    judges: Judges = None,
    random: RandomPart = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the random part, and of what nothing else tells apart.")] = 0,
    run: Annotated[
        Path | None, typer.Option("--run", help="With score files: the run whose undecided categories come first.")
    ] = None,
    config: ConfigFile = None,
    sets: Sets = None,
    as_json: Json = False,
) -> None:
    """Propose the next pairs to judge: where models disagree, and where a run's gate left a category undecided.

    With --study by axis: what is not random goes where an axis is undecided (few comparisons with a majority, a win
    rate whose interval holds one half, editors who agree like a coin). One pair a prompt, near-duplicate prompts
    counted as one; each row says why it is there. How the pairs are read is set as everywhere, such as --set
    data.near_duplicates=0.9; when an axis is undecided by --set axes.least=30.
    """
    from assay.config import load_config
    from assay.flows.next_by_axis import AxisRequest
    from assay.study.config import NextConfig

    settings = load_config(NextConfig, file=config, sets=sets or [])
    given = scores or []
    if study or objective or random is not None or any("=" in one and not Path(one).exists() for one in given):
        if run is not None:
            raise ConfigError("--run counts where models are asked as a whole; by axis give --study, or leave it out.")
        asked = AxisRequest(
            scores=given, pairs=pairs, studies=study or (), axes=objective or (), judges=_kinds(judges), count=count,
            random=random, seed=seed,
        )  # fmt: skip
        _next_by_axis(asked, out, settings=settings, as_json=as_json)
        return
    if pairs is None or not given:
        raise ConfigError("Give SCORES or a RUN with --pairs, the file they score; or --study, to ask by axis.")
    if judges:
        raise ConfigError("--judges says whose votes of a study count: give it with --study STUDY.")
    _next_of_models(given, out, count=count, pairs=pairs, run=run, settings=settings, as_json=as_json)


def _next_of_models(
    given: Sequence[str], out: Path, *, count: int, pairs: str, run: Path | None, settings: NextConfig, as_json: bool
) -> None:
    from rich.markup import escape

    from assay.artifacts.files import write_jsonl
    from assay.study.analysis.proposals import propose
    from assay.study.analysis.unjudged import proposal_row, read_pool

    pool = read_pool([Path(one) for one in given], pairs, config=settings.data, run=run)
    chosen = propose(pool.questions, count=count, undecided=pool.undecided)
    write_jsonl(out, (proposal_row(one, chosen_first=pool.chosen_first) for one in chosen))
    value = {
        "out": str(out), "proposed": len(chosen), "asked": count, "pool": len(pool.questions), "models": pool.models,
        "unscored": pool.unscored, "undecided": dict(pool.undecided),
    }  # fmt: skip
    models = "one model" if pool.models == 1 else f"{pool.models} models"
    text = f"{len(chosen)} of {len(pool.questions)} pairs scored by {models}, in {escape(str(out))}"
    text += f"; {pool.unscored} others, not scored by every model, passed over" if pool.unscored else ""
    text += f"; undecided: {escape(', '.join(pool.undecided))}" if pool.undecided else ""
    text += "; one model cannot disagree, so pairs near even were taken" if pool.models == 1 else ""
    text += f"; fewer than {count}: one a prompt group" if len(chosen) < count else ""
    output(value, f"{text}.\nNext: assay study create --pairs {escape(str(out))} --out study.db", as_json=as_json)


def _next_by_axis(asked: AxisRequest, out: Path, *, settings: NextConfig, as_json: bool) -> None:
    from rich.markup import escape

    from assay.artifacts.files import write_jsonl
    from assay.flows.next_by_axis import next_by_axis
    from assay.study.analysis.axis_pool import axis_row

    found = next_by_axis(asked, settings=settings)
    write_jsonl(out, map(axis_row, found.proposals))
    random = sum(one.part == "random" for one in found.proposals)
    value = {
        "out": str(out), "proposed": len(found.proposals), "asked": asked.count, "random": random, "seed": asked.seed,
        "pool": len(found.pool.questions), "judged_already": found.pool.judged, "unscored": found.pool.unscored,
        "axes": {axis: [one.to_dict() for one in parts] for axis, parts in found.standings.items()},
        "chosen": {axis: sum(one.axis == axis for one in found.proposals) for axis in found.standings},
    }  # fmt: skip
    text = (
        f"{len(found.proposals)} of {len(found.pool.questions)} comparisons in {escape(str(out))}: {random} at random"
    )
    text += f", for estimates; {len(found.proposals) - random} chosen, to train on" if found.standings else ""
    lines = [text, *(_axis_line(axis, parts, found.proposals) for axis, parts in found.standings.items())]
    if found.pool.judged or found.pool.unscored:
        lines.append(f"passed over: {found.pool.judged} judged already, {found.pool.unscored} without a score")
    if len(found.proposals) < asked.count:
        lines.append(f"fewer than {asked.count}: one a prompt group")
    lines.append(f"Next: assay study create --pairs {escape(str(out))} --out study.db")
    output(value, "\n".join(lines), as_json=as_json)


def _axis_line(axis: str, parts: Sequence[AxisStanding], proposals: Sequence[AxisProposal]) -> str:
    from rich.markup import escape

    count = sum(one.axis == axis for one in proposals)
    text = f"  {axis}: {count} chosen; {parts[0].outcome}: {parts[0].reasons[0]}"
    named = [f"{one.category} {one.outcome}" for one in parts[1:] if one.outcome != "decided"]
    return escape(text + (f"; {', '.join(named)}" if named else ""))


def _kinds(judges: Sequence[str] | None) -> list[EditorKind]:
    from assay.study.study_records import EditorKind

    wanted: list[EditorKind] = [kind for kind in get_args(EditorKind) if kind in (judges or ["human"])]
    unknown = sorted(set(judges or ()) - set(wanted))
    if unknown:
        raise ConfigError(f"--judges {unknown[0]}: no such judges. There are {', '.join(get_args(EditorKind))}.")
    return wanted


def _with_parts(
    rows: Sequence[TrainingRow], parts: Mapping[str, tuple[str, str | None]] | None
) -> tuple[TrainingRow, ...]:
    """Rows with what is known of why they were asked for."""
    if parts is None:
        return tuple(rows)
    found: list[TrainingRow] = []
    for row in rows:
        part, axis = parts[row["source"]["item"]]
        source = {**row["source"], "part": part, **({} if axis is None else {"axis": axis})}
        found.append({**row, "source": source})  # type: ignore[typeddict-item]
    return tuple(found)


def _aspect_counts(one: TrainingRows) -> dict[str, object]:
    return {
        "rows": len(one.rows), "without_majority": sum(row["label"] != "chosen" for row in one.rows),
        "votes_left_out": dict(one.left_out), "items_without_votes": one.items_without_votes,
    }  # fmt: skip


def _aspect_line(name: str, one: TrainingRows, part: str | None) -> str:
    from rich.markup import escape

    if not one.rows:
        return escape(f"  {name}: nobody rated it{f' in the {part} part' if part else ''}, so there is no pair of it")
    ties = sum(row["label"] != "chosen" for row in one.rows)
    shares = [row["agreement"] for row in one.rows if row["agreement"] is not None]
    text = f"  {name}: {len(one.rows)} pairs, {ties} without a majority, {sum(shares) / len(shares):.1%} of votes agree"
    return escape(text + (f", {one.items_without_votes} items not rated" if one.items_without_votes else ""))
