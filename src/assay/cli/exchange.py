"""`assay study export`, `tasks`, `import`, `pairs`, `next`: a study's data out and in. Parses, calls, prints."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, get_args

import typer

from assay.cli.options import ConfigFile, Json, Sets, StudyPlace, output
from assay.study.study_address import without_password
from assay.study.study_records import Tool

if TYPE_CHECKING:
    from assay.study.exchange import Imported

StudyOrExport = Annotated[
    str, typer.Argument(metavar="STUDY|EXPORT", help="A closed study, or a folder that assay study export wrote.")
]
Format = Literal["jsonl", "labelstudio", "argilla"]
SHOWN_REJECTS = 10


def register(study_app: typer.Typer) -> None:
    study_app.command("export", epilog="Example: assay study export study.db --out published")(export)
    study_app.command("tasks", epilog="Example: assay study tasks study.db --for labelstudio --out tasks")(tasks)
    study_app.command("import", epilog="Example: assay study import study.db editor-1.json --from labelstudio")(import_)
    study_app.command("pairs", epilog="Example: assay study pairs study.db --out pairs.jsonl")(pairs)
    study_app.command("next", epilog="Example: assay study next runs/support --pairs pairs.jsonl --out next.jsonl")(
        next_
    )


def export(
    study: StudyOrExport,
    out: Annotated[Path, typer.Option("--out", help="A folder to make.")],
    format: Annotated[  # noqa: A002
        Format, typer.Option("--format", help="jsonl: the anonymous folder (JSON lines and CSV), read back by assay.")
    ] = "jsonl",
    times: Annotated[bool, typer.Option("--times", help="With clock times; they can tell who an editor is.")] = False,
    comments: Annotated[
        bool, typer.Option("--comments", help="With the editors' comments; read them first, they can name people.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Write a closed study's votes, items and facts without names, for others to analyse.

    Editors are pseudonyms; no names, links, seed, clock times or comments. Humans and programs stay labelled.
    """
    from rich.markup import escape

    from assay.errors import StudyError
    from assay.study.exchange import write_annotated
    from assay.study.exchange.anonymous_folder import is_export, write_export
    from assay.study.read_study import read_study
    from assay.study.store.closed_study import read_closed

    if format == "jsonl":
        if is_export(study):
            raise StudyError(f"{study}: is an export already. Give the study itself.")
        made = write_export(read_closed(study), out, times=times, comments=comments)
        value: dict[str, object] = {
            "out": str(out), "votes": made.votes, "items": made.items, "editors": made.editors,
            "left_out": list(made.left_out), "hash": made.hash,
        }  # fmt: skip
        text = (
            f"{made.votes} votes on {made.items} items by {made.editors} editors in {escape(str(out))}; "
            f"without {', '.join(made.left_out)}."
        )
    else:
        told = write_annotated(read_study(study), out, format=format, comments=comments)
        value = {"out": str(out), "votes": told.votes, "items": told.items, "files": list(told.files)}
        text = f"{told.votes} votes on {told.items} items in {escape(str(out))}: {', '.join(told.files)}"
    output(value, text, as_json=as_json)


def tasks(
    study: StudyPlace,
    tool: Annotated[Tool, typer.Option("--for", help="The tool people will judge in.")],
    out: Annotated[Path, typer.Option("--out", help="A folder to make; one file or folder an editor.")],
    editor: Annotated[list[str] | None, typer.Option(help="Only this editor; may be repeated.")] = None,
    as_json: Json = False,
) -> None:
    """Write what is not judged yet as blind tasks for another tool: sides as sealed, no system names.

    Give each editor their own project with their own file. Bring the annotated files back with assay study import.
    """
    from rich.markup import escape

    from assay.study.exchange import write_tasks

    made = write_tasks(study, out, tool=tool, editors=editor or ())
    value = {
        "out": str(out), "tool": tool, "tasks": made.tasks, "extra": list(made.extra),
        "editors": {name: {"file": file, "tasks": count} for name, (file, count) in made.sheets.items()},
    }  # fmt: skip
    lines = [f"{made.tasks} tasks in {escape(str(out))}{''.join(f', with {one}' for one in made.extra)}"]
    lines += [f"  {escape(name)}: {file}, {count} tasks" for name, (file, count) in made.sheets.items()]
    lines.append(f"Back in: assay study import {escape(without_password(study))} FILE --from {tool}")
    output(value, "\n".join(lines), as_json=as_json)


def import_(
    study: StudyPlace,
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Annotated files, one or more an editor.")],
    tool: Annotated[Tool, typer.Option("--from", help="The tool that wrote them.")],
    rejects: Annotated[Path | None, typer.Option("--rejects", help="Write the rejected rows here, as JSON lines.")] = (
        None
    ),
    as_json: Json = False,
) -> None:
    """Append the votes of annotated files to an open study; every row is recorded, repeated, or rejected by name.

    Stop the study's server first. A file with showings of another study changes nothing and ends with exit code 2.
    """
    from assay.artifacts.files import write_jsonl
    from assay.study.exchange import import_votes

    found = import_votes(study, files, tool=tool)
    if rejects is not None:
        write_jsonl(rejects, found.rejected)
    output(found.as_dict(), _imported_text(found, rejects), as_json=as_json)


