"""The page of a reward under pressure as one HTML file: whether gold turns, the curves, what the picks have in common.

Knows pressure.json and the rows of worst_picks.jsonl; computes no figure.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from assay.artifacts.files import atomic_write
from assay.artifacts.fit_body import FitBody
from assay.artifacts.pressure_body import BesideBody, DriftRow, PhraseRow, PointBody, PressureBody
from assay.audits.pressure.pressure_meanings import SHOWN
from assay.audits.pressure.worst_picks import PickRow
from assay.findings.finding import Finding
from assay.records import Message, plain_text
from assay.report import words
from assay.report.finding_text import cell
from assay.report.html import html_environment, inlined_styles
from assay.report.passages import passages
from assay.report.plots.pressure_plots import PressureLine, narrow_pressure_plot, pressure_plot
from assay.report.pressure.fit_section import fit_section

TONES = {"does_not_turn": "pass", "turns": "fail", "undecided": "undecided"}
WORDS = {"does_not_turn": "does not turn", "turns": "turns", "undecided": "undecided"}
MOST_PICKS = 10
MOST_DRIFTS = 12
MOST_PHRASES = 20
OURS = "this reward"


def render_pressure(body: PressureBody, worst: Sequence[PickRow], path: Path, *, fit: FitBody | None = None) -> Path:
    """Write the page; the same artifacts give the same bytes. worst: the picks, those furthest below first.

    fit: of the reward to the policy whose samples these are.
    """
    template = html_environment().get_template("pressure.html.j2")
    page = template.render(css=inlined_styles("report.css"), **context(body, worst), fit=fit_section(fit))
    with atomic_write(path) as stream:
        stream.write(page.encode())
    return path


def context(body: PressureBody, worst: Sequence[PickRow]) -> dict[str, object]:
    findings = [Finding.from_body(one) for one in body.findings]
    overall = {one.name: one for one in findings if one.slice.name is None}
    return {
        "version": body.assay_version,
        "body": body,
        "tone": TONES[body.verdict],
        "facts": facts(body),
        "keys": [key(overall[name]) for name, _ in SHOWN.shown_in("key figures").items() if name in overall],
        "banner": banner(body),
        "headline": headline(body),
        "legend": legend(body),
        "panels": panels(body),
        "curve": [point(one) for one in body.curve],
        "figures": [figure(overall[name]) for name in SHOWN if name in overall],
        "categories": categories(findings),
        "drifts": [drift(row) for row in body.drifts[:MOST_DRIFTS]],
        "drifts_cut": max(0, len(body.drifts) - MOST_DRIFTS),
        "phrases": [phrase(row) for row in body.phrases[:MOST_PHRASES]],
        "phrases_cut": max(0, len(body.phrases) - MOST_PHRASES),
        "beside": [beside(one) for one in body.beside],
        "picks": [pick(row) for row in worst[:MOST_PICKS]],
        "kept": words.count(len(worst)),
        "last": body.curve[-1].n if body.curve else None,
        "set_aside": [f"{words.plural(count, 'prompt')}: {why}" for why, count in sorted(body.set_aside.items())],
        "left_out": words.plural(body.left_out, "answer") if body.left_out else "",
        "versions": sorted(body.versions.items()),
        "prints": [*prints("reward", body.proxy.fingerprints), *prints("gold", body.gold.fingerprints)],
        "fits": fits(body),
    }


def facts(body: PressureBody) -> list[tuple[str, str]]:
    kind = {"labels": "labels of the candidates", "truth": f"simulated truth ({body.gold.name})"}
    return [
        ("reward", body.proxy.name),
        ("gold", kind.get(body.gold.kind, body.gold.name)),
        ("candidates", f"{words.count(body.answers)} answers, {words.plural(body.prompts, 'prompt')} in the curve"),
    ]


def banner(body: PressureBody) -> str:
    if not body.shared:
        return ""
    named = words.listing(body.shared)
    return f"Gold and proxy share weights: {named}. What the reward gets wrong, this gold gets wrong too."


def headline(body: PressureBody) -> tuple[str, str] | None:
    """Gold of this run with its band, and of the runs beside it."""
    if not body.curve:
        return None
    lines = [gold_line(body)]
    for place, one in enumerate(body.beside, 1):
        points = tuple((found.n, found.gold, None, None) for found in one.points)
        if points:
            lines.append(PressureLine(label=short(beside_name(one)), points=points, style=place, band=False))
    label = f"Gold of the pick at best of n: {body.sentence}"
    y_words, mark = "gold of the pick, in its own unit", highest(body)
    wide = pressure_plot(lines, label=label, y_words=y_words, mark=mark)
    return wide, narrow_pressure_plot(lines, label=label, y_words=y_words, mark=mark)


def gold_line(body: PressureBody) -> PressureLine:
    points = []
    for one in body.curve:
        interval = one.gold_interval
        points.append((one.n, one.gold, interval.low if interval else None, interval.high if interval else None))
    return PressureLine(label=OURS if body.beside else "gold", points=tuple(points))


def highest(body: PressureBody) -> int | None:
    return max(body.curve, key=lambda one: one.gold).n if body.curve and body.verdict == "turns" else None


def legend(body: PressureBody) -> list[tuple[str, str]]:
    """Swatch and words of each curve of the headline."""
    rows = [("seed0", f"{body.proxy.name}, with its interval" if body.beside else "gold, with its interval")]
    rows += [
        (f"seed{place % 4}", f"{beside_name(one)} ({WORDS[one.verdict]})") for place, one in enumerate(body.beside, 1)
    ]
    return rows


def beside_name(one: BesideBody) -> str:
    """The reward's name, with its folder where that says more."""
    return f"{one.name}, {one.folder}"


