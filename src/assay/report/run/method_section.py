"""How the figures came about, in sentences built from the configuration of the run. Knows options; knows no HTML."""

from __future__ import annotations

from assay.report import words
from assay.report.finding_text import label
from assay.report.run.policy_section import DRAWN, policy_method
from assay.report.run.reported_run import ReportedRun
from assay.train.recorded_config import FlowConfig, recorded_config
from assay.train.reward_config import RewardConfig


def method(evidence: ReportedRun) -> dict[str, list[str]]:
    """How the figures came about, in sentences built from the configuration, by part."""
    config = recorded_config(evidence.run.config)
    trained = method_training(config, evidence) if isinstance(config, RewardConfig) else policy_method(config, evidence)
    return {
        "Data and split": method_data(config, evidence),
        "Training": trained,
        "Measurement": method_audit(config),
    }


def intervals(evidence: ReportedRun) -> list[tuple[str, str]]:
    """Each way an interval was made, and the figures it was made for."""
    used: dict[str, list[str]] = {}
    for found in evidence.findings:
        if found.bounds is not None:
            names = used.setdefault(found.bounds.method, [])
            if label(found.name) not in names:
                names.append(label(found.name))
    return [(way, "; ".join(names)) for way, names in used.items()]


def method_data(config: FlowConfig, evidence: ReportedRun) -> list[str]:
    near = config.data.near_duplicates
    groups = (
        f"Pairs with the same prompt, with a prompt nearly the same (Jaccard similarity of at least {near:g}) or "
        "declared to belong together form one group"
        if near is not None
        else "Pairs with the same prompt or declared to belong together form one group; near-duplicate prompts were "
        "not looked for"
    )
    return [
        f"{groups}; a group is never on both sides of the split.",
        f"{held_out(config, evidence)}, stratified by category, by a draw that depends on the pairs and on seed "
        f"{config.split.seed} but not on the order of the rows.",
        f"Pairs whose rendered prompt and answer exceed {words.count(config.model.max_tokens)} tokens on either side "
        "are dropped and counted, never cut. One encoder renders text for training, evaluation and serving.",
    ]


def held_out(config: FlowConfig, evidence: ReportedRun) -> str:
    """How many pairs are held out: exactly as asked, or the nearest size that whole groups allow."""
    wanted = words.count(config.split.holdout)
    if config.split.rounding == "exact":
        return f"Exactly {wanted} pairs are held out"
    found = words.count(evidence.split.pairs_held_out if evidence.split else None)
    return f"The number of pairs nearest to {wanted} that whole groups allow ({found}) is held out"


def method_training(config: RewardConfig, evidence: ReportedRun) -> list[str]:
    loss, train, model = config.loss, config.train, config.model
    base = evidence.base or model.base
    tuning = {"full": "all weights", "lora": "LoRA adapters", "qlora": "LoRA adapters on a 4-bit trunk (QLoRA)"}[
        model.tuning
    ]
    rank = f" of rank {model.lora_rank}" if model.tuning != "full" else ""
    name = {"bradley_terry": "Bradley-Terry", "rao_kupper": "Rao-Kupper (tie-aware)"}[loss.kind]
    extras = [
        f"targets from {'vote shares' if loss.targets == 'votes' else 'the majority label'}",
        f"label smoothing {loss.label_smoothing:g}" if loss.label_smoothing else "",
        f"a correction for a stated {100 * loss.flip_share:g}% of labels turned round at random"
        if loss.flip_share
        else "",
        "the stated margin subtracted" if loss.margin == "subtract" else "",
        f"a centring penalty of {loss.centring:g} on the mean square of chosen plus rejected reward"
        if loss.centring
        else "",
        *regularised(config),
    ]
    return [
        f"The base {base} got a scalar head; {tuning}{rank} and the head were trained by the {name} loss on the "
        f"difference of the two rewards, in float32, with {words.listing([part for part in extras if part])}.",
        f"Training ran {train.epochs:g} epochs over batches of {train.batch_pairs} pairs {DRAWN[train.draw]}, learning "
        f"rate {train.learning_rate:g} ({train.schedule} schedule, {100 * train.warmup:g}% warm-up), weight decay "
        f"{train.weight_decay:g}, gradients clipped at norm {train.max_grad_norm:g}, precision "
        f"{train.precision}{measured(evidence)}. No held-out figure chose a checkpoint: {which_weights(config)}.",
    ]


def regularised(config: RewardConfig) -> list[str]:
    """What stands beside the loss of the pairs."""
    beside = config.regularise
    return [
        f"GRM's text loss of the chosen answer at share {beside.text:g} (beta {beside.text_beta:g})"
        if beside.text
        else "",
        f"{beside.consistency:g} times the squared change of reward under rules that keep what is said "
        f"({', '.join(beside.consistency_rules)})"
        if beside.consistency
        else "",
        "ODIN's second head, which took up length and was dropped" if beside.odin == "on" else "",
    ]


def which_weights(config: RewardConfig) -> str:
    """Of which step the model is."""
    if config.stopping.patience is None:
        return "the last one is the model"
    return (
        "the model is the one with the lowest loss on a slice of the training groups, of about "
        f"{100 * config.stopping.validation:g}% of the training pairs; training ended after {config.stopping.patience} "
        "evaluations without a lower one"
    )


def measured(evidence: ReportedRun) -> str:
    """How the precision was chosen, where the machine chose it."""
    choice = evidence.run.precision
    if choice is None or choice.asked != "auto" or choice.factor is None:
        return ""
    return f" (chosen by a measurement: bf16 ran at {choice.factor:.2g} times float32's rate)"


def method_audit(config: FlowConfig) -> list[str]:
    return [
        "A pair counts as right if the chosen answer's reward is strictly above the rejected one's; a tie counts as "
        "wrong.",
        f"Intervals are at {100 * config.audit.level:g}% and treat prompt groups, not pairs, as the independent units, "
        "because pairs under one prompt are alike.",
        f"Length-matched pairs are those whose two lengths differ by at most {100 * config.audit.length_tolerance:g}% "
        "of the longer one.",
    ]
