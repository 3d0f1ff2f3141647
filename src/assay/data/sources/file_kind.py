"""What a file looks like that holds no rows of pairs, in words for an error. Reads its first bytes; knows no layout."""

from __future__ import annotations

import re
from pathlib import Path

import orjson

from assay.data.sources.encodings import likely_encoding
from assay.data.sources.lines import BOM, opened
from assay.errors import InputError

STARTS = {
    b"PK\x03\x04": "a zip archive (an Excel workbook is one): unpack it, or save the sheet as CSV",
    b"version https://git-lfs": "a Git LFS pointer, not the file itself: git lfs pull",
    b"<!DOCTYPE": "an HTML page: was a web page saved in place of the file?",
    b"<html": "an HTML page: was a web page saved in place of the file?",
    b"PAR1": "a Parquet file: name it .parquet",
    b"%PDF": "a PDF document",
}
HEAD = 2**20


def looks_like(path: Path) -> str | None:
    """What a file seems to be, with a way on; None where its rows may be rows."""
    if not path.is_file():
        return None
    try:
        with opened(path) as stream:
            head = stream.read(HEAD + 1)
    except InputError:
        return None
    head = head.removeprefix(BOM).lstrip()
    known = next((what for start, what in STARTS.items() if head[: len(start)].lower() == start.lower()), None)
    if known is not None or likely_encoding(head) is not None:
        return known
    return one_object(head, path) if head.startswith(b"{") else None


def one_object(head: bytes, path: Path) -> str | None:
    """Whether a file is one JSON object over several lines, and where in it rows may be."""
    first = head.split(b"\n", 1)[0]
    try:
        orjson.loads(first)
    except orjson.JSONDecodeError:
        pass
    else:
        return None
    try:
        whole = orjson.loads(head)
    except orjson.JSONDecodeError:
        keys = re.findall(rb'^\s+"([^"]+)"\s*:\s*\[\s*$', head, re.MULTILINE)
        lists = [key.decode("utf-8", "replace") for key in keys[:1]]
    else:
        lists = [key for key, value in whole.items() if isinstance(value, list)] if isinstance(whole, dict) else []
    row = f"jq -c '.{lists[0]}[]' {path} > rows.jsonl" if lists else f"jq -c . {path} > rows.jsonl"
    return f"JSON written over several lines, not one row a line. Make it JSON lines: {row}"
