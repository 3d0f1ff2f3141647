"""One encoder: the same ids from us and from plain transformers, one BOS, an end marker last, the prompt a prefix."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import AutoTokenizer
from transformers.utils import chat_template_utils

from assay.errors import ModelNotFoundError, TemplateError
from assay.records import Message, Pair, Text
from assay.render import encoder
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


def words(renderer: Renderer, prompt: Text, answer: Text) -> str:
    return str(renderer.tokenizer.decode(renderer.encode(prompt, answer).ids))


def conversation(*turns: str) -> tuple[Message, ...]:
    """user, assistant, user, ... turns."""
    return tuple(Message(role=("user", "assistant")[n % 2], content=turn) for n, turn in enumerate(turns))


def test_the_row_is_the_template_without_white_space_after_the_end_marker(make: Make) -> None:
    renderer = make()
    row = renderer.encode("a refund?", "No.")
    expected = "<|im_start|>user\na refund?<|im_end|>\n<|im_start|>assistant\nNo.<|im_end|>"
    assert renderer.tokenizer.decode(row.ids) == expected
    assert row.ids[-1] == renderer.tokenizer.convert_tokens_to_ids("<|im_end|>")
    prompt = "<|im_start|>user\na refund?<|im_end|>\n<|im_start|>assistant\n"
    assert renderer.tokenizer.decode(row.ids[: row.prompt_tokens]) == prompt
    assert "<|im_end|>" in renderer.notes[0]


def test_plain_transformers_renders_the_saved_tokenizer_alike(make: Make, tmp_path: Path) -> None:
    for settings_ in (
        {},
        {"template": bases.NO_END, "adds_bos": True},
        {"template": bases.WITH_DATE},
        {"template": None},
    ):
        renderer = make(**settings_)
        renderer.save(tmp_path / "saved")
        theirs = AutoTokenizer.from_pretrained(tmp_path / "saved")
        for prompt, answer in bases.ROWS:
            turns = [{"role": "user", "content": prompt}, {"role": "assistant", "content": answer}]
            ids = theirs.apply_chat_template(turns, return_dict=False)
            assert tuple(ids) == renderer.encode(prompt, answer).ids, settings_


def test_the_hash_survives_saving_and_tells_tokenizers_and_templates_apart(make: Make, tmp_path: Path) -> None:
    renderer = make()
    renderer.save(tmp_path / "saved")
    bases.save(tmp_path / "other", "llama").joinpath("config.json").rename(tmp_path / "saved" / "config.json")
    again = Renderer.from_pretrained(tmp_path / "saved")
    assert (again.hash, again.rules.template) == (renderer.hash, renderer.rules.template)  # type: ignore[union-attr]
    assert Renderer.from_pretrained(tmp_path / "saved", adapt="published").hash == renderer.hash
    other = make(template=bases.CHATML.replace("user", "User"), adds_bos=True)
    assert {name for name, digest in other.parts.items() if digest != renderer.parts[name]} == {"template", "tokenizer"}


@pytest.mark.parametrize("adds_bos", [True, False])
def test_exactly_one_bos_where_the_base_expects_one(make: Make, adds_bos: bool) -> None:
    for template in (bases.CHATML, "{{ bos_token }}" + bases.CHATML, None):
        renderer = make(template=template, adds_bos=adds_bos)
        ids = renderer.encode("a", "b").ids
        expected = adds_bos or (template or "").startswith("{{ bos_token }}")
        assert (ids.count(1), ids[0] == 1) == (int(expected), expected), template


def test_a_template_without_an_end_gets_eos(make: Make) -> None:
    renderer = make(template=bases.NO_END)
    assert words(renderer, "a", "b ") == "user: a\nassistant: b </s>"
    assert any("</s> is put last" in note for note in renderer.notes)


def test_a_base_without_a_template_is_rendered_plainly(tmp_path: Path) -> None:
    renderer = Renderer.from_pretrained(bases.save(tmp_path, "gpt2"))
    assert (
        words(renderer, conversation("a", "b", "c"), "d")
        == "User: a\n\nAssistant: b\n\nUser: c\n\nAssistant: d<|endoftext|>"
    )
    row = renderer.encode("a", "b")
    assert renderer.tokenizer.decode(row.ids[: row.prompt_tokens]) == "User: a\n\nAssistant:"
    assert renderer.tokenizer.pad_token_id != row.ids[-1]


def test_a_date_is_pinned_and_said(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    renderer = make(template=bases.WITH_DATE)
    assert words(renderer, "a", " b\n") == (
        "<s>Today is 26 Jul 2024.\n<|im_start|>user\na<|im_end|><|im_start|>assistant\nb<|im_end|>"
    )
    assert any("26 July 2024" in note for note in renderer.notes)
    before = renderer.encode("a", "b")

    class Tomorrow(chat_template_utils.datetime):  # type: ignore[misc, name-defined]
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return cls(2033, 3, 3)

    monkeypatch.setattr(chat_template_utils, "datetime", Tomorrow)
    assert renderer.encode("a", "b") == before


def test_a_date_that_cannot_be_pinned_is_refused(make: Make) -> None:
    with pytest.raises(TemplateError, match="today's date in a form that cannot be pinned"):
        make(template=bases.CLOCK_OUT_OF_REACH)


@pytest.mark.parametrize("template", [bases.REFUSES_SYSTEM, bases.DROPS_SYSTEM])
def test_system_messages_a_template_has_no_place_for_stand_before_the_user_turn(make: Make, template: str) -> None:
    renderer = make(template=template)
    prompt = (Message(role="system", content="the rules"), Message(role="user", content="a"))
    assert words(renderer, prompt, "b").startswith("<|im_start|>user\nthe rules\n\na<|im_end|>")
    assert any("system messages" in note for note in renderer.notes)
    assert make(template=bases.CHATML).rules.system == "template"  # type: ignore[union-attr]


def test_a_thinking_template_ends_the_prompt_before_the_header(make: Make) -> None:
    renderer = make(template=bases.THINKS)
    row = renderer.encode("a", "b")
    assert renderer.tokenizer.decode(row.ids[: row.prompt_tokens]) == "<|im_start|>user\na<|im_end|>\n"
    assert any("thinking templates" in note for note in renderer.notes)


def test_an_answer_the_template_rewrites_is_no_row(make: Make) -> None:
    renderer = make(template=bases.FORGETS_THOUGHT)
    assert words(renderer, "a", "b").endswith("b<|im_end|>")
    with pytest.raises(TemplateError, match="leaves out or rewrites a part of the answer"):
        renderer.encode("a", "<think>hm</think>b")


def test_a_prompt_that_changes_once_an_answer_follows_is_no_row(make: Make) -> None:
    renderer = make(template="{% if messages | length == 4 %}{{ 'long ' }}{% endif %}" + bases.CHATML)
    renderer.encode("a", "b")
    with pytest.raises(TemplateError, match="the rendered prompt is not the beginning of the rendered row"):
        renderer.encode(conversation("a", "b", "c"), "d")
    deep = Pair(id="deep", prompt=conversation("a", "b", "c"), chosen="d", rejected="e")
    gate = length_gate([deep], renderer, 99)
    assert [(reject.reason, reject.side) for reject in gate.rejects] == [("template_not_prefix", "both")]


@pytest.mark.parametrize(
    ("template", "message"),
    [
        (bases.COUNTS_TURNS, "not the beginning of prompt and answer"),
        (bases.DROPS_ANSWERS, "leaves out what the assistant says"),
        ("{{ raise_exception('not today') }}", "not today"),
        ("{% for broken", "refuses the conversation"),
    ],
)
def test_templates_no_rule_makes_usable_are_refused(make: Make, template: str, message: str) -> None:
    with pytest.raises(TemplateError, match=message):
        make(template=template)


def test_an_answer_that_merges_with_the_prompt_takes_the_token_with_it(make: Make) -> None:
    spaced = "{% for m in messages %}{{ m.content + ' ' }}{% endfor %}{% if add_generation_prompt %}{% endif %}"
    renderer = make(template=spaced)
    row = renderer.encode("a refund?", "press order")
    decoded = [renderer.tokenizer.decode([one]) for one in row.ids]
    assert "".join(decoded) == "a refund? press order </s>"
    assert "".join(decoded[: row.prompt_tokens]) == "a refund?"
    assert decoded[row.prompt_tokens].startswith(" p"), "the space is the answer's first token's"


def test_encoders_take_the_pair_with_segments_and_are_never_cut(tmp_path: Path) -> None:
    renderer = Renderer.from_pretrained(bases.save(tmp_path, "bert"))
    row = renderer.encode("how do i get a refund ?", "go to the page of your order and press refund .")
    tokens = renderer.tokenizer.convert_ids_to_tokens(list(row.ids))
    assert tokens[0] == "[CLS]"
    assert tokens.count("[SEP]") == 2
    assert len(row.ids) > 15  # the tokenizer was stored with a truncation to 6
    assert tokens[row.prompt_tokens - 1] == "[SEP]"
    assert row.type_ids == (0,) * row.prompt_tokens + (1,) * (len(row.ids) - row.prompt_tokens)


def test_a_renderer_that_reads_for_months_keeps_no_more_than_it_may(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server meets ever new lengths, and roles that clients make up."""
    monkeypatch.setattr(encoder, "MOST_SEGMENTS", 40)
    monkeypatch.setattr(encoder, "MOST_CHATS", 3)
    pairs = Renderer.from_pretrained(bases.save(tmp_path / "bert", "bert"))
    for n in range(1, 9):
        row = pairs.encode("a " * n, "b")
        assert row.type_ids == tuple(pairs.tokenizer("a " * n, "b")["token_type_ids"])
    assert sum(map(len, pairs._segments)) <= 40
    assert pairs._segments
    chats = make()
    made_up = [(Message(role="user", content="a"), Message(role=f"made_up_{n}", content="b")) for n in range(5)]
    assert len(list(chats.encode_rows([(prompt, "c") for prompt in (conversation(*"a" * 65), *made_up)]))) == 6
    assert len(chats._gone) == 3
    assert max(map(len, chats._gone)) == 2


