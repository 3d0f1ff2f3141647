"""What Trainer is told, and whose random numbers it uses. Knows transformers' options; knows no pair and no model."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol, cast

import numpy as np
import torch
from torch import nn

from assay.errors import ConfigError
from assay.tracking.all_trackers import OPENERS, installed
from assay.train.config import TrainConfig
from assay.train.process_group import WAITING, leave_together

if TYPE_CHECKING:
    from transformers import Trainer, TrainingArguments


def trainer_arguments(config: TrainConfig, *, seed: int, folder: Path) -> TrainingArguments:
    """Trainer's options for one seed. Raises ConfigError for reporters that are unknown or not installed."""
    # Trainer takes seconds to import, which a run that ends before it trains need not wait for.
    from transformers import TrainingArguments

    assert config.precision != "auto", "choose() comes before training"
    check_reporters(config.report_to)
    others = [name for name in config.report_to if name not in OPENERS]
    arguments = TrainingArguments(
        output_dir=str(folder),
        project="assay",
        run_name=f"{folder.parent.name}-{folder.name}",
        seed=seed,
        num_train_epochs=config.epochs,
        per_device_train_batch_size=config.batch_pairs,
        learning_rate=config.learning_rate,
        max_grad_norm=config.max_grad_norm,
        bf16=config.precision == "bf16",
        use_cpu=not torch.cuda.is_available(),
        save_strategy="steps",
        save_steps=config.save_every,
        logging_strategy="steps",
        logging_steps=1,
        # Trainer would put a mean of earlier losses in the place of one that is not finite; here training stops at it.
        logging_nan_inf_filter=False,
        log_level="error",
        report_to=others or "none",
        disable_tqdm=True,
        # What the sampler draws are places and shares, without columns to remove and without tensors to pin.
        remove_unused_columns=False,
        dataloader_pin_memory=False,
        # Left open, Trainer has DDP look for parameters without a gradient in every pass. There are none to find: a
        # process without examples of its own runs one of share 0.
        ddp_find_unused_parameters=False,
        ddp_timeout=WAITING,
    )
    if arguments.n_gpu > 1:
        arguments._n_gpu = 1  # several GPUs work as processes under torchrun, not as DataParallel's threads
    if arguments.world_size > 1:
        leave_together()
    return arguments


class _Recomputing(Protocol):
    """transformers' models, which can recompute activations; transformers itself is not typed."""

    def activation_checkpointing_enable(self) -> None: ...
    def activation_checkpointing_disable(self) -> None: ...


def checkpoint_activations(model: nn.Module, switch: Literal["on", "off"]) -> None:
    """Recompute activations in the backward pass, or keep them again. Raises ConfigError if the model cannot."""
    able = cast("_Recomputing", model)
    try:
        if switch == "on":
            able.activation_checkpointing_enable()
        else:
            able.activation_checkpointing_disable()
    except ValueError as error:
        raise ConfigError(f"train.gradient_checkpointing: {error}") from None


@contextmanager
def own_randomness(seed: int) -> Iterator[None]:
    """Seed what torch, numpy and Python draw from globally (head, dropout), and give it back as it was."""
    python, numpy = random.getstate(), np.random.get_state()  # the state that Trainer seeds
    devices = range(torch.cuda.device_count()) if torch.cuda.is_available() else []
    with torch.random.fork_rng(devices):
        torch.manual_seed(seed)
        try:
            yield
        finally:
            random.setstate(python)
            np.random.set_state(numpy)


def check_reporters(names: tuple[str, ...]) -> None:
    """Raises ConfigError for a reporter that is unknown or not installed: a mistake, and no tracker's failure."""
    from transformers.integrations import INTEGRATION_TO_CALLBACK, get_available_reporting_integrations

    for name in names:
        if name not in INTEGRATION_TO_CALLBACK:
            raise ConfigError(
                f"train.report_to: {name!r} is not a reporter. Known: {', '.join(INTEGRATION_TO_CALLBACK)}."
            )
        if not (installed(name) if name in OPENERS else name in get_available_reporting_integrations()):
            raise ConfigError(
                f"train.report_to: {name} is not installed. Install it, or: pip install 'assay[tracking]'."
            )


def without_printer(trainer: Trainer) -> None:
    """Take off the callback by which Trainer prints every log to standard output."""
    from transformers.trainer_callback import PrinterCallback

    trainer.remove_callback(PrinterCallback)
