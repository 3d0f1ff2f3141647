"""What tuning did to a policy: where log-probabilities went, how far it is from its base, what was tried. No HTML."""

from __future__ import annotations

from collections.abc import Mapping

from assay.artifacts.trials_body import TrialBody
from assay.audits.policy.displacement import WAY_OUT
from assay.audits.policy.policy_meanings import POLICY_FIGURES
from assay.report import words
from assay.report.finding_text import cell, inline, label
from assay.report.run.reported_run import ReportedRun
from assay.report.run.training_section import Panel, panels
from assay.train.dpo.config import DpoRunConfig

DRAWN = {"pairs": "drawn at random", "prompts": "of prompts drawn at random, each with all of its pairs"}

CURVES: tuple[Panel, ...] = (
    ("Chosen answers", ("chosen_change",), False, None, "change of log-probability, nats an answer"),
    ("Rejected answers", ("rejected_change",), False, None, "change of log-probability, nats an answer"),
    ("Margin", ("margin",), False, None, "implied reward, chosen less rejected"),
    ("Chosen, a token", ("chosen_logprob_per_token",), False, None, "log-probability, nats a token"),
    ("Rejected, a token", ("rejected_logprob_per_token",), False, None, "log-probability, nats a token"),
    ("KL from the base", ("held_out_kl",), False, 0.0, "nats an answer, on fresh prompts"),
    ("Length of its answers", ("held_out_answer_tokens",), False, 0.0, "tokens, on fresh prompts"),
)


def policy(evidence: ReportedRun) -> Mapping[str, object] | None:
    """The section of a run that tuned a policy; None of another."""
    config = evidence.policy
    if config is None:
        return None
    found = [evidence.head(meaning.name) for meaning in POLICY_FIGURES if evidence.find(meaning.name) is not None]
    fall = evidence.head("likelihood_displacement")
    table = evidence.tables.get("policy")
    return {
        "reading": reading(evidence),
        "verdict": fall.verdict if fall.known is not None else None,
        "findings": [(label(one.name), cell(one), one) for one in found],
        "panels": panels(evidence, CURVES),
        "seeds": [(one.seed, index % 4) for index, one in enumerate(evidence.seeds) if one.metrics],
        "behind": [{**row, "shown": words.number(row["normalised"], 3)} for row in (table["behind"] if table else ())],
        "way_out": WAY_OUT if table and table["displaced"] else "",
        "trials": [] if evidence.trials is None else [trial_row(one) for one in evidence.trials.trials],
        "choice": None if evidence.trials is None else evidence.trials.choice,
        "why": "" if evidence.trials is None else evidence.trials.why,
    }


def reading(evidence: ReportedRun) -> list[str]:
    """Where both sides went, and how far the policy is from its base, in sentences."""
    chosen, rejected = evidence.head("chosen_change"), evidence.head("rejected_change")
    if chosen.known is None or rejected.known is None:
        return ["Where the log-probabilities of held-out answers went was not measured."]
    went = {
        (True, True): "Both fell",
        (True, False): "Chosen answers fell and rejected ones did not",
        (False, True): "Chosen answers rose and rejected ones fell",
        (False, False): "Neither fell",
    }
    lines = [
        f"{went[chosen.known < 0, rejected.known < 0]}: against its reference the policy gives held-out chosen answers "
        f"{inline(chosen)}, rejected ones {inline(rejected)} of log-probability."
    ]
    kl, length = evidence.head("kl_to_base"), evidence.head("answer_tokens")
    if kl.known is not None:
        lines.append(
            f"On fresh prompts it is {inline(kl)} nats an answer from its base, and writes "
            f"{words.number(length.known or 0, 0)} tokens. The KL is "
            "the Rao-Blackwellised estimate, unbiased for answers of the length watched."
        )
    return lines


def trial_row(trial: TrialBody) -> dict[str, object]:
    """One setting that was tried, as the table shows it."""
    span = f"{words.percent(trial.interval.low)} to {words.percent(trial.interval.high)}" if trial.interval else ""
    return {
        "name": trial.name,
        "accuracy": words.percent(trial.accuracy),
        "span": span,
        "chosen": words.number(trial.chosen_change, 2),
        "rejected": words.number(trial.rejected_change, 2),
        "kl": "unknown" if trial.kl is None else words.number(trial.kl, 2),
        "n": words.count(trial.pairs),
    }


def policy_method(config: DpoRunConfig, evidence: ReportedRun) -> list[str]:
    """How the policy was tuned, in sentences."""
    train, model, dpo = config.train, config.model, config.dpo
    tuning = {"full": "all weights", "lora": "LoRA adapters", "qlora": "LoRA adapters on a 4-bit trunk (QLoRA)"}
    rank = f" of rank {model.lora_rank}" if model.tuning != "full" else ""
    terms = words.listing([name if weight == 1 else f"{weight:g} times {name}" for name, weight in dpo.terms])
    lines = [
        f"The base {evidence.base or model.base} was tuned by direct preference optimisation: {tuning[model.tuning]}"
        f"{rank}, loss {terms} (TRL's, beta {dpo.beta:g}), against log-probabilities of the base that were computed "
        "once.",
        f"Training ran {train.epochs:g} epochs over batches of {train.batch_pairs} pairs {DRAWN[train.draw]}, learning "
        f"rate {train.learning_rate:g} ({train.schedule} schedule, {100 * train.warmup:g}% warm-up), gradients "
        f"clipped at norm {train.max_grad_norm:g}, precision {train.precision}. No held-out figure chose a checkpoint: "
        "the last one is the policy.",
        "The reward of an answer is beta times its log-probability under the policy less that under the base, summed "
        "over the answer's tokens.",
    ]
    if evidence.run.chosen:
        named = words.listing([f"{name}={value}" for name, value in evidence.run.chosen.items()])
        lines.append(f"Trials on a validation slice of the training groups set {named}; held-out pairs played no part.")
    return lines
