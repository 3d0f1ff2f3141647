"""Tiny random bases on disk, as a user's folder would be: tokenizers trained here, weights drawn here."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import (
    AutoModel,
    BertConfig,
    GPT2Config,
    LlamaConfig,
    PreTrainedTokenizerFast,
    RobertaConfig,
)

torch.set_num_threads(1)

CORPUS = [
    "How do I get a refund? Go to the page of your order and press refund.",
    "The policy says that goods may be returned within thirty days, opened or not.",
    "No. That is not something we can do; please ask the shop you bought it from!",
    "user assistant system Human: Assistant: think question answer rules 26 Jul 2024",
] * 3

CHATML = (
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
WITH_DATE = (
    "{{ bos_token }}{% if not date_string is defined %}{% set date_string = strftime_now('%d %b %Y') %}{% endif %}"
    "Today is {{ date_string }}.\n"
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'] + '\n' + message['content'] | trim + '<|im_end|>' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
CLOCK_OUT_OF_REACH = WITH_DATE.replace("strftime_now('%d %b %Y')", "strftime_now('%d' ~ ' %b')")
REFUSES_SYSTEM = (
    "{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}"
    "{% for message in messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('Roles must alternate user/assistant') }}{% endif %}{% endfor %}" + CHATML
)
DROPS_SYSTEM = CHATML.replace("{{ '<|im_start|>'", "{% if message['role'] != 'system' %}{{ '<|im_start|>'").replace(
    " }}{% endfor %}", " }}{% endif %}{% endfor %}"
)
# The header before an answer opens a thought; an answer given has none.
THINKS = CHATML.replace("{{ '<|im_start|>assistant\n' }}", "{{ '<|im_start|>assistant\n<think>\n' }}")
# Only what comes after a thought is kept.
FORGETS_THOUGHT = CHATML.replace("message['content'] +", "message['content'].split('</think>')[-1] +")
NO_END = (
    "{% for message in messages %}{{ message['role'] + ': ' + message['content'] }}{% if not loop.last %}{{ '\n' }}"
    "{% endif %}{% endfor %}{% if add_generation_prompt %}{{ '\nassistant:' }}{% endif %}"
)
COUNTS_TURNS = "{{ messages | length }} turns\n" + CHATML
DROPS_ANSWERS = CHATML.replace("message['content'] +", "(message['content'] if message['role'] == 'user' else '') +")

SIZES: dict[str, Any] = {
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
}


def bpe(*, template: str | None = CHATML, adds_bos: bool = False, pad: str | None = "</s>") -> Any:
    """A byte-level tokenizer as decoders have; by default its padding token is its EOS, the trap many fall into."""
    special = ["<unk>", "<s>", "</s>", "<|im_start|>", "<|im_end|>"]
    inner = Tokenizer(models.BPE())
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    inner.train_from_iterator(
        CORPUS, trainers.BpeTrainer(vocab_size=400, special_tokens=special, initial_alphabet=alphabet)
    )
    if adds_bos:
        inner.post_processor = processors.TemplateProcessing(
            single="<s> $A", pair="<s> $A <s> $B", special_tokens=[("<s>", 1)]
        )
    tokenizer: Any = PreTrainedTokenizerFast(
        tokenizer_object=inner, unk_token="<unk>", bos_token="<s>", eos_token="</s>", pad_token=pad
    )
    tokenizer.chat_template = template
    return tokenizer


def gpt2_bpe() -> Any:
    """GPT-2's way: one special token for everything, no template, no padding."""
    inner = Tokenizer(models.BPE())
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=400, special_tokens=["<|endoftext|>"], initial_alphabet=alphabet)
    inner.train_from_iterator(CORPUS, trainer)
    end = "<|endoftext|>"
    return PreTrainedTokenizerFast(tokenizer_object=inner, unk_token=end, bos_token=end, eos_token=end)


