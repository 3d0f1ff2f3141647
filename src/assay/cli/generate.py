"""`assay generate`: answers of any policy to prompts."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assay.cli.engine_options import LOCAL, EngineOptions, refuse_parts
from assay.cli.options import Json, TemplateOption, notes, output
from assay.cli.reading import with_data_options
from assay.models.precision import Asked as PrecisionAsked

if TYPE_CHECKING:
    from assay.bulk.held_work import PolicyOpening
    from assay.flows.generate import AnswersFile
    from assay.policies.local_policy import Writing
    from assay.policies.protocol import Policy, Sampling


AnswersOut = Annotated[
    str, typer.Option("--out", help="JSON lines to write, one an answer. FOLDER/ or an address: parts.")
]
Stops = Annotated[
    list[str] | None,
    typer.Option("--stop", help="A text before which an answer ends; may be repeated.", show_default=False),
]
Device = Annotated[str, typer.Option(help="Where a model runs: cpu, cuda, ...; auto takes a GPU if there is one.")]
Precision = Annotated[
    PrecisionAsked,
    typer.Option(help="float32, bf16, or auto: bf16 where it is measured to be clearly faster here."),
]


def register(app: typer.Typer) -> None:
    app.command("generate", epilog="Example: assay generate smollm2 prompts.jsonl --n 16 --out answers.jsonl")(generate)


@with_data_options
def generate(
    policy: Annotated[
        str,
        typer.Argument(
            help="A language model by folder, catalogue name or hub id; the folder of an adapter, or "
            "adapter:FOLDER@BASE; endpoint:MODEL@http://host:8000/v1; a file of recorded answers."
        ),
    ],
    prompts: Annotated[str, typer.Argument(help='JSON lines of {"prompt"}, text or messages; or pairs in any layout.')],
    out: AnswersOut,
    n: Annotated[int, typer.Option("--n", min=1, help="Answers to each prompt.")] = 1,
    max_tokens: Annotated[int, typer.Option(min=1, help="Tokens of an answer at most.")] = 256,
    temperature: Annotated[float, typer.Option(min=0, help="0: the likeliest token each time.")] = 1.0,
    top_p: Annotated[float, typer.Option(help="Draw among the likeliest tokens that hold so much probability.")] = 1.0,
    seed: Annotated[int, typer.Option(min=0, help="Decides every answer, in any order and company.")] = 0,
    stop: Stops = None,
    at_once: Annotated[
        int | None, typer.Option(min=1, help="Answers side by side (CPU: 64, GPU: 256); requests at once (16).")
    ] = None,
    cache_tokens: Annotated[
        int | None, typer.Option(min=1, help="Tokens whose keys and values are kept at once (CPU: 4 GiB, GPU: half).")
    ] = None,
    device: Device = "auto",
    precision: Precision = "float32",
    template: TemplateOption = None,
    engine: EngineOptions = LOCAL,
    as_json: Json = False,
) -> None:
    """Write n answers to each prompt, one line an answer, with how each was made.

    An answer depends on the policy, its prompt and the seed, not on what else is asked. Interrupted or killed, the same
    command goes on with what is missing; an answer that failed stands in the file as null with the reason, and is asked
    for again. With --engine ray, several workers write, and every answer is the same as from one process; one that
    ended every worker that took it is null with the reason. Exit code 2: bad input, a server that refuses everything,
    or answers set aside.
    """
    from assay.bulk.spread_policy import refuse_unwritten
    from assay.flows.generate import generate_file, prompts_in
    from assay.flows.spread_generate import spread_generate
    from assay.policies.protocol import Sampling

    crewing = engine.crewing()
    sampling = Sampling(max_tokens=max_tokens, temperature=temperature, top_p=top_p, seed=seed, stop=tuple(stop or ()))
    run = Running(device=device, at_once=at_once, cache_tokens=cache_tokens, precision=precision, template=template)
    aside: tuple[tuple[str, int], ...] = ()
    if crewing is None:
        refuse_parts(out)
        done = generate_file(
            run.opened(policy), prompts_in(prompts), Path(out), n=n, sampling=sampling, notify=progress
        )
    else:
        opening = run.opening(policy, sampling)
        done, aside = spread_generate(opening, prompts, out, n=n, crewing=crewing, notify=progress)
    body = {
        "out": out, "prompts": done.prompts, "answers": done.answers, "already_there": done.known,
        "unanswered": done.unanswered, "tokens": done.tokens, "seconds": round(done.seconds, 2), "made": done.made,
    }  # fmt: skip
    output(body, told(done, out), as_json=as_json)
    refuse_unwritten(aside)


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """How a policy is run: the options of its model, or of requests where a server is asked."""

    device: str
    at_once: int | None
    cache_tokens: int | None
    precision: PrecisionAsked
    template: str | None

    def opened(self, policy: str) -> Policy:
        """The policy named; at_once means requests where a server is asked."""
        from rich.markup import escape

        from assay.endpoints.calls import CallLimits
        from assay.policies.open import open_policy

        remote = policy.startswith("endpoint:")
        return open_policy(
            policy,
            writing=self._writing(None if remote else self.at_once),
            template=self.template,
            limits=CallLimits(concurrency=self.at_once) if remote and self.at_once else None,
            said=lambda line: notes().print(escape(line)),
        )

    def opening(self, policy: str, sampling: Sampling) -> PolicyOpening:
        """The policy named, for workers to open."""
        from assay.bulk.held_work import PolicyOpening

        return PolicyOpening(
            policy=policy, sampling=sampling, writing=self._writing(self.at_once), template=self.template
        )

    def _writing(self, at_once: int | None) -> Writing:
        from assay.policies.local_policy import Writing

        return Writing(device=self.device, at_once=at_once, cache_tokens=self.cache_tokens, precision=self.precision)


def told(done: AnswersFile, out: str) -> str:
    """What was written, for people."""
    from rich.markup import escape

    text = f"{done.answers:,} answers to {done.prompts:,} prompts in {out}"
    text += f"; {done.known:,} of them were there already" if done.known else ""
    text += f"; {done.unanswered:,} without a text: null with the reason" if done.unanswered else ""
    text += f". The first: {escape(done.first_reason)}" if done.first_reason else ""
    return text + (f". {done.tokens:,} tokens in {done.seconds:,.1f} s" if done.tokens else "")


def progress(done: int, every: int) -> None:
    """Says on a terminal how far it is."""
    if sys.stderr.isatty() and (done == every or done % max(1, every // 20) == 0):
        notes().print(f"{done:,} of {every:,} answers")
