"""Folders of texts: how they are cut, what is found, what is kept, and every folder that cannot be used."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay.errors import InputError
from assay.scorers.factuality.passages import LONG, PassageFolder


def folder(place: Path, **files: str) -> Path:
    place.mkdir(exist_ok=True)
    for name, text in files.items():
        (place / name.replace("_", ".")).write_text(text, encoding="utf-8")
    return place


def texts(found: PassageFolder) -> dict[str, str]:
    return {one.name: one.text for one in found.passages}


def test_files_become_passages_with_their_headings(tmp_path: Path) -> None:
    long = "word " * 250
    found = PassageFolder(
        folder(
            tmp_path / "f",
            a_md=f"# Returns\n\nReturns are free.\n\nWithin 30 days.\n\n# Repairs\nTwo weeks.\n\n{long}",
            b_txt="Plain.\r\n\r\nText.",
            c_jsonl='{"title": "Sunday", "text": "We deliver."}\n\n{"passage": "No title."}\n',
            d_py="not read",
        )
    )
    assert texts(found) == {
        "a.md:1": "Returns\nReturns are free.\nWithin 30 days.",
        "a.md:2": "Repairs\nTwo weeks.",
        "a.md:3": f"Repairs\n{long.strip()}",
        "b.txt:1": "Plain.\nText.",
        "c.jsonl:1": "Sunday\nWe deliver.",
        "c.jsonl:2": "No title.",
    }
    assert all(len(text) <= LONG for name, text in texts(found).items() if name != "a.md:3")


def test_the_passage_that_is_about_it_comes_first_and_none_that_shares_no_word(tmp_path: Path) -> None:
    rows = [f'{{"text": "Office {n} is in town {n}."}}' for n in range(20)] + ['{"text": "Repairs take two weeks."}']
    found = PassageFolder(folder(tmp_path / "f", a_jsonl="\n".join(rows)))
    assert [one.text for one in found.best("How long is a repair?", 3)] == ["Repairs take two weeks."]
    assert len(found.best("Which office?", 3)) == 3
    assert found.best("Which office?", 3) == found.best("Which office?", 3)
    assert found.best("zebra", 3) == []
    assert found.best("", 3) == []


def test_the_index_is_kept_by_content(tmp_path: Path) -> None:
    place = folder(tmp_path / "f", a_txt="Repairs take two weeks.")
    cache = tmp_path / "cache"
    first = PassageFolder(place, cache=cache)
    before = first.best("repair", 1)
    (kept,) = cache.iterdir()
    assert first.fingerprint.endswith(kept.name)
    again = PassageFolder(place, cache=cache)
    assert again.best("repair", 1) == before
    for file in kept.iterdir():  # torn: it is made anew
        file.write_bytes(b"")
    assert PassageFolder(place, cache=cache).best("repair", 1) == before
    (place / "a.txt").write_text("Repairs take three weeks.")
    other = PassageFolder(place, cache=cache)
    assert other.fingerprint != first.fingerprint
    assert other.best("repair", 1)[0].text == "Repairs take three weeks."
    assert len(list(cache.iterdir())) == 2


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, "no passage in it"),
        ({"a_txt": "\n \n"}, "no passage in it"),
        ({"a_jsonl": '{"text": "fine"}\n{torn'}, r"a\.jsonl:2: no JSON"),
        ({"a_jsonl": '{"words": "x"}'}, r"a\.jsonl:1: no text in it"),
        ({"a_jsonl": "[1]"}, r"a\.jsonl:1: no text in it"),
    ],
)
def test_folders_that_cannot_be_used_say_why(files: dict[str, str], said: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=said):
        PassageFolder(folder(tmp_path / "f", **files))


def test_a_file_that_is_no_text_and_a_folder_that_is_not_there(tmp_path: Path) -> None:
    place = folder(tmp_path / "f", a_txt="Fine.")
    (place / "b.txt").write_bytes(b"\xff\xfe\x00caf\xe9")
    with pytest.raises(InputError, match=r"b\.txt: cannot be read as UTF-8"):
        PassageFolder(place)
    with pytest.raises(InputError, match="no such folder"):
        PassageFolder(tmp_path / "none")


def test_an_index_that_a_crash_left_empty_is_made_anew_and_a_cache_that_cannot_be_is_named(tmp_path: Path) -> None:
    place = folder(tmp_path / "f", a_txt="Parking costs $8.", b_jsonl='\ufeff{"text": "Storage costs $3."}\n')
    for name in ("data", "indices", "indptr"):
        (first,) = PassageFolder(place, cache=tmp_path / "kept").best("storage", 1)
        (kept,) = (tmp_path / "kept").iterdir()
        (kept / f"{name}.csc.index.npy").write_bytes(b"")
        assert PassageFolder(place, cache=tmp_path / "kept").best("storage", 1) == [first]
        assert first.text == "Storage costs $3."  # behind a byte order mark
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="index cannot be kept there"):
        PassageFolder(place, cache=tmp_path / "file").best("storage", 1)