def wordpiece(kind: str = "bert", *, words: Sequence[str] = ()) -> Any:
    """An encoder's tokenizer; stored with a truncation of 6 tokens, as some packages ship theirs.

    words: all it knows beside single characters, for tests of figures; trained on CORPUS, ties are broken otherwise in
    every process, and ids differ from run to run.
    """
    names = (
        ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
        if kind == "bert"
        else ("<s>", "<pad>", "</s>", "<unk>", "<mask>")
    )
    unknown = "[UNK]" if kind == "bert" else "<unk>"
    letters = sorted({letter for text in [*CORPUS, *words] for letter in text.lower() if not letter.isspace()})
    known = [*names, *sorted({word.lower() for word in words}), *letters, *(f"##{letter}" for letter in letters)]
    vocab = {token: place for place, token in enumerate(dict.fromkeys(known))} if words else None
    inner = Tokenizer(models.WordPiece(vocab, unk_token=unknown))
    inner.normalizer = normalizers.Lowercase()
    inner.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    if vocab is None:
        inner.train_from_iterator(CORPUS, trainers.WordPieceTrainer(vocab_size=300, special_tokens=list(names)))
    if kind == "bert":
        inner.post_processor = processors.TemplateProcessing(
            single="[CLS] $A [SEP]",
            pair="[CLS] $A [SEP] $B:1 [SEP]:1",
            special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
        )
        inner.enable_truncation(6)
        inner.enable_padding(length=6)
        roles = dict(zip(("pad_token", "unk_token", "cls_token", "sep_token", "mask_token"), names, strict=True))
    else:
        inner.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
        roles = {"cls_token": "<s>", "bos_token": "<s>", "pad_token": "<pad>", "sep_token": "</s>", "eos_token": "</s>"}
        roles |= {"unk_token": "<unk>", "mask_token": "<mask>"}
    inputs = ["input_ids", "token_type_ids", "attention_mask"] if kind == "bert" else ["input_ids", "attention_mask"]
    return PreTrainedTokenizerFast(tokenizer_object=inner, model_input_names=inputs, **roles)


def save(folder: Path, kind: str, *, tokenizer: Any = None, positions: int = 128, seed: int = 0) -> Path:
    """A base of `kind` (llama, gpt2, bert, roberta) in `folder`: a trunk without a head."""
    config: Any
    if kind == "llama":
        tokenizer = tokenizer or bpe()
        config = LlamaConfig(
            **SIZES, vocab_size=len(tokenizer), max_position_embeddings=positions, bos_token_id=1, eos_token_id=2,
            pad_token_id=2,
        )  # fmt: skip
    elif kind == "gpt2":
        tokenizer = tokenizer or gpt2_bpe()
        config = GPT2Config(
            vocab_size=len(tokenizer), n_embd=32, n_layer=2, n_head=4, n_positions=positions, bos_token_id=0,
            eos_token_id=0,
        )  # fmt: skip
    elif kind == "bert":
        tokenizer = tokenizer or wordpiece()
        config = BertConfig(**SIZES, vocab_size=len(tokenizer), max_position_embeddings=positions)
    else:
        tokenizer = tokenizer or wordpiece("roberta")
        config = RobertaConfig(
            **SIZES, vocab_size=len(tokenizer), max_position_embeddings=positions + 2, pad_token_id=1,
            bos_token_id=0, eos_token_id=2, type_vocab_size=1,
        )  # fmt: skip
    with torch.random.fork_rng([]):
        torch.manual_seed(seed)
        model = AutoModel.from_config(config)
        with torch.no_grad():  # loud enough that a wrong token or mask shows
            for name, parameter in model.named_parameters():
                if parameter.ndim > 1:
                    parameter.normal_(0, 0.3 if "embed" in name or "wte" in name else 0.15)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


ROWS = [
    ("How do I get a refund?", "Go to the page of your order and press refund."),
    ("How do I get a refund?", "No."),
    ("How do I get a refund?", "That is not something we can do; please ask the shop you bought it from!"),
    ("May goods be returned?", "The policy says within thirty days, opened or not."),
    ("May goods be returned?", "No."),
    ("a", "b"),
]