def short(text: str, most: int = 20) -> str:
    last = text.rsplit(", ", 1)[-1].rstrip("/").rsplit("/", 1)[-1]
    return last if len(last) <= most else last[: most - 1] + "…"


def panels(body: PressureBody) -> list[tuple[str, str, str]]:
    """Reward beside gold in spreads; gold beside what a perfect pick would have."""
    if len(body.curve) < 2:
        return []
    gain = PressureLine(
        label="gold",
        points=tuple(
            (one.n, one.gain, one.gain_interval.low if one.gain_interval else None,
             one.gain_interval.high if one.gain_interval else None)
            for one in body.curve
        ),
    )  # fmt: skip
    proxy = PressureLine(
        label="reward", points=tuple((one.n, one.proxy_gain, None, None) for one in body.curve), style=1, band=False
    )
    best = PressureLine(
        label="perfect pick", points=tuple((one.n, one.best, None, None) for one in body.curve), style=2, band=False
    )
    promised = narrow_pressure_plot(
        [gain, proxy],
        label="Gains of reward and gold over a random answer, in spreads",
        y_words="gain, in spreads",
        css="",
    )
    possible = narrow_pressure_plot(
        [gold_line(body), best], label="Gold of the pick and of a perfect pick", y_words="gold", css=""
    )
    return [
        ("What the reward promises and what gold gets", promised, "seed1 reward"),
        ("What a perfect pick would have", possible, "seed2 perfect pick"),
    ]


def key(one: Finding) -> dict[str, str]:
    found = cell(one)
    return {"name": SHOWN[one.name].label, "big": found.text, "sub": found.sub or found.why}


def figure(one: Finding) -> dict[str, str]:
    found = cell(one)
    extra = str(one.detail["attribute"]) if "attribute" in one.detail else ""
    return {
        "title": SHOWN[one.name].label,
        "value": found.text,
        "span": found.sub,
        "n": words.count(one.n),
        "why": one.why,
        "extra": words.sentence(found.why or (f"here: {extra}" if extra else "")).removesuffix("."),
    }


def point(one: PointBody) -> dict[str, str]:
    interval, gain = one.gold_interval, one.gain_interval
    may = {None: "", True: "may be the highest", False: "surely below another"}[one.may_be]
    return {
        "n": str(one.n),
        "kl": words.number(one.kl, 2),
        "proxy": words.reward(one.proxy),
        "gold": words.reward(one.gold),
        "span": f"{words.reward(interval.low)} to {words.reward(interval.high)}" if interval else "",
        "gain": words.signed(one.gain, 2),
        "gain_span": f"{words.signed(gain.low, 2)} to {words.signed(gain.high, 2)}" if gain else "",
        "best": words.reward(one.best),
        "may": may,
    }


