"""TRL's RewardTrainer, unchanged, with each token of a shared prompt run once.

    pip install 'assay[trl]'
    python examples/trl_trainer.py

Trains one tiny random decoder twice, without and with `shared_prefixes`, and shows what differs: time, not the losses.
DPOTrainer works alike: `with assay.shared_prefixes(trainer.model, trainer.ref_model): trainer.train()`.
"""

from __future__ import annotations

import tempfile
import time
from contextlib import nullcontext

import torch
from datasets import Dataset
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForSequenceClassification, PreTrainedTokenizerFast
from trl import RewardConfig, RewardTrainer

import assay

STEPS = 8


def tokenizer(texts: list[str]) -> PreTrainedTokenizerFast:
    """One token a word: enough for a model that is thrown away."""
    words = ["[PAD]", "[UNK]", "[END]", *sorted({word for text in texts for word in text.split()})]
    inner = Tokenizer(models.WordLevel({word: n for n, word in enumerate(words)}, unk_token="[UNK]"))
    inner.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return PreTrainedTokenizerFast(tokenizer_object=inner, pad_token="[PAD]", unk_token="[UNK]", eos_token="[END]")


def small_llama(vocabulary: int) -> LlamaForSequenceClassification:
    """The same random weights each time."""
    torch.manual_seed(0)
    return LlamaForSequenceClassification(
        LlamaConfig(
            vocab_size=vocabulary, hidden_size=128, intermediate_size=256, num_hidden_layers=4, num_attention_heads=4,
            max_position_embeddings=1024, num_labels=1, pad_token_id=0,
        )
    )  # fmt: skip


def main() -> None:
    pairs = assay.read_pairs(assay.simulate_support(64, seed=0).rows).pairs
    rows = [{side: f"{p.prompt} {getattr(p, side)}" for side in ("chosen", "rejected")} for p in pairs]
    words = tokenizer([text for row in rows for text in row.values()])
    ids = [{f"{side}_ids": words(row[side])["input_ids"] for side in row} for row in rows]
    both = sum(len(two["chosen_ids"]) + len(two["rejected_ids"]) for two in ids)
    print(f"{len(ids)} pairs, {both:,} tokens, {1 - distinct(ids) / both:.0%} of them a prompt's second time")

    for sharing in (False, True):
        model = small_llama(len(words))
        with tempfile.TemporaryDirectory() as folder:
            settings = RewardConfig(
                output_dir=folder, max_steps=STEPS, per_device_train_batch_size=8, learning_rate=1e-3, logging_steps=1,
                report_to=[], save_strategy="no", disable_tqdm=True, use_cpu=True, bf16=False,
                activation_checkpointing=False, dataloader_pin_memory=False,
            )  # fmt: skip
            trainer = RewardTrainer(
                model=model, args=settings, train_dataset=Dataset.from_list(ids), processing_class=words
            )
            started = time.perf_counter()
            with assay.shared_prefixes(model) if sharing else nullcontext():  # the whole difference
                trainer.train()
            seconds = time.perf_counter() - started
        losses = [f"{float(entry['loss']):.4f}" for entry in trainer.state.log_history if "loss" in entry]
        print(f"{'shared' if sharing else 'plain ':<7} {seconds:5.2f} s   losses {' '.join(losses)}")


def distinct(ids: list[dict[str, list[int]]]) -> int:
    """Tokens that remain when each pair's common beginning is run once."""
    total = 0
    for two in ids:
        chosen, rejected = two["chosen_ids"], two["rejected_ids"]
        same = next((n for n, (a, b) in enumerate(zip(chosen, rejected, strict=False)) if a != b), 0)
        total += len(chosen) + len(rejected) - same
    return total


if __name__ == "__main__":
    main()
