"""Make a policy that is yet to be tuned: a language model with its template, dropout and adapters as asked for.

1) refuse what cannot be tuned before any weight is read; 2) open the base with its output layer; 3) settle padding;
4) put adapters around the trunk. A new adapter adds nothing, so that the policy begins as its reference. Knows weights;
knows no pair.
"""

from __future__ import annotations

import os

import torch
from torch import nn
from transformers import AutoModelForCausalLM

from assay.artifacts.model_body import BaseName, Origin
from assay.errors import ConfigError, ModelError, TemplateError
from assay.models import fourbit
from assay.models.adapters import fresh_adapters
from assay.models.folder_faults import refuse_without_weights
from assay.models.limits import most_tokens
from assay.models.local_model import LocalModel
from assay.models.opening import open_config, open_tokenizer, open_weights, told_as, without_weights
from assay.models.quiet import quiet
from assay.models.resolve import resolve
from assay.render.encoder import Renderer
from assay.rewards.new_model import check_finite, check_length, fit_padding, set_dropout
from assay.train.dpo.config import PolicyModelConfig


def new_policy(config: PolicyModelConfig, *, seed: int) -> tuple[nn.Module, Renderer, Origin]:
    """Model, renderer and what they were made from. Adapters are drawn from `seed`, torch's state is untouched.

    Raises ModelError and its kinds, ConfigError; TemplateError for a base without a chat template.
    """
    base = resolve(config.base, config.revision)
    renderer = policy_renderer(base, template=config.template)
    with torch.random.fork_rng(list(range(torch.cuda.device_count()))):
        torch.manual_seed(seed)
        model = open_language_model(base, config)
        fit_padding(model, renderer)
        check_length(model, config)
        if config.tuning != "full":
            model = fresh_adapters(
                model, config, task="CAUSAL_LM"
            )  # LoRA on the trunk; the output layer stays as it is
    origin = Origin(
        kind=base.kind,
        base=BaseName(name=base.name, revision=base.revision, fingerprint=base.fingerprint),
        config=config.model_dump(mode="json"),
        new_weights=(),
    )
    return model.eval().to(training_device()), renderer, origin


def check_policy_base(base: LocalModel, config: PolicyModelConfig) -> int | None:
    """All that can be known of a base without opening its weights, so that a fault costs no reading of data.

    Returns the longest row it has positions for, None where it states no end. Raises as `new_policy`.
    """
    refuse_without_cuda(config)
    refuse_encoder(base)
    refuse_without_weights(base.folder, name=base.name)
    policy_renderer(base, template=config.template)
    with quiet(), told_as(lambda why: _not_openable(base, why)):
        empty: nn.Module = without_weights(AutoModelForCausalLM, open_config(base.folder))
    check_length(empty, config)
    return most_tokens(empty)


def policy_renderer(base: LocalModel, *, template: str | None) -> Renderer:
    """The renderer of a base whose rows begin as it is asked. Raises TemplateError where it has no template."""
    refuse_encoder(base)
    with quiet(), told_as(lambda why: _not_openable(base, why)):
        tokenizer = open_tokenizer(base.folder)
    if template is None and tokenizer.chat_template is None:
        raise TemplateError(
            f"{base.name} has no chat template, so how the tuned policy would be asked cannot be known. Take the "
            "instruction-tuned model of its family, or name a template: --template FILE, or --template plain for "
            "'User: ...', 'Assistant: ...' lines."
        )
    renderer = Renderer.from_pretrained(base.folder, template=template)
    if renderer.rules is not None and renderer.rules.prompt_end != "generation":
        raise TemplateError(
            f"{base.name}: with its generation header the prompt is not the beginning of prompt and answer, so the "
            "policy would be trained on another context than it is asked in. Name a template whose prompt is a prefix: "
            "--template FILE."
        )
    return renderer


def refuse_encoder(base: LocalModel) -> None:
    if base.kind != "decoder":
        raise ModelError(f"{base.name} is an encoder, which writes no text. Take a decoder that was taught to answer.")


def refuse_without_cuda(config: PolicyModelConfig) -> None:
    if config.tuning == "qlora" and not torch.cuda.is_available():
        raise ConfigError(
            "model.tuning=qlora needs a CUDA GPU, and none is in reach: its 4-bit layers train in 16 bit there. "
            "Take model.tuning=lora."
        )


def open_language_model(base: LocalModel, config: PolicyModelConfig) -> nn.Module:
    """The base with its output layer in float32 (4 bit for qlora)."""
    refuse_without_cuda(config)
    # float32 also where the base is stored in 16 bit: what training adds is often less than bf16's last digit.
    options = fourbit.loading() if config.tuning == "qlora" else {"dtype": torch.float32}
    with quiet(), told_as(lambda why: _not_openable(base, why)):
        theirs = open_config(base.folder)
        set_dropout(theirs, config.dropout, base=base.name)
        model, info = open_weights(
            AutoModelForCausalLM, base.folder, config=theirs, output_loading_info=True, **options
        )
    if info["missing_keys"]:
        raise ModelError(
            f"{base.name}: {', '.join(sorted(info['missing_keys'])[:3])} is not in its weights and would be random. "
            "Take a language model with its output layer."
        )
    found: nn.Module = model
    check_finite(found, set(), base=base.name)
    return found


def training_device() -> str:
    """Where this process trains: Trainer moves the model there, and its reference is run there before."""
    return f"cuda:{os.environ.get('LOCAL_RANK', '0')}" if torch.cuda.is_available() else "cpu"


def _not_openable(base: LocalModel, why: str) -> str:
    return f"{base.name}: transformers cannot open it as a language model ({why}). Take another base."