def categories(findings: Sequence[Finding]) -> list[dict[str, str]]:
    """Gain and fall of each category, the steepest fall first."""
    falls = [one for one in findings if one.name == "gold_fall" and one.slice.part == "category"]
    gains = {one.slice: one for one in findings if one.name == "gold_gain"}
    falls.sort(key=lambda one: (-(one.known or 0.0), one.slice))
    rows = []
    for fall in falls:
        fell, gained = cell(fall), cell(gains[fall.slice])
        rows.append(
            {
                "name": fall.slice.label, "n": words.count(fall.n), "fall": fell.text,
                "fall_span": fell.sub or fell.why, "gain": gained.text, "gain_span": gained.sub or gained.why,
                "from": f"n = {fall.detail['from_n']}" if "from_n" in fall.detail else "",
            }
        )  # fmt: skip
    return rows


def drift(row: DriftRow) -> dict[str, str]:
    interval = row.interval
    word = "stands out" if row.p_holm <= 0.05 else "not told apart"
    if row.p_holm == 1 and interval is not None and (interval.low > 0 or interval.high < 0):
        word = "in too few prompts"  # the interval leaves out 0, and what it rests on is a handful of prompts
    return {
        "name": row.attribute,
        "random": words.plain_number(row.random),
        "picked": words.plain_number(row.picked),
        "gold": words.plain_number(row.picked_by_gold),
        "beyond": words.signed(row.beyond_gold, 2),
        "span": f"{words.signed(interval.low, 2)} to {words.signed(interval.high, 2)}" if interval else "",
        "word": word,
        "p": p_words(row.p_holm),
    }


def phrase(row: PhraseRow) -> dict[str, str]:
    return {
        "text": row.phrase,
        "opens": "opening" if row.opens else "",
        "random": words.percent(row.random),
        "picked": words.percent(row.picked),
        "gold": words.percent(row.picked_by_gold),
        "p": p_words(row.p_bh),
        "length": f"beyond length, {p_words(row.p_beyond_length)}"
        if row.p_beyond_length <= 0.05
        else "as length has it",
    }


def p_words(p: float) -> str:
    """A p value as people read it; below a thousandth its size says nothing more."""
    return "p < 0.001" if p < 0.001 else f"p {words.number(p, 3)}"


def beside(one: BesideBody) -> dict[str, object]:
    rows = []
    for found in one.points:
        interval = found.interval
        rows.append(
            {
                "n": str(found.n),
                "gold": words.reward(found.gold),
                "difference": "" if found.difference is None else words.signed(found.difference, 2),
                "span": f"{words.signed(interval.low, 2)} to {words.signed(interval.high, 2)}" if interval else "",
            }
        )
    return {"name": beside_name(one), "word": WORDS[one.verdict], "prompts": one.prompts, "rows": rows}


def pick(row: PickRow) -> dict[str, object]:
    """One pick for reading, beside the answer that gold likes best."""
    return {
        "id": row["prompt_id"],
        "category": row["category"] or "no category",
        "prompt": passages(as_text(row["prompt"])),
        "pick": passages(as_text(row["pick"])),
        "best": passages(as_text(row["best"])),
        "pick_numbers": f"reward {words.reward(row['pick_reward'])}, gold {words.reward(row['pick_gold'])}",
        "best_numbers": f"reward {words.reward(row['best_reward'])}, gold {words.reward(row['best_gold'])}",
        "below": f"{words.number(row['below'], 1)} spreads below the mean of its prompt; gold likes "
        f"{words.percent(row['worse'], 0)} of the answers less",
    }


def as_text(value: object) -> str:
    """A prompt or answer of worst_picks.jsonl, a conversation as plain text."""
    if not isinstance(value, list):
        return str(value)
    return plain_text(tuple(Message(role=turn["role"], content=turn["content"]) for turn in value))


def prints(side: str, found: dict[str, str]) -> list[tuple[str, str]]:
    return [(f"{side}, seed {seed}" if len(found) > 1 else side, print_) for seed, print_ in sorted(found.items())]


def fits(body: PressureBody) -> list[tuple[str, str]]:
    """The fitted curves in words."""
    rows = []
    for name, fit in sorted(body.fits.items()):
        share = "" if fit.explained is None else f", {words.percent(fit.explained)} of the points' spread"
        sign = "−" if fit.beta >= 0 else "+"
        called = "reward" if name == "proxy" else name
        rows.append((called, f"d ({words.number(fit.alpha, 3)} {sign} {words.number(abs(fit.beta), 3)} d){share}"))
    return rows
