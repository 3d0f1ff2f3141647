"""A user's folder of texts -> passages, and those that have most of a query's words in common with it (BM25, bm25s).

.txt and .md: paragraphs, short ones joined, with the last heading before them. .jsonl: a passage a row, the text in
`text`, `passage`, `content` or `body`, beside `title` if there is one. The index is kept by content: of the files'
names and bytes. Knows texts; knows no statement.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING

import numpy as np
import orjson

from assay.errors import InputError
from assay.scorers.factuality.word_stems import word_stems

if TYPE_CHECKING:
    from bm25s import BM25

FILES = frozenset({".txt", ".md", ".jsonl"})
FIELDS = ("text", "passage", "content", "body")
LONG = 900  # characters from which on a passage takes no further paragraph
INDEX = "bm25-1"  # of how passages are cut and indexed; another one makes all indexes anew


@dataclass(frozen=True, slots=True)
class Passage:
    """name: the file and the passage's number in it, from 1."""

    name: str
    text: str


class PassageFolder:
    """The passages of a folder. Raises InputError for one that is not there, holds none, or cannot be read."""

    def __init__(self, folder: Path, *, cache: Path | None = None) -> None:
        self.folder, self.cache = folder, cache
        files = _files(folder)
        self.passages: tuple[Passage, ...] = tuple(one for file in files for one in _passages(file, folder))
        if not self.passages:
            raise InputError(
                f"{folder}: no passage in it. Put .txt, .md or .jsonl files there (rows with one of the fields "
                f"{', '.join(FIELDS)})."
            )

    @cached_property
    def fingerprint(self) -> str:
        """Of every passage and its name."""
        digest = hashlib.sha256(INDEX.encode())
        for one in self.passages:
            digest.update(orjson.dumps([one.name, one.text]))
        return f"sha256:{digest.hexdigest()}"

    def best(self, query: str, most: int) -> list[Passage]:
        """Up to `most` passages that share a word with the query, the best first; in the folder's order where equal."""
        words = [word for word in dict.fromkeys(word_stems(query)) if word in self._index.vocab_dict]
        if not words:
            return []
        scores = self._index.get_scores(words)
        order = np.argsort(-scores, kind="stable")[:most]
        return [self.passages[place] for place in order.tolist() if scores[place] > 0]

    @cached_property
    def _index(self) -> BM25:
        from bm25s import BM25

        kept = None if self.cache is None else self.cache / self.fingerprint.removeprefix("sha256:")
        if kept is not None and kept.is_dir():
            try:
                return BM25.load(kept, show_progress=False)
            except (
                OSError,
                EOFError,
                ValueError,
                KeyError,
                orjson.JSONDecodeError,
            ):  # torn, or empty after a crash; it is made anew
                shutil.rmtree(kept, ignore_errors=True)
        index = BM25()
        index.index([word_stems(one.text) or [""] for one in self.passages], show_progress=False)
        if kept is not None:
            _keep(index, kept)
        return index


def _keep(index: BM25, place: Path) -> None:
    """Written beside and renamed: whoever looks meanwhile finds all of it or nothing."""
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(mkdtemp(dir=place.parent, prefix=".making-"))
        index.save(beside, show_progress=False)
    except OSError as error:
        raise InputError(
            f"{place.parent}: the folder's index cannot be kept there ({error}). Name another folder as cache, or set "
            "$ASSAY_CACHE."
        ) from None
    try:
        beside.rename(place)
    except OSError:  # another process was first, with the same
        shutil.rmtree(beside, ignore_errors=True)


def _files(folder: Path) -> Sequence[Path]:
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder. Name a folder of .txt, .md or .jsonl files.")
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in FILES and path.is_file())


def _passages(file: Path, folder: Path) -> Iterator[Passage]:
    name = file.relative_to(folder).as_posix()
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"{file}: cannot be read as UTF-8 text ({error}). Mend it, or take it out of the folder."
        ) from None
    texts = _rows(file, text) if file.suffix.lower() == ".jsonl" else _paragraphs(text)
    for number, one in enumerate(texts, 1):
        yield Passage(f"{name}:{number}", one)


def _rows(file: Path, text: str) -> Iterator[str]:
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            raise InputError(f"{file}:{number}: no JSON ({error}). Mend the line, or take it out.") from None
        found = (
            next((row[name] for name in FIELDS if isinstance(row.get(name), str)), None)
            if isinstance(row, dict)
            else None
        )
        if found is None:
            raise InputError(f"{file}:{number}: no text in it. A row has one of the fields {', '.join(FIELDS)}.")
        title = row.get("title")
        yield f"{title}\n{found}" if isinstance(title, str) and title else found


def _paragraphs(text: str) -> Iterator[str]:
    """Paragraphs, short ones joined up to LONG; a heading begins a passage, and stands before its further ones."""
    heading, held = "", ""
    for raw in text.replace("\r\n", "\n").split("\n\n"):
        paragraph = raw.strip()
        if not paragraph:
            continue
        if paragraph.startswith("#"):
            if held:
                yield held
            heading, _, rest = paragraph.partition("\n")
            heading, held = heading.lstrip("# ").strip(), ""
            paragraph = rest.strip()
            if not paragraph:
                continue
        joined = f"{held}\n{paragraph}" if held else f"{heading}\n{paragraph}".strip()
        if held and len(joined) > LONG:
            yield held
            joined = f"{heading}\n{paragraph}".strip()
        held = joined
    if held:
        yield held