def test_roberta_has_no_segments(tmp_path: Path) -> None:
    row = Renderer.from_pretrained(bases.save(tmp_path, "roberta")).encode("a", "b")
    assert row.type_ids is None
    assert row.ids[: row.prompt_tokens][-1] == 2


def test_encoders_name_the_roles_of_conversations_only(tmp_path: Path) -> None:
    renderer = Renderer.from_pretrained(bases.save(tmp_path, "bert"))
    one = renderer.encode("a refund", "no")
    assert renderer.encode((Message(role="user", content="a refund"),), conversation("no")) == one
    several = renderer.encode(conversation("a", "b", "c"), "no")
    assert several == renderer.encode("User: a\n\nAssistant: b\n\nUser: c", "no")


KEEPS_KNOWN_ROLES = bases.CHATML.replace(
    "{{ '<|im_start|>'", "{% if message['role'] in ['user', 'assistant', 'system'] %}{{ '<|im_start|>'", 1
).replace(" }}{% endfor %}", " }}{% endif %}{% endfor %}")


@pytest.mark.parametrize("role", ["prompter", "tool", "developer"])
def test_a_prompt_whose_message_a_template_drops_is_refused_by_role(role: str, tmp_path: Path) -> None:
    base = bases.save(tmp_path, "llama", tokenizer=bases.bpe(template=KEEPS_KNOWN_ROLES))
    renderer = Renderer.from_pretrained(base)
    said = Message(role=role, content="How?")
    user = Message(role="user", content="Say How? I mean it.")  # its text holds the lost message's
    for prompt, place in (((said,), 1), ((user, said), 2), ((said, user), 1)):
        with pytest.raises(TemplateError, match=rf"message {place} of the prompt \(role '{role}'\)"):
            renderer.encode(prompt, "Go")
    renderer.encode((user,), "Go")


