"""`assay study export`, `tasks`, `import`: a study's data out and in. Parses, calls, prints."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from assay.cli import study_pairs
from assay.cli.options import Json, StudyOrExport, StudyPlace, output
from assay.study.study_address import without_password
from assay.study.study_records import Tool

if TYPE_CHECKING:
    from assay.study.exchange import Imported

Format = Literal["jsonl", "labelstudio", "argilla"]
SHOWN_REJECTS = 10


def register(study_app: typer.Typer) -> None:
    study_app.command("export", epilog="Example: assay study export study.db --out published")(export)
    study_app.command("tasks", epilog="Example: assay study tasks study.db --for labelstudio --out tasks")(tasks)
    study_app.command("import", epilog="Example: assay study import study.db editor-1.json --from labelstudio")(import_)
    study_pairs.register(study_app)


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
