"""`assay study ...`: make, serve, watch and close a blind study. Parses, calls one function, prints."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assay.cli import analyse, exchange
from assay.cli.options import ConfigFile, Json, Sets, StudyPlace, notes, output
from assay.study.study_address import is_url, without_password

if TYPE_CHECKING:
    from assay.study.plan.create import Created
    from assay.study.study_records import EditorProgress, Study

study_app = typer.Typer(
    help="The blind study: editors open a link and judge two answers side by side.", no_args_is_help=True
)
DEFAULT_URL = "http://127.0.0.1:8321"


def register(app: typer.Typer) -> None:
    exchange.register(study_app)
    analyse.register(study_app)
    app.add_typer(study_app, name="study")


@study_app.command(epilog="Example: assay study create base.jsonl tuned.jsonl --out study.db --editors 3")
def create(
    *,
    generations: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[BASE.jsonl TUNED.jsonl ...]", help="One file of generations per system."),
    ] = None,
    out: Annotated[str, typer.Option("--out", help="Where the study will live: a new file, or postgresql://...")] = (
        "study.db"
    ),
    pairs: Annotated[Path | None, typer.Option(help="Instead of generations: rows of prompt, answer_a, answer_b.")] = (
        None
    ),
    name: Annotated[list[str] | None, typer.Option(help="A system's name, once per file, in their order.")] = None,
    editors: Annotated[int, typer.Option(min=0, help="This many editors, called editor-1, editor-2, ...")] = 0,
    editor: Annotated[list[str] | None, typer.Option(help="An editor by name; may be repeated.")] = None,
    simulated: Annotated[list[str] | None, typer.Option(help="A simulated judge by name; may be repeated.")] = None,
    llm: Annotated[list[str] | None, typer.Option(help="A judge that is a language model; may be repeated.")] = None,
    attention: Annotated[
        Path | None, typer.Option(help="Own attention items: rows of prompt, good, bad (English ones are built in).")
    ] = None,
    url: Annotated[str, typer.Option(help="Where editors will reach the server; goes into their links.")] = DEFAULT_URL,
    config: ConfigFile = None,
    sets: Sets = None,
    as_json: Json = False,
) -> None:
    """Make a sealed study from generation files: who judges what, when, on which side.

    Personal links are printed, and written beside a SQLite study as STUDY.links.csv; only their hashes are kept.
    """
    from assay.config import load_config
    from assay.study.config import StudyConfig
    from assay.study.plan import Sources, create_study
    from assay.study.plan.link_table import links_at, write_links
    from assay.study.study_records import Editor

    people = [Editor(name=f"editor-{number}") for number in range(1, editors + 1)]
    people += [Editor(name=one) for one in editor or ()]
    people += [Editor(name=one, judge="simulated") for one in simulated or ()]
    people += [Editor(name=one, judge="llm") for one in llm or ()]
    made = create_study(
        out,
        Sources(generations=tuple(generations or ()), names=tuple(name or ()), pairs=pairs, attention=attention),
        people,
        config=load_config(StudyConfig, file=config, sets=sets or ()),
    )
    links = links_at(url, made.tokens)
    kept = None if is_url(out) else write_links(Path(out), links)
    output(_created_json(made, links), _created_text(out, made, links, kept), as_json=as_json)


@study_app.command(epilog="Example: assay study serve study.db --port 8321")
def serve(
    study: StudyPlace,
    host: Annotated[str, typer.Option(help="Address to listen on; others can reach it only if it is not loopback.")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8321,
    url: Annotated[
        str | None, typer.Option(help="The address editors type, where a proxy with TLS stands in front.")
    ] = None,
) -> None:
    """Serve the study until interrupted. Votes are safe the moment the page says so; kill it whenever you like."""
    from assay.listening import is_loopback
    from assay.study.server import Address
    from assay.study.server import serve as run
    from assay.study.server.served_study import ServedStudy

    address = Address(host=host, port=port, url=url)

    def ready(served: ServedStudy) -> None:
        notes().print(f"{served.study.title}: serving {address.base}. Editors open their links; stop with Ctrl-C.")
        if not is_loopback(host) and not address.base.startswith("https://"):
            notes().print(
                "Warning: links and votes cross the network unencrypted. Put a proxy with TLS in front and give "
                "--url https://..."
            )

    run(study, address=address, ready=ready)


@study_app.command(epilog="Example: assay study status study.db")
def status(study: StudyPlace, as_json: Json = False) -> None:
    """How far each editor is, whether seal and audit trail hold. Tells no side and no choice."""
    from assay.study.store import read_facts, read_progress, verify

    found, progress, problems = read_facts(study), read_progress(study), verify(study)
    value = {
        "id": found.id,
        "title": found.title,
        "closed_at": found.closed_at,
        "seal": found.seal,
        "problems": problems,
        "power": dict(found.power),
        "giveaways": [dict(giveaway) for giveaway in found.giveaways],
        "set_aside": list(found.set_aside),
        "editors": [{**_entry(entry)} for entry in progress],
    }
    output(value, _status_text(found, progress, problems), as_json=as_json)


@study_app.command(epilog="Example: assay study close study.db --reason 'all three have finished'")
def close(
    study: StudyPlace,
    reason: Annotated[str, typer.Option(help="Kept in the study's log; say why if editors have not finished.")] = "",
    as_json: Json = False,
) -> None:
    """End the voting for good. Results can be read only after this, and no vote comes after it."""
    from assay.study.store import close_study

    found = close_study(study, reason=reason)
    output(
        {"id": found.id, "closed_at": found.closed_at},
        f"Closed {found.closed_at}. Results: assay study analyse {without_password(study)} --out result",
        as_json=as_json,
    )


@study_app.command(epilog="Example: assay study link study.db editor-1")
def link(
    *,
    study: StudyPlace,
    who: Annotated[str, typer.Argument(help='An editor\'s name, or "owner".')],
    revoke: Annotated[bool, typer.Option("--revoke", help="Only end the link; make no new one.")] = False,
    days: Annotated[float, typer.Option(min=0.01, help="Days until the new link expires.")] = 30.0,
    url: Annotated[str, typer.Option(help="Where editors reach the server.")] = DEFAULT_URL,
    as_json: Json = False,
) -> None:
    """Give an editor (or the owner) a new personal link; the old one and its sessions end at once."""
    from assay.study.store.links import renew_link, revoke_link

    name = None if who == "owner" else who
    if revoke:
        ended = revoke_link(study, name)
        output({"who": who, "ended": ended}, f"{who}: {ended} link(s) ended.", as_json=as_json)
        return
    made = f"{url.rstrip('/')}/s/{renew_link(study, name, days=days)}"
    output({"who": who, "link": made}, f"{who}: {made}", as_json=as_json)


def _created_json(made: Created, links: dict[str, str]) -> dict[str, object]:
    return {
        "id": made.id,
        "prompts": made.prompts,
        "showings": made.showings,
        "power": made.power.as_dict(),
        "giveaways": [giveaway.as_dict() for giveaway in made.giveaways],
        "set_aside": list(made.aside),
        "notes": list(made.notes),
        "links": links,
    }


def _created_text(out: str, made: Created, links: dict[str, str], kept: Path | None) -> str:
    from rich.markup import escape

    width = max(map(len, links))
    lines = [
        f"Study {made.id}: {made.prompts} prompts, {len(links) - 1} judges, {made.showings} showings. Sealed.",
        escape(made.power.sentence()),
        *(f"[yellow]note[/yellow] {escape(text)}" for text in made.notes),
        "",
        *(f"{escape(who):{width}}  {link}" for who, link in links.items()),
        "",
        f"Links are shown once{f' and kept in {kept} (yours alone to read)' if kept else ''}; the study keeps hashes.",
        f"Next: assay study serve {escape(without_password(out))}",
    ]
    return "\n".join(lines)


def _entry(entry: EditorProgress) -> dict[str, object]:
    return {
        "editor": entry.editor.name,
        "judge": entry.editor.judge,
        "done": entry.done,
        "total": entry.total,
        "last_at": entry.last_at,
        "link": entry.link,
    }


def _status_text(found: Study, progress: list[EditorProgress], problems: list[str]) -> str:
    from rich.markup import escape

    width = max(len(entry.editor.name) for entry in progress)
    lines = [
        f"{escape(found.title)} ({found.id}): {f'closed {found.closed_at}' if found.closed_at else 'open'}",
        *(
            f"  {escape(e.editor.name):{width}}  {e.done:4} of {e.total}  {e.editor.judge}, link {e.link}, last "
            f"{e.last_at or 'none yet'}"
            for e in progress
        ),
        escape(str(found.power["sentence"])),
        "Seal and audit trail hold." if not problems else f"[red]{escape(' '.join(problems))}[/red]",
    ]
    lines += [f"giveaway ({g['kind']}): {escape(str(g['system']))}: {escape(str(g['what']))}" for g in found.giveaways]
    if found.set_aside:
        lines.append(f"{len(found.set_aside)} prompts set aside.")
    return "\n".join(lines)