def test_a_prompt_whose_message_a_template_rewrites_is_refused(tmp_path: Path) -> None:
    base = bases.save(tmp_path, "llama", tokenizer=bases.bpe(template=bases.FORGETS_THOUGHT))
    renderer = Renderer.from_pretrained(base)
    with pytest.raises(TemplateError, match="message 1 of the prompt"):
        renderer.encode("a </think> b", "c")


@pytest.mark.parametrize("template", [bases.DROPS_SYSTEM, bases.REFUSES_SYSTEM])
def test_a_system_turn_in_the_middle_stays_there(template: str, tmp_path: Path) -> None:
    renderer = Renderer.from_pretrained(bases.save(tmp_path, "llama", tokenizer=bases.bpe(template=template)))
    turns = [("user", "one"), ("assistant", "two"), ("system", "rules"), ("user", "three")]
    row = renderer.encode(tuple(Message(role=role, content=content) for role, content in turns), "four")
    text = renderer.tokenizer.decode(row.ids)  # type: ignore[attr-defined]
    assert text.index("one") < text.index("two") < text.index("rules") < text.index("three") < text.index("four")
    assert "that follows" in " ".join(renderer.notes)
    late = tuple(Message(role=role, content=content) for role, content in [*turns[:1], ("system", "late rules")])
    with pytest.raises(TemplateError):
        renderer.encode(late, "four")


def test_no_tokenizer_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFoundError, match="no usable tokenizer"):
        Renderer.from_pretrained(tmp_path)


TEXTS = st.text(st.sampled_from("ab .!?\n\t<|im_end|>äé中"), min_size=1, max_size=12)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=6))
def test_many_rows_equal_one_by_one_and_the_tokenizer_on_the_whole_text(rows: list[tuple[str, str]]) -> None:
    for renderer in RENDERERS:
        found = list(renderer.encode_rows(rows))
        for (prompt, answer), row in zip(rows, found, strict=True):
            one = next(renderer.encode_rows([(prompt, answer)]))
            if isinstance(row, TemplateError):
                assert isinstance(one, TemplateError)
                continue
            assert row == one
            assert 0 < row.prompt_tokens < len(row.ids)
            turns = [{"role": "user", "content": prompt}, {"role": "assistant", "content": answer}]
            text = renderer.tokenizer.apply_chat_template(turns, tokenize=False)
            assert row.ids == tuple(renderer.tokenizer(text, add_special_tokens=False)["input_ids"])


def _renderers() -> list[Renderer]:
    from assay.render.template import rules_for

    found = []
    for template in (bases.CHATML, bases.NO_END, bases.THINKS):
        tokenizer = bases.bpe(template=template, adds_bos=template == bases.NO_END)
        rules = rules_for(tokenizer, source="test", adapt="base")
        tokenizer.chat_template = rules.template
        found.append(Renderer(tokenizer, kind="decoder", rules=rules))
    return found


RENDERERS = _renderers()