def pairs(
    study: StudyOrExport,
    out: Annotated[Path, typer.Option("--out", help="JSON lines to write, for assay check and assay reward.")],
    judges: Annotated[
        list[str] | None,
        typer.Option("--judges", help="Whose votes count: human (unless said), simulated, llm; may be repeated."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Turn a closed study's votes into training pairs: majority, votes, agreement, margin, where they come from.

    Repeats and attention items never become pairs. Ties are written too: assay check counts them and sends them to
    review.
    """
    from rich.markup import escape

    from assay.artifacts.files import write_jsonl
    from assay.errors import ConfigError
    from assay.study.analysis.training_rows import training_rows
    from assay.study.exchange.pseudonyms import anonymised
    from assay.study.read_study import read_study
    from assay.study.study_records import EditorKind

    wanted: list[EditorKind] = [kind for kind in get_args(EditorKind) if kind in (judges or ["human"])]
    unknown = set(judges or ()) - set(wanted)
    if unknown:
        raise ConfigError(
            f"--judges {sorted(unknown)[0]}: no such judges. There are {', '.join(get_args(EditorKind))}."
        )
    found = training_rows(anonymised(read_study(study)), judges=wanted)
    count = write_jsonl(out, found.rows)
    ties = sum(row["label"] != "chosen" for row in found.rows)
    value = {
        "out": str(out), "rows": count, "without_majority": ties, "votes": found.votes,
        "votes_left_out": dict(found.left_out), "items_without_votes": found.items_without_votes,
    }  # fmt: skip
    left = ", ".join(f"{number} {name}" for name, number in found.left_out.items())
    text = f"{count} pairs in {escape(str(out))}, {ties} of them without a majority"
    text += f"; votes left out: {left}" if left else ""
    text += f"; {found.items_without_votes} items have no vote" if found.items_without_votes else ""
    output(value, f"{text}.\nNext: assay check {escape(str(out))} --out checked", as_json=as_json)


def next_(
    scores: Annotated[
        list[Path], typer.Argument(metavar="SCORES|RUN...", help="Score files of several models, or a run folder.")
    ],
    pairs: Annotated[str, typer.Option("--pairs", help="What was scored: pairs, or prompts with candidates.")],
    out: Annotated[Path, typer.Option("--out", help="JSON lines to write, for assay study create --pairs.")],
    count: Annotated[int, typer.Option(min=1, help="How many pairs to propose.")] = 50,
    run: Annotated[
        Path | None, typer.Option("--run", help="With score files: the run whose undecided categories come first.")
    ] = None,
    config: ConfigFile = None,
    sets: Sets = None,
    as_json: Json = False,
) -> None:
    """Propose the next pairs to judge: where models disagree, and where a run's gate left a category undecided.

    One pair a prompt, near-duplicate prompts counted as one; each row says why it is there. How the pairs are read is
    set as everywhere, such as --set data.near_duplicates=0.9.
    """
    from rich.markup import escape

    from assay.artifacts.files import write_jsonl
    from assay.config import load_config
    from assay.study.analysis.proposals import propose
    from assay.study.analysis.unjudged import proposal_row, read_pool
    from assay.study.config import NextConfig

    settings = load_config(NextConfig, file=config, sets=sets or [])
    pool = read_pool(scores, pairs, config=settings.data, run=run)
    chosen = propose(pool.questions, count=count, undecided=pool.undecided)
    write_jsonl(out, (proposal_row(one, chosen_first=pool.chosen_first) for one in chosen))
    value = {
        "out": str(out), "proposed": len(chosen), "asked": count, "pool": len(pool.questions), "models": pool.models,
        "unscored": pool.unscored, "undecided": dict(pool.undecided),
    }  # fmt: skip
    text = f"{len(chosen)} of {len(pool.questions)} pairs scored by {_models(pool.models)}, in {escape(str(out))}"
    text += f"; {pool.unscored} others, not scored by every model, passed over" if pool.unscored else ""
    text += f"; undecided: {escape(', '.join(pool.undecided))}" if pool.undecided else ""
    text += "; one model cannot disagree, so pairs near even were taken" if pool.models == 1 else ""
    text += f"; fewer than {count}: one a prompt group" if len(chosen) < count else ""
    output(value, f"{text}.\nNext: assay study create --pairs {escape(str(out))} --out study.db", as_json=as_json)


def _models(count: int) -> str:
    return "one model" if count == 1 else f"{count} models"


def _imported_text(found: Imported, rejects: Path | None) -> str:
    from rich.markup import escape

    lines = [
        f"{found.rows} rows: {found.recorded} votes recorded, {found.repeated} were there already, "
        f"{len(found.rejected)} rejected."
    ]
    lines += [f"  {escape(one.where)}: {one.reason} ({escape(one.detail)})" for one in found.rejected[:SHOWN_REJECTS]]
    if len(found.rejected) > SHOWN_REJECTS:
        more = len(found.rejected) - SHOWN_REJECTS
        lines.append(f"  and {more} more" + (f", all in {escape(str(rejects))}" if rejects else "; see --rejects FILE"))
    return "\n".join(lines)
