"""MODEL_CARD.md: the run as a Hugging Face model card, its front matter and how to call the model.

Knows the artifacts and the card's format; computes no figure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal

import yaml
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from assay.artifacts.files import atomic_write
from assay.artifacts.run_folder import RunFolder
from assay.findings.finding import Finding
from assay.findings.slice import OVERALL
from assay.gate.every_figure import EVERY_FIGURE
from assay.report import words
from assay.report.finding_text import inline, kind
from assay.report.run.accuracy_section import accuracy_table
from assay.report.run.data_section import data_facts
from assay.report.run.first_lines import first_lines
from assay.report.run.limits_section import limits
from assay.report.run.method_section import method
from assay.report.run.reported_run import ReportedRun, read_reported_run
from assay.report.run.summary import three_sentences
from assay.report.run.verdict import verdict
from assay.train.reward_config import RewardConfig

FILES = {".jsonl", ".json", ".csv", ".tsv", ".parquet", ".gz"}
HUB_ID = re.compile(r"^[\w.-]+/[\w.-]+$")
CODE = """\
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

folder = "seed-{seed}/model"
tokenizer = AutoTokenizer.from_pretrained(folder)
model = AutoModelForSequenceClassification.from_pretrained(folder).eval()

{encode}
with torch.no_grad():
    reward = model(**inputs).logits[0, 0].item()"""
ENCODE = {
    "encoder": 'inputs = tokenizer(prompt, answer, return_tensors="pt")',
    "decoder": """\
turns = [{"role": "user", "content": prompt}, {"role": "assistant", "content": answer}]
inputs = tokenizer.apply_chat_template(turns, return_dict=True, return_tensors="pt")""",
}
RENDERING = {
    "encoder": "Prompt and answer go to the tokenizer as a pair. A conversation of one message is its content; of "
    "several, each is written `Role: content`, a blank line between them.",
    "decoder": "The chat template saved beside the model is part of it: it writes the rows of training, with one BOS "
    "where the base expects one and its end marker last. Add no generation prompt. Text that was "
    "rendered first (`tokenize=False`) is tokenised with `add_special_tokens=False`, or it may get a second BOS.",
}


def model_card(run: RunFolder) -> Path:
    """Write MODEL_CARD.md from the artifacts of `run`. Raises ArtifactError as `render` does."""
    path = run.path("MODEL_CARD.md")
    with atomic_write(path) as stream:
        stream.write(card(read_reported_run(run)).encode())
    return path


def card(evidence: ReportedRun) -> str:
    template = markdown_environment().get_template("model_card.md.j2")
    first = evidence.seeds[0].seed if evidence.seeds else 0
    rendering = evidence.model.render if evidence.model else None
    return template.render(
        front=Markup(front_matter(evidence)),
        name=evidence.run.name or "reward model",
        first_lines=first_lines(evidence),
        summary=three_sentences(evidence),
        simulated=evidence.simulated,
        verdict=verdict(evidence),
        code=Markup(CODE.format(seed=first, encode=ENCODE[kind_of_base(evidence)])),
        rendering=Markup(RENDERING[kind_of_base(evidence)]),
        max_tokens=words.count(RewardConfig.build(evidence.run.config).model.max_tokens),
        render_hash=rendering.hash if rendering else words.UNKNOWN,
        render_notes=rendering.notes if rendering else (),
        data=data_facts(evidence),
        level=words.level(evidence.head("accuracy").bounds),
        accuracy=accuracy_table(evidence),
        ceiling=inline(evidence.head("noise_ceiling")),
        method=[line for lines in method(evidence).values() for line in lines],
        limits=limits(evidence),
        command=evidence.run.command,
        version=evidence.run.assay_version,
    )


def kind_of_base(evidence: ReportedRun) -> Literal["encoder", "decoder"]:
    """How the base reads: as the saved model or run.json says; a decoder where neither does."""
    known = evidence.model or evidence.run.base
    return "encoder" if known is not None and known.kind == "encoder" else "decoder"


def markdown_environment() -> Environment:
    return Environment(
        loader=PackageLoader("assay.report"),
        autoescape=False,
        undefined=StrictUndefined,
        finalize=markdown_text,
        keep_trailing_newline=True,
    )


def markdown_text(value: object) -> str:
    """A value inside Markdown: hidden characters visible, no tag, line or table broken; Markup is ours and stays."""
    if isinstance(value, Markup):
        return str(value)
    text = words.visible(words.UNKNOWN if value is None else str(value))
    return text.replace("<", "&lt;").replace("|", "\\|").replace("\n", " ")


def front_matter(evidence: ReportedRun) -> str:
    """The YAML block of a Hugging Face card."""
    base = evidence.base
    body: dict[str, object] = {
        "library_name": "transformers",
        "pipeline_tag": "text-classification",
        "license": "unknown",
        "tags": ["reward-model", "preference-learning", "assay"],
    }
    if base and HUB_ID.match(base):
        body["base_model"] = base
    body["model-index"] = [
        {
            "name": evidence.run.name or "reward model",
            "results": [
                {
                    "task": {"type": "text-classification", "name": "Preference ranking"},
                    "dataset": dataset(evidence),
                    "metrics": list(metrics(evidence)),
                }
            ],
        }
    ]
    return yaml.safe_dump(body, sort_keys=False, allow_unicode=True, width=1000)


def dataset(evidence: ReportedRun) -> dict[str, str]:
    path = words.visible(evidence.source or words.UNKNOWN)
    name = Path(path).name
    is_file = Path(path).suffix.lower() in FILES or not HUB_ID.match(path)
    return {"type": name if is_file else path, "name": name, "split": "held-out"}


def metrics(evidence: ReportedRun) -> Iterator[dict[str, object]]:
    """Known figures over seeds; the card format has no field for intervals, so name and args hold them."""
    for name, label in EVERY_FIGURE.shown_in("card").items():
        for finding in (f for f in evidence.findings if f.name == name and f.seed is None and f.known is not None):
            if finding.slice == OVERALL or name == "accuracy":
                yield metric(finding, label)


def metric(finding: Finding, label: str) -> dict[str, object]:
    where = "" if finding.slice == OVERALL else f", {finding.slice.label}"
    span = words.span(finding.bounds, kind(finding))
    said = f" ({words.level(finding.bounds)} interval {span})" if span else ""
    args: Mapping[str, object] = {"n": finding.n, **(finding.bounds.to_dict() if finding.bounds else {})}
    return {
        "type": "accuracy" if finding.name == "accuracy" else finding.name,
        "value": round(finding.known or 0.0, 4),
        "name": " ".join(words.visible(f"{label}{where}{said}").split()),
        "args": dict(args),
    }
