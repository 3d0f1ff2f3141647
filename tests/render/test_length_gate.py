"""The gate keeps what fits, with its rows; counts what it drops; and every row is tokenised once."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from assay.errors import InputError
from assay.records import Message, Pair, Text
from assay.render.encoder import Renderer
from assay.render.length_gate import length_gate
from tests.support import bases

Make = Callable[..., Renderer]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """A renderer for a tiny decoder with the given tokenizer settings."""

    def build(**settings_: Any) -> Renderer:
        folder = tmp_path / f"base-{len(list(tmp_path.iterdir()))}"
        return Renderer.from_pretrained(bases.save(folder, "llama", tokenizer=bases.bpe(**settings_)))

    return build


def conversation(*turns: str) -> tuple[Message, ...]:
    """user, assistant, user, ... turns."""
    return tuple(Message(role=("user", "assistant")[n % 2], content=turn) for n, turn in enumerate(turns))


def pair(name: str, chosen: Text, rejected: Text, prompt: Text = "a", category: str | None = "tone") -> Pair:
    return Pair(id=name, prompt=prompt, chosen=chosen, rejected=rejected, category=category)


def test_the_gate_drops_counts_and_never_cuts(make: Make) -> None:
    renderer = make(template=bases.REFUSES_SYSTEM.replace("message['content'] +", "message['content'] | trim +"))
    long = "refund " * 40
    pairs = [
        pair("fits", "b", "c d e"),
        pair("chosen", long, "c"),
        pair("rejected", "b", long, category=None),
        pair("both", long, long + "x"),
        pair("prompt", "b", "c", prompt=long),
        pair("alike", "b", " b\n"),
        pair("roles", "b", "c", prompt=conversation("a", "b")),
    ]
    gate = length_gate(pairs, renderer, 40)
    assert [p.id for p in gate.pairs] == ["fits"]
    assert [(r.reason, r.side) for r in gate.rejects] == [
        ("too_long", "chosen"),
        ("too_long", "rejected"),
        ("too_long", "both"),
        ("too_long", "prompt"),
        ("identical_candidates", "both"),
        ("template_not_prefix", "both"),
    ]
    assert gate.counts["by_side"] == {"chosen": 1, "rejected": 1, "both": 3, "prompt": 1}
    assert gate.counts["by_category"] == {"tone": 5, "(none)": 1}
    chosen, rejected = (renderer.encode("a", answer) for answer in ("b", "c d e"))
    answer_tokens = len(chosen.ids) - chosen.prompt_tokens, len(rejected.ids) - rejected.prompt_tokens
    assert gate.tokens == {"fits": answer_tokens}
    long_row = renderer.encode("a", long)
    assert f"chosen has {len(long_row.ids)} tokens" in gate.rejects[0].detail
    assert "the limit is 40" in gate.rejects[0].detail
    assert "alternate" in gate.rejects[-1].detail


def test_the_gate_at_the_limit(make: Make) -> None:
    renderer = make()
    one = pair("one", "b", "c")
    tokens = len(renderer.encode("a", "b").ids)
    assert length_gate([one], renderer, tokens).pairs == [one]
    assert length_gate([one], renderer, tokens - 1).pairs == []
    assert length_gate([], renderer, 5).pairs == []


def test_the_kept_are_handed_on_as_they_are_rendered(make: Make) -> None:
    renderer = make()
    pairs = [pair("one", "b", "c d e"), pair("long", "refund " * 40, "c"), pair("two", "d", "e", prompt="f")]
    rendered = length_gate(pairs, renderer, 40).rendered
    assert list(rendered.rows) == ["one", "two"]
    for kept in (pairs[0], pairs[2]):
        rows = rendered.of(kept, renderer)
        assert rows == tuple(renderer.encode(kept.prompt, answer) for answer in (kept.chosen, kept.rejected))
    with pytest.raises(InputError, match="pair long has no rendered rows"):
        rendered.of(pairs[1], renderer)
    with pytest.raises(InputError, match="rendered for another base"):
        rendered.of(pairs[0], make(template=bases.THINKS))


def counting(renderer: Renderer) -> Counter[str]:
    """How often each text is tokenised from now on."""
    texts: Counter[str] = Counter()
    original = renderer.tokenizer

    class Counted:
        def __getattr__(self, name: str) -> Any:
            return getattr(original, name)

        def __call__(self, *columns: list[str], **options: Any) -> Any:
            texts.update(zip(*columns, strict=True) if len(columns) > 1 else columns[0])
            return original(*columns, **options)

    renderer.tokenizer = Counted()  # type: ignore[assignment]
    return texts


@pytest.mark.parametrize("kind", ["llama", "bert"])
def test_each_distinct_row_is_tokenised_once(kind: str, tmp_path: Path) -> None:
    renderer = Renderer.from_pretrained(bases.save(tmp_path, kind))
    pairs = [pair(str(n), f"answer {n}", "No.", prompt=f"question {n // 2}") for n in range(20)]
    texts = counting(renderer)
    gate = length_gate(pairs, renderer, 60)
    assert len(gate.pairs) == 20
    for kept in gate.pairs:
        gate.rendered.of(kept, renderer)
    rows = {text for text in texts if "answer" in str(text) or "No." in str(text)}
    assert len(rows) == 30  # 20 chosen, and "No." under each of 10 prompts
    if kind == "llama":
        assert set(texts.values()) == {1}
        assert len(texts) == 30 + 10  # and each prompt by itself, to find where it ends
    else:  # pairs go to the tokenizer as they are
        assert sum(texts[row] for row in rows) == 40
        assert len(texts) == 30 + 10


def test_rows_share_their_numbers(tmp_path: Path) -> None:
    """8 bytes a token and not 36: what makes it possible to keep all rows of a data set through all seeds."""
    renderer = Renderer.from_pretrained(bases.save(tmp_path, "bert"))
    rows = [renderer.encode("how do i get a refund ?", f"go to the page {n} .") for n in range(3)]
    apart = [[id(number) for number in row.ids[:5]] for row in rows]
    assert apart[0] == apart[1] == apart[2]
    assert rows[0].type_ids is rows[1].type_ids
    assert sys.getsizeof(rows[0].ids) <= 64 + 8 * len(rows[0].ids)
