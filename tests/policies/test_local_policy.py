"""A model on this machine as a policy: its own words, cut where a stop text begins, and refused where it cannot be."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from assay.errors import ConfigError, InputError, ModelError, ModelNotFoundError, TemplateError
from assay.models.folder_faults import ADAPTER
from assay.policies.local_policy import LocalPolicy, Writing, before
from assay.policies.one_by_one import Asked, answer_seed
from assay.policies.open import open_policy
from assay.policies.protocol import Prompt, Sampling, generate
from assay.records import Message
from assay.stats.unknown import Unknown
from tests.support import bases, language_models

CHAT = (Message(role="system", content="Be brief."), Message(role="user", content="May goods be returned?"))
PROMPTS = [Prompt(id="a", text="How do I get a refund?"), Prompt(id="b", text=CHAT)]
GREEDY = Sampling(max_tokens=20, temperature=0.0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return language_models.saved(tmp_path_factory.mktemp("policy"))


def test_greedy_answers_are_transformers_own(folder: Path) -> None:
    model, tokenizer = AutoModelForCausalLM.from_pretrained(folder).eval(), AutoTokenizer.from_pretrained(folder)
    for found, turns in zip(
        generate(LocalPolicy(folder), PROMPTS, 1, GREEDY),
        ([{"role": "user", "content": PROMPTS[0].text}], [{"role": t.role, "content": t.content} for t in CHAT]),
        strict=True,
    ):
        ids = tokenizer.apply_chat_template(turns, add_generation_prompt=True, return_tensors="pt", return_dict=True)
        ends = [2, tokenizer.convert_tokens_to_ids("<|im_end|>")]  # its own, and the one that ends a turn
        with torch.no_grad():
            out = model.generate(**ids, do_sample=False, max_new_tokens=20, eos_token_id=ends, pad_token_id=2)
        own = out[0, ids["input_ids"].shape[1] :].tolist()
        answer = found.answers[0]
        assert answer.text == tokenizer.decode(own, skip_special_tokens=True)
        assert (answer.tokens, answer.finish) == (len(own), "stop" if own[-1] in ends else "length")


def test_what_made_an_answer_is_said(folder: Path) -> None:
    policy = LocalPolicy(folder)
    sampling = Sampling(max_tokens=5, top_p=0.9, seed=4, stop=("###",))
    found = generate(policy, PROMPTS, 3, sampling)
    assert {one.made for one in found} == {policy.made(sampling)}
    assert found[0].made.sampling == sampling
    assert str(found[0].made.template).startswith("sha256:")
    seeds = [[answer.seed for answer in one.answers] for one in found]
    assert seeds == [[answer_seed(4, Asked(prompt, number)) for number in range(3)] for prompt in PROMPTS]
    plain = LocalPolicy(folder, template="plain")
    assert plain.fingerprint != policy.fingerprint
    assert plain.made(sampling).template != policy.made(sampling).template


def test_without_a_seed_each_call_draws_anew(folder: Path) -> None:
    policy, sampling = LocalPolicy(folder), Sampling(max_tokens=12, seed=None)
    one, other = (policy.generate(PROMPTS, 2, sampling) for _ in range(2))
    assert [answer.seed for answer in one[0].answers] != [answer.seed for answer in other[0].answers]
    assert isinstance(one[0].made.sampling, Sampling)
    assert policy.generate(PROMPTS, 2, one[0].made.sampling) == one  # the seed that was drawn is stored


def test_a_stop_text_is_cut_off_wherever_tokens_part_it(folder: Path) -> None:
    policy = LocalPolicy(folder)
    whole = generate(policy, PROMPTS, 4, Sampling(max_tokens=30))
    for one in (answer for found in whole for answer in found.answers if len(str(answer.text)) > 12):
        stop = str(one.text)[7:10]
        cut = generate(policy, PROMPTS, 4, Sampling(max_tokens=30, stop=("never there", stop)))
        same = next(answer for found in cut for answer in found.answers if answer.seed == one.seed)
        wanted = before(str(one.text), (stop,))
        assert same.text == (wanted if wanted.strip() else Unknown("the answer is empty"))
        assert same.finish == "stop"
        assert (same.tokens or 0) < (one.tokens or 0) or one.tokens == same.tokens


def test_a_prompt_that_does_not_fit_gets_the_reason(folder: Path) -> None:
    long = Prompt(id="long", text="How do I get a refund? " * 40)
    found = generate(LocalPolicy(folder), [long, *PROMPTS], 2, GREEDY)
    reasons = {answer.text for answer in found[0].answers}
    assert len(reasons) == 1
    assert "the model reads 128" in next(iter(reasons)).reason  # type: ignore[union-attr]
    assert found[1:] == generate(LocalPolicy(folder), PROMPTS, 2, GREEDY)
    nearly = replace(GREEDY, max_tokens=127)
    assert "127 more to write" in generate(LocalPolicy(folder), PROMPTS, 1, nearly)[0].answers[0].text.reason  # type: ignore[union-attr]


def test_a_model_without_a_template_is_refused_until_one_is_named(tmp_path: Path) -> None:
    folder = language_models.saved(tmp_path)
    bases.bpe(template=None).save_pretrained(folder)
    (folder / "chat_template.jinja").unlink(missing_ok=True)
    with pytest.raises(TemplateError, match=r"no chat template.*--template plain"):
        LocalPolicy(folder).generate(PROMPTS, 1, GREEDY)
    assert generate(LocalPolicy(folder, template="plain"), PROMPTS, 1, GREEDY)[0].texts


def test_an_adapter_changes_the_answers_and_another_base_is_refused(folder: Path, tmp_path: Path) -> None:
    adapter = language_models.adapter(tmp_path / "adapter", folder)
    by_itself, named = LocalPolicy(adapter), open_policy(f"adapter:{adapter}@{folder}")
    found = generate(by_itself, PROMPTS, 2, Sampling(max_tokens=20))
    assert found == generate(named, PROMPTS, 2, Sampling(max_tokens=20))
    assert [one.texts for one in found] != [
        one.texts for one in generate(LocalPolicy(folder), PROMPTS, 2, Sampling(max_tokens=20))
    ]
    assert by_itself.fingerprint not in {
        LocalPolicy(folder).fingerprint,
        LocalPolicy(folder, template="plain").fingerprint,
    }
    small = bases.save(tmp_path / "gpt2", "gpt2")
    with pytest.raises(ModelError, match=r"does not fit|is not in its weights"):
        LocalPolicy(small, adapter=adapter, template="plain").generate(PROMPTS, 1, GREEDY)
    with pytest.raises(ModelNotFoundError, match="no adapter there"):
        LocalPolicy(folder, adapter=tmp_path).language_model  # noqa: B018 (opens it)


def test_an_adapter_for_wider_layers_is_refused(folder: Path, tmp_path: Path) -> None:
    adapter = language_models.adapter(tmp_path / "adapter", folder)
    config = json.loads((adapter / ADAPTER).read_text())
    (adapter / ADAPTER).write_text(json.dumps(config | {"target_modules": ["q_proj"]}))  # as if half were lost
    with pytest.raises(ModelError, match="does not fit"):
        LocalPolicy(folder, adapter=adapter).generate(PROMPTS, 1, GREEDY)
    (adapter / ADAPTER).write_text(json.dumps(config | {"base_model_name_or_path": None}))
    with pytest.raises(ModelError, match="does not name its base"):
        LocalPolicy(adapter)
    shutil.rmtree(adapter)


def test_options_that_would_change_nothing_are_refused(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_text('{"prompt": "a", "answer": "b"}\n')
    for text in (str(file), "endpoint:m@http://127.0.0.1:1/v1"):
        with pytest.raises(InputError, match="no model that is run here"):
            open_policy(text, template="plain")
        with pytest.raises(InputError, match="no model that is run here"):
            open_policy(text, writing=Writing(at_once=3))


@pytest.mark.parametrize(
    "text", ["endpoint:", "endpoint:m", "endpoint:@http://a/v1", "endpoint:m@http://u:p@a/v1", "endpoint:m@http://a:b"]
)
def test_addresses_that_cannot_be_are_refused_without_being_repeated(text: str) -> None:
    with pytest.raises(ConfigError, match="endpoint: ") as caught:
        open_policy(text)
    assert "u:p" not in str(caught.value)


def test_the_precision_is_recorded_and_is_part_of_what_the_policy_is(folder: Path) -> None:
    plain, half = LocalPolicy(folder), LocalPolicy(folder, writing=Writing(precision="bf16"))
    sampling = Sampling(max_tokens=12)
    assert (plain.made(sampling).precision, half.made(sampling).precision) == ("float32", "bf16")
    assert plain.fingerprint != half.fingerprint
    assert {parameter.dtype for parameter in half.language_model.model.parameters()} == {torch.bfloat16}
    together = generate(half, PROMPTS, 3, sampling)
    assert [answer.text for answer in generate(half, PROMPTS[1:], 1, sampling)[0].answers] == [
        together[1].answers[0].text
    ]
    auto = LocalPolicy(folder, writing=Writing(precision="auto"))
    auto.go_on_in("bf16")
    assert auto.made(sampling) == half.made(sampling)
    plain.go_on_in("bf16")  # which was asked for, and is not the machine's choice
    assert plain.made(sampling).precision == "float32"
