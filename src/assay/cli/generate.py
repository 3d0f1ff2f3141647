"""`assay generate`: answers of any policy to prompts."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assay.cli.engine_options import LOCAL, EngineOptions
from assay.cli.options import Json, TemplateOption, notes, output
from assay.cli.reading import with_data_options
from assay.errors import ModelError
from assay.models.precision import Asked as PrecisionAsked

if TYPE_CHECKING:
    from assay.flows.generate import AnswersFile
    from assay.policies.protocol import Policy


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
    out: Annotated[Path, typer.Option("--out", help="JSON lines to write, one an answer.")],
    n: Annotated[int, typer.Option("--n", min=1, help="Answers to each prompt.")] = 1,
    max_tokens: Annotated[int, typer.Option(min=1, help="Tokens of an answer at most.")] = 256,
    temperature: Annotated[float, typer.Option(min=0, help="0: the likeliest token each time.")] = 1.0,
    top_p: Annotated[float, typer.Option(help="Draw among the likeliest tokens that hold so much probability.")] = 1.0,
    seed: Annotated[int, typer.Option(min=0, help="Decides every answer, in any order and company.")] = 0,
    stop: Annotated[
        list[str] | None,
        typer.Option("--stop", help="A text before which an answer ends; may be repeated.", show_default=False),
    ] = None,
    at_once: Annotated[
        int | None, typer.Option(min=1, help="Answers side by side (CPU: 64, GPU: 256); requests at once (16).")
    ] = None,
    cache_tokens: Annotated[
        int | None, typer.Option(min=1, help="Tokens whose keys and values are kept at once (CPU: 4 GiB, GPU: half).")
    ] = None,
    device: Annotated[
        str, typer.Option(help="Where a model runs: cpu, cuda, ...; auto takes a GPU if there is one.")
    ] = "auto",
    precision: Annotated[
        PrecisionAsked,
        typer.Option(help="float32, bf16, or auto: bf16 where it is measured to be clearly faster here."),
    ] = "float32",
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
    from assay.flows.generate import generate_file, prompts_in
    from assay.policies.protocol import Sampling

    crewing = engine.crewing()
    sampling = Sampling(max_tokens=max_tokens, temperature=temperature, top_p=top_p, seed=seed, stop=tuple(stop or ()))
    aside: tuple[tuple[str, int], ...] = ()
    if crewing is None:
        opened = opened_policy(
            policy, device=device, at_once=at_once, cache_tokens=cache_tokens, precision=precision, template=template
        )
        done = generate_file(opened, prompts_in(prompts), out, n=n, sampling=sampling, notify=progress)
    else:
        from assay.bulk.held_work import PolicyOpening
        from assay.flows.spread_generate import spread_generate
        from assay.policies.local_policy import Writing

        writing = Writing(device=device, at_once=at_once, cache_tokens=cache_tokens, precision=precision)
        opening = PolicyOpening(policy=policy, sampling=sampling, writing=writing, template=template)
        spread = spread_generate(opening, prompts, out, n=n, crewing=crewing, notify=progress)
        done, aside = spread.done, spread.aside
    body = {
        "out": str(out), "prompts": done.prompts, "answers": done.answers, "already_there": done.known,
        "unanswered": done.unanswered, "tokens": done.tokens, "seconds": round(done.seconds, 2), "made": done.made,
    }  # fmt: skip
    output(body, told(done, out), as_json=as_json)
    if aside:
        raise ModelError(
            f"{len(aside):,} answers ended every worker that took them, such as number {aside[0][1]} to prompt "
            f"{aside[0][0]!r}. All others are done; the same command tries these again."
        )


def opened_policy(
    policy: str,
    *,
    device: str,
    at_once: int | None,
    cache_tokens: int | None,
    precision: PrecisionAsked,
    template: str | None,
) -> Policy:
    """The policy named, with its options: at_once means requests where a server is asked."""
    from rich.markup import escape

    from assay.endpoints.calls import CallLimits
    from assay.policies.local_policy import Writing
    from assay.policies.open import open_policy

    remote = policy.startswith("endpoint:")
    return open_policy(
        policy,
        writing=Writing(
            device=device, at_once=None if remote else at_once, cache_tokens=cache_tokens, precision=precision
        ),
        template=template,
        limits=CallLimits(concurrency=at_once) if remote and at_once else None,
        said=lambda line: notes().print(escape(line)),
    )


def told(done: AnswersFile, out: Path) -> str:
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
