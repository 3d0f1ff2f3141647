"""Make a reward model that is yet to be trained: a base's trunk, a new head, dropout and adapters as asked for.

1) open the base with one output; 2) settle which token is padding; 3) draw the new weights from the seed; 4) put
adapters around the trunk. Knows weights; knows no data.
"""

from __future__ import annotations

import torch
from torch import nn

from assay.artifacts.model_body import BaseName, Origin
from assay.errors import ConfigError, ModelError
from assay.models import fourbit
from assay.models.adapters import fresh_adapters
from assay.models.config import ModelConfig
from assay.models.folder_faults import refuse_without_weights
from assay.models.head import head_layers
from assay.models.limits import most_tokens
from assay.models.local_model import LocalModel, kind_of
from assay.models.opening import open_config, open_weights, told_as, without_weights
from assay.models.quiet import quiet
from assay.models.resolve import resolve
from assay.models.transformers_types import Config, config_of
from assay.models.wrappers import trunk_of
from assay.render.encoder import Renderer

HEAD_SD = 0.02  # what transformers draws new layers from; small, so that all rewards start close to each other
_DROPOUTS = (
    "hidden_dropout_prob", "attention_probs_dropout_prob", "hidden_dropout", "attention_dropout", "classifier_dropout",
    "resid_pdrop", "embd_pdrop", "attn_pdrop", "dropout", "embedding_dropout", "mlp_dropout",
)  # fmt: skip


def new_model(config: ModelConfig, *, seed: int) -> tuple[nn.Module, Renderer, Origin]:
    """Model, renderer and what they were made from. New weights are drawn from `seed`, torch's state is untouched."""
    base = resolve(config.base, config.revision)
    renderer = Renderer.from_pretrained(base.folder)
    # transformers draws missing weights from torch's own state while it opens a model: that is given back as it was.
    with torch.random.fork_rng(devices()):
        torch.manual_seed(seed)
        model, new = _open(base, config)
        fit_padding(model, renderer)
        check_length(model, config)
        _draw(model, new, seed=seed)
        if config.tuning != "full":
            model = _with_adapters(model, config, new)
    origin = Origin(
        kind=base.kind,
        base=BaseName(name=base.name, revision=base.revision, fingerprint=base.fingerprint),
        config=config.model_dump(mode="json"),
        new_weights=tuple(sorted(new)),
    )
    return model.eval(), renderer, origin


def check_base(base: LocalModel, config: ModelConfig) -> int | None:
    """All that can be known of a base without opening its weights, so that a fault costs no reading of data.

    Returns the longest row it has positions for, None where it states no end. Raises ModelError where it cannot become
    a reward model or its tokenizer does not fit, ConfigError where it has too few positions.
    """
    from transformers import AutoModelForSequenceClassification

    refuse_without_weights(base.folder, name=base.name)
    with quiet(), told_as(lambda why: _not_openable(base, why)):
        Renderer.from_pretrained(base.folder)
        theirs = open_config(base.folder, num_labels=len(config.heads) or 1)
        empty: nn.Module = without_weights(AutoModelForSequenceClassification, theirs)
    check_length(empty, config)
    _check_head(empty)
    return most_tokens(empty)


def devices() -> list[int]:
    return list(range(torch.cuda.device_count())) if torch.cuda.is_available() else []


def _open(base: LocalModel, config: ModelConfig) -> tuple[nn.Module, set[str]]:
    """The base with one output in float32 (4 bit for qlora), and the names of weights the base does not have."""
    from transformers import AutoModelForSequenceClassification

    # float32 also where the base is stored in 16 bit: what training adds to a weight is often less than bf16's last
    # digit.
    options = fourbit.loading() if config.tuning == "qlora" else {"dtype": torch.float32}
    with quiet(), told_as(lambda why: _not_openable(base, why)):
        theirs = open_config(base.folder, num_labels=len(config.heads) or 1)
        if config.heads:
            # By these names plain transformers calls the outputs.
            theirs.id2label = dict(enumerate(config.heads))
            theirs.label2id = {name: number for number, name in enumerate(config.heads)}
        kind_of(theirs)
        set_dropout(theirs, config.dropout, base=base.name)
        model, info = open_weights(
            AutoModelForSequenceClassification,
            base.folder,
            config=theirs,
            output_loading_info=True,
            ignore_mismatched_sizes=True,  # a published classifier's head of several outputs is drawn anew
            **options,
        )
    new = set(info["missing_keys"]) | {str(entry[0]) for entry in info["mismatched_keys"]}
    check_new(model, new, base=base.name)
    check_finite(model, new, base=base.name)
    return model, new


