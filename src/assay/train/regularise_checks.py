"""What of regularisation does not go together, told before data are read. Knows options; knows no model."""

from __future__ import annotations

from collections.abc import Sequence

from assay.audits.probes.all_probes import PROBES
from assay.errors import ConfigError
from assay.models.config import ModelConfig
from assay.models.local_model import Kind
from assay.train.config import RegulariseConfig


def check_regularise(config: RegulariseConfig, model: ModelConfig, *, kind: Kind, in_parts: bool = False) -> None:
    """Raises ConfigError for a text loss on an encoder, ODIN with dropout, rules there are not, and several heads.

    in_parts: whether processes hold parts of the weights (FSDP), of which neither a second output layer nor passes that
    one process needs and another does not are gathered.
    """
    if in_parts and (config.text or config.odin == "on"):
        raise ConfigError(
            f"regularise.{'text' if config.text else 'odin'} needs whole weights in every process. Train with "
            "examples/accelerate/ddp.yaml in place of FSDP, or leave it out."
        )
    if model.heads and config != RegulariseConfig():
        raise ConfigError(
            f"regularise works on one reward, and model.heads asks for {len(model.heads)}. Leave one of them out, or "
            "train a model an objective (docs/objectives.md)."
        )
    if config.text and kind == "encoder":
        raise ConfigError(
            f"regularise.text: {model.base} is an encoder, which speaks no answer. Take a decoder, or leave it out."
        )
    if config.consistency:
        known_rules(config.consistency_rules)
    if config.odin == "on" and (model.dropout != 0 or (model.tuning != "full" and model.lora_dropout)):
        raise ConfigError(
            "regularise.odin looks at the rewards of a whole batch before each part of it is learned from, and with "
            "dropout they would be other rewards each time. Set model.dropout and model.lora_dropout to 0."
        )


def known_rules(names: Sequence[str]) -> None:
    """Raises ConfigError for a name that is no probe which keeps what is said."""
    keep = [name for name, probe in PROBES.items() if probe.kind == "surface"]
    odd = [name for name in names if name not in keep]
    if odd or not names:
        raise ConfigError(
            f"regularise.consistency_rules: {odd[0] if odd else 'nothing'} is no rule that keeps what an answer says. "
            f"Name some of {', '.join(keep)}."
        )