def _not_openable(base: LocalModel, why: str) -> str:
    return f"{base.name}: transformers cannot open it as a sequence-classification model ({why}). Take another base."


def check_finite(model: nn.Module, new: set[str], *, base: str) -> None:
    """A weight that is no number makes every result none, which would be found at the first step and blamed on it."""
    broken = [
        name
        for name, parameter in model.named_parameters()
        if name not in new and parameter.is_floating_point() and parameter.numel()
        if not all(bool(end.isfinite()) for end in torch.aminmax(parameter.detach()))
    ]
    if broken:
        raise ModelError(
            f"{base}: {len(broken)} weights of the base hold numbers that are not finite ({', '.join(broken[:3])}), so "
            "no reward could be one. The files are damaged, or were written from a run that had failed; fetch others."
        )


def check_new(model: nn.Module, new: set[str], *, base: str) -> None:
    """Weights of the head (and a pooler before it) may be new; any other would be a random trunk."""
    trunk = {id(parameter) for parameter in trunk_of(model).parameters()}
    lost = sorted(
        name
        for name, parameter in model.named_parameters()
        if name in new and id(parameter) in trunk and ".pooler." not in name
    )
    if lost:
        raise ModelError(
            f"{base}: {len(lost)} weights of the base are not in its files ({', '.join(lost[:3])}), so they would be "
            "random. The folder is not whole; fetch it again."
        )


def set_dropout(theirs: Config, dropout: float | None, *, base: str) -> None:
    if dropout is None:
        return
    names = [name for name in _DROPOUTS if isinstance(getattr(theirs, name, None), float | int)]
    if not names and dropout > 0:
        raise ConfigError(f"model.dropout={dropout}: {base} has no dropout to set. Leave model.dropout out.")
    for name in names:
        setattr(theirs, name, dropout)


def fit_padding(model: nn.Module, renderer: Renderer) -> None:
    """Tell the model which token is padding: transformers reads the reward before the first of them."""
    pad, tokens = renderer.tokenizer.pad_token_id, len(renderer.tokenizer)
    if tokens > model.get_input_embeddings().num_embeddings:  # type: ignore[operator]
        model.resize_token_embeddings(tokens, mean_resizing=False)  # type: ignore[operator]
    config = config_of(model)
    config.pad_token_id = config.get_text_config().pad_token_id = pad


def check_length(model: nn.Module, config: ModelConfig) -> None:
    limit = most_tokens(model)
    if limit is not None and config.max_tokens > limit:
        raise ConfigError(
            f"model.max_tokens={config.max_tokens}, but {config.base} has positions for {limit} tokens. "
            f"Set model.max_tokens to {limit} or less, or take a base with a longer context."
        )


def _check_head(model: nn.Module) -> None:
    if not head_layers(model):
        raise ModelError(
            f"{type(model).__name__} has no linear head with one output that assay knows. Take another base."
        )


def _draw(model: nn.Module, new: set[str], *, seed: int) -> None:
    """New weights: normal with a small spread from `seed`, biases 0, in the order of their names."""
    _check_head(model)
    # A generator of its own, on the CPU: the same head on every device, whatever was drawn before.
    draw = torch.Generator().manual_seed(seed % 2**63)
    for name, parameter in sorted(model.named_parameters()):
        if name in new:
            with torch.no_grad():
                values = torch.zeros(parameter.shape)
                if parameter.ndim > 1:
                    values.normal_(0.0, HEAD_SD, generator=draw)
                parameter.copy_(values)


def _with_adapters(model: nn.Module, config: ModelConfig, new: set[str]) -> nn.Module:
    """LoRA on the trunk; the head, and whatever else is new, trained whole and saved."""
    trunk = {id(module) for module in trunk_of(model).modules()}
    heads = {name.split(".")[0] for name, module in model.named_modules() if name and id(module) not in trunk}
    # Without weights there is nothing to train or save: a dropout beside the head, for one.
    heads = {name for name in heads if any(True for _ in model.get_submodule(name).parameters())}
    saved = sorted(heads | {name.rpartition(".")[0].rpartition(".")[2] for name in new if ".pooler." in name})
    tuned = fresh_adapters(model, config, task="SEQ_CLS", saved=saved)
    _check_head_trained(tuned)
    return tuned


def _check_head_trained(model: nn.Module) -> None:
    layers = head_layers(model)
    trained = [name for name, layer in layers.items() if ".modules_to_save." in name and layer.weight.requires_grad]
    if len(trained) != 1:
        raise ModelError(
            f"PEFT did not take the head into the trained and saved modules (found {sorted(layers)}): it would stay "
            "random. This is a bug of assay; please report it with the base's name."
        )
