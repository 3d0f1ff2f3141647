"""Every kind of scorer against every check, and scorers with planted defects, which the checks must find."""

from __future__ import annotations

import atexit
import math
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import pytest
import yaml

from assay.artifacts.files import write_jsonl
from assay.errors import InputError
from assay.records import Candidates, Message, Pair, Text, plain_text
from assay.scorers.averaged import averaged
from assay.scorers.baseline import baseline
from assay.scorers.combined.combination_file import Combination
from assay.scorers.combined.combined_scorer import CombinedScorer
from assay.scorers.corrected import CorrectedScorer, Correction
from assay.scorers.debate.debate_scorer import debate
from assay.scorers.ensemble import EnsembleScorer
from assay.scorers.factuality.factual_scorer import factual
from assay.scorers.function import FunctionScorer
from assay.scorers.implicit import ImplicitScorer
from assay.scorers.joint_correction import JointCorrection, JointlyCorrectedScorer, Term
from assay.scorers.judge.judge_scorer import judge
from assay.scorers.jury.jury_scorer import jury
from assay.scorers.local import LocalScorer
from assay.scorers.open import KINDS
from assay.scorers.protocol import Reward, Scored, Unscored
from assay.scorers.recorded import RecordedScorer
from assay.scorers.remote.config import Kind, RemoteConfig
from assay.scorers.remote.open_remote import from_file
from assay.scorers.remote.remote_scorer import RemoteScorer
from assay.scorers.scores_file import pair_rows, prompt_rows
from assay.scorers.simulated_truth import simulated_truth
from assay.scorers.suite_results import PublishedScorer
from assay.scorers.verifier.verifier_scorer import verifier
from assay.simulate.support import support
from tests.scorers.conformance import CHECKS, GROUPS, PAIRS, Case
from tests.scorers.factuality.factual_files import judges_file
from tests.scorers.judge import judges
from tests.scorers.judge.chat_server import always, prefers, question, serving
from tests.support import language_models, saved_models
from tests.support.reward_server import Server, letters
from tests.support.saved_models import LONG


def vowels(prompt: Text, answers: Sequence[Text]) -> list[float | Unscored]:
    """A rule that takes no answer that shouts."""
    texts = [plain_text(answer) for answer in answers]
    return [Unscored("it shouts") if text.isupper() else sum(map(text.count, "aeiou")) / len(text) for text in texts]


def baselines(name: str, other: str) -> Callable[[Path], Case]:
    return lambda _: Case(make=lambda: baseline(name), other=lambda: baseline(other))


def function(_: Path) -> Case:
    return Case(
        make=lambda: FunctionScorer(vowels),
        other=lambda: FunctionScorer(lambda prompt, answers: [1.0] * len(answers), name="ones"),
        unreadable=Candidates(id="loud", prompt="May I?", answers=("NO", "NEVER")),
    )


def local(folder: Path) -> Case:
    one, other = (saved_models.reward_model(folder / str(seed), seed=seed) for seed in (0, 1))
    return Case(
        make=lambda: LocalScorer(one),
        other=lambda: LocalScorer(other),
        unreadable=Candidates(id="long", prompt="May I?", answers=(LONG, LONG + LONG)),
        tolerance=1e-5,
    )


def recorded(folder: Path) -> Case:
    """What a rule gave, in a file, beside a prompt that it could not take."""
    loud = Candidates(id="loud", prompt="May I?", answers=("NO", "NEVER"))

    def written(name: str, rule: str | None) -> Path:
        scorer = FunctionScorer(vowels) if rule is None else baseline(rule)
        rows = [*prompt_rows(scorer, [*GROUPS, loud]), *pair_rows(scorer, PAIRS)]
        write_jsonl(folder / name, rows)
        return folder / name

    one, other = written("one.jsonl", None), written("other.jsonl", "longest")
    return Case(make=lambda: RecordedScorer(one), other=lambda: RecordedScorer(other), unreadable=loud)


def published(folder: Path) -> Case:
    """Results of a suite, an item a row."""

    def written(name: str, rule: str) -> Path:
        pairs = [Candidates(id=pair.id, prompt=pair.prompt, answers=(pair.chosen, pair.rejected)) for pair in PAIRS]
        write_jsonl(folder / name, [*prompt_rows(baseline(rule), [*GROUPS, *pairs])])
        return folder / name

    one, other = written("one.jsonl", "longest"), written("other.jsonl", "shortest")
    return Case(make=lambda: PublishedScorer(one), other=lambda: PublishedScorer(other))


def objectives(_: Path) -> Case:
    def made(weight: float) -> CombinedScorer:
        parts = [{"name": name, "scorer": "x", "weight": each} for name, each in (("a", 1.0), ("b", weight))]
        scorers = {"a": FunctionScorer(vowels), "b": baseline("longest")}
        return CombinedScorer(scorers, Combination.build({"rule": "weights", "objectives": parts}))

    loud = Candidates(id="loud", prompt="May I?", answers=("NO", "NEVER"))
    return Case(make=lambda: made(0.5), other=lambda: made(2.0), unreadable=loud)


def ensembled(folder: Path) -> Case:
    """A rule that refuses some answers beside one that takes all, by the rule that parts most from the mean."""
    loud = Candidates(id="loud", prompt="May I?", answers=("NO", "NEVER"))

    def made(rule: Literal["mean", "worst", "uncertainty"]) -> EnsembleScorer:
        members = {"vowels": FunctionScorer(vowels, fingerprint="vowels/1"), "longest": baseline("longest")}
        return EnsembleScorer(members, rule=rule)

    return Case(make=lambda: made("uncertainty"), other=lambda: made("worst"), unreadable=loud)


def corrections(_: Path) -> Case:
    def made(slope: float) -> CorrectedScorer:
        at = [0.0, 100.0]
        return CorrectedScorer(
            FunctionScorer(vowels, fingerprint="vowels/1"), Correction(scorer="vowels", at=at, value=[0.0, slope])
        )

    loud = Candidates(id="loud", prompt="May I?", answers=("NO", "NEVER"))
    return Case(make=lambda: made(1.0), other=lambda: made(2.0), unreadable=loud)


def joint_corrections(_: Path) -> Case:
    def made(slope: float) -> JointlyCorrectedScorer:
        term = Term(
            term="characters",
            size=10.0,
            seen=(0.0, 100.0),
            reward=slope,
            share=1.0,
            taken=[slope, 0.0, slope, 1.0, 2.0],
        )
        joint = JointCorrection(scorer="vowels", attributes=["length"], terms=[term])
        return JointlyCorrectedScorer(FunctionScorer(vowels, fingerprint="vowels/1"), joint)

    loud = Candidates(id="loud", prompt="May I?", answers=("NO", "NEVER"))
    return Case(make=lambda: made(1.0), other=lambda: made(2.0), unreadable=loud)


def averages(folder: Path) -> Case:
    one, other, third = (str(saved_models.reward_model(folder / str(seed), seed=seed)) for seed in range(3))
    return Case(
        make=lambda: averaged(f"{one},{other}"),
        other=lambda: averaged(f"{one},{third}"),
        unreadable=Candidates(id="long", prompt="May I?", answers=(LONG, LONG + LONG)),
        tolerance=1e-5,
    )


def implied(folder: Path) -> Case:
    policy, other, reference = (str(saved_models.policy(folder / str(seed), seed=seed)) for seed in range(3))
    return Case(
        make=lambda: ImplicitScorer(policy, reference, folder=folder / "kept"),
        other=lambda: ImplicitScorer(other, reference, folder=folder / "kept"),
        unreadable=Candidates(id="long", prompt="May I?", answers=(LONG, LONG + LONG)),
        tolerance=1e-4,
    )


SERVERS = ExitStack()  # judges' servers, which live as long as the cases


def judged(mode: str) -> Callable[[Path], Case]:
    """A judge of length behind a server; it does not read one question."""

    def replies(body: dict[str, Any]) -> str:
        if "What is unreadable?" in question(body):
            return "I would rather not say."
        if mode == "score":
            text = question(body).partition("<answer>\n")[2].partition("\n</answer>")[0]
            return f"Score: [[{1 + len(text) % 9}]]"
        return str(prefers(len)(body))

    def case(folder: Path) -> Case:
        server = SERVERS.enter_context(serving(replies))
        shorter = SERVERS.enter_context(serving(prefers(lambda text: -len(text)) if mode != "score" else GRADES_FIVE))
        one, other = (
            judges.written(place, endpoint=at.address, mode=mode, seconds=60)
            for place, at in ((folder, server), (folder / "other", shorter))
        )
        return Case(
            make=lambda: judge(str(one)),
            other=lambda: judge(str(other)),
            unreadable=Candidates(id="odd", prompt="What is unreadable?", answers=("a", "b")),
        )

    return case


def jury_case(rule: str) -> Callable[[Path], Case]:
    """Two judges of length and one who says A, at one server; they do not read one question."""

    def replies(body: dict[str, Any]) -> str:
        if "What is unreadable?" in question(body):
            return "I would rather not say."
        if rule == "grades":
            text = question(body).partition("<answer>\n")[2].partition("\n</answer>")[0]
            return f"Score: [[{1 + len(text) % 9}]]"
        return "[[A]]" if body["model"] == "a" else str(prefers(len)(body))

    def case(folder: Path) -> Case:
        server = SERVERS.enter_context(serving(replies))
        mode = "score" if rule == "grades" else "pairwise"
        files = []
        for name, models in (("one", "mna"), ("other", "mnoa")):
            judges = [{"model": one, "endpoint": server.address, "mode": mode, "seconds": 60} for one in models]
            file = folder / f"{name}.yaml"
            file.write_text(yaml.safe_dump({"judges": judges, "rule": "mean" if rule == "grades" else rule}))
            files.append(file)
        return Case(
            make=lambda: jury(str(files[0])),
            other=lambda: jury(str(files[1])),
            unreadable=Candidates(id="odd", prompt="What is unreadable?", answers=("a", "b")),
        )

    return case


def debate_case(folder: Path) -> Case:
    """A judge of length hears two debaters; one question he does not read."""

    def replies(body: dict[str, Any]) -> str:
        if "argue for answer" in question(body):
            return "Mine is better."
        return "Hm." if "What is unreadable?" in question(body) else str(prefers(len)(body))

    server = SERVERS.enter_context(serving(replies))
    files = []
    for rounds in (1, 2):
        speakers = [{"model": name, "endpoint": server.address, "seconds": 60} for name in "xyz"]
        file = folder / f"{rounds}.yaml"
        file.write_text(yaml.safe_dump({"debaters": speakers[:2], "judge": speakers[2], "rounds": rounds}))
        files.append(file)
    return Case(
        make=lambda: debate(str(files[0])),
        other=lambda: debate(str(files[1])),
        unreadable=Candidates(id="odd", prompt="What is unreadable?", answers=("a", "b")),
    )


UNREADABLE = Candidates(id="long", prompt="May I?", answers=("unreadable", "unreadable too"))


def served(rule: Callable[[object], float]) -> str:
    """The address of a server that runs until the tests end."""
    server = Server(rule).__enter__()
    atexit.register(server.__exit__)
    return server.url


def remote(kind: Kind) -> Callable[[Path], Case]:
    template = "plain" if kind in {"sglang", "openrlhf"} else None

    def case(_: Path) -> Case:
        urls = served(letters), served(lambda row: letters(row) * 2)
        one, other = (RemoteConfig(kind=kind, url=url, template=template, cache="off") for url in urls)
        return Case(make=lambda: RemoteScorer(one), other=lambda: RemoteScorer(other), unreadable=UNREADABLE)

    return case


GRADES_FIVE = always("Score: [[5]]")


def judged_here(mode: str) -> Callable[[Path], Case]:
    """A language model of this machine with random weights, asked for tokens of its own."""

    def case(folder: Path) -> Case:
        prompts = {
            "pairwise": "user: 'Q {prompt} X {answer_a} Y {answer_b}'\ntokens: ['a', 'b']\n",
            "probability": "user: 'Q {prompt} X {answer}'\ntokens: ['a', 'b']\n",
        }
        files = []
        for seed in (0, 1):
            model = language_models.saved(folder / str(seed), seed=seed)
            (model.parent / "prompt.yaml").write_text(prompts[mode])
            options = {"read": "token"} if mode == "pairwise" else {}
            files.append(judges.written(model.parent, model=str(model), mode=mode, prompt="prompt.yaml", **options))
        return Case(
            make=lambda: judge(str(files[0])),
            other=lambda: judge(str(files[1])),
            unreadable=Candidates(id="long", prompt="May I?", answers=(LONG, LONG + LONG)),
            tolerance=1e-4,
        )

    return case


REFERENCES = {"May I?": "Yes.", "How do I get a refund?": "No."}


def verified(check: str, other: str, *, references: bool = False) -> Callable[[Path], Case]:
    """references: rows state one, but for a group that therefore cannot be judged."""

    def stated(prompt: Text) -> dict[str, object]:
        return {"reference": REFERENCES.get(plain_text(prompt), "word 0")}

    def case(folder: Path) -> Case:
        script = folder / "rule.py"
        script.write_text(
            "def vowels(answer):\n    return sum(map(answer.count, 'aeiou'))\n"
            "def length(answer):\n    return len(answer)\n"
            "if __name__ == '__main__':\n"
            "    import json, sys\n"
            "    for line in sys.stdin: print(len(json.loads(line)['answer']), flush=True)\n"
        )
        names = {"FILE": str(script), "PYTHON": sys.executable}
        one, two = (check.format(**names), other.format(**names))
        return Case(
            make=lambda: verifier(one),
            other=lambda: verifier(two),
            groups=[replace(group, source=stated(group.prompt)) for group in GROUPS] if references else GROUPS,
            pairs=[replace(pair, source=stated(pair.prompt)) for pair in PAIRS] if references else PAIRS,
            unreadable=Candidates(id="odd", prompt="p", answers=("a", "b")) if references else None,
        )

    return case


def remote_file(folder: Path) -> Case:
    """With a cache, and several rows in a request."""
    files = folder / "one.yaml", folder / "other.yaml"
    for file, rule in zip(files, (letters, lambda row: letters(row) * 2), strict=True):
        file.write_text(f"kind: tei\nurl: {served(rule)}\nbatch: 4\ncache: {folder / 'cache'}\n")
    return Case(make=lambda: from_file(str(files[0])), other=lambda: from_file(str(files[1])), unreadable=UNREADABLE)


def truths(_: Path) -> Case:
    """The support desk's, who has none of other prompts; and as another scorer the grant office's."""
    desk = support(12, seed=1).rows
    pairs = [Pair(id=str(r["id"]), prompt=str(r["prompt"]), chosen=str(r["chosen"]), rejected=str(r["rejected"]))
             for r in desk]  # fmt: skip
    groups = [Candidates(id=one.id, prompt=one.prompt, answers=(one.chosen, one.rejected, one.chosen)) for one in pairs]
    return Case(
        make=lambda: simulated_truth("support"),
        other=lambda: simulated_truth("grants"),
        groups=groups,
        pairs=pairs,
        unreadable=Candidates(id="other", prompt="May I?", answers=("No.", "Yes.")),
    )


TOLD = (
    Candidates(id="one", prompt="It takes 3 days. How long?", answers=("It takes 3 days.", "It takes 4 days.", "No.")),
    Candidates(
        id="two", prompt="The fee is $5, due on 3 May.", answers=("You pay $5.", "You pay $5.", "I don't know.")
    ),
    Candidates(
        id="chat", prompt=(Message(role="user", content="It opens at 9am. When?"),), answers=("At 9am.", "5pm.")
    ),
)
TOLD_PAIRS = [
    Pair(id=str(place), prompt=one.prompt, chosen=one.answers[0], rejected=one.answers[-1])
    for place, one in enumerate(TOLD)
]


def looked_up(folder: Path) -> Case:
    """The second looks in a folder too, where other fees stand."""
    (folder / "fees").mkdir()
    (folder / "fees" / "a.txt").write_text("The fee takes 4 days and is $7.")
    return Case(
        make=lambda: factual("rule"),
        other=lambda: factual(str(folder / "fees")),
        groups=TOLD,
        pairs=TOLD_PAIRS,
        unreadable=Candidates(id="nothing", prompt="What is the capital of France?", answers=("Paris.", "Rome.")),
    )


def looked_up_by_a_judge(folder: Path) -> Case:
    """Judges who find everything supported, or contradicted, and are dumb before one question."""

    def replies(word: str) -> Callable[[dict[str, Any]], str]:
        return lambda body: "Hm." if "unreadable" in question(body) else f"Verdict: [[{word}]]"

    files = []
    for word in ("supported", "contradicted"):
        server = SERVERS.enter_context(serving(replies(word)))
        (folder / word).mkdir()
        judges_file(folder / word, server.address)
        files.append(folder / word / "factual.yaml")
    return Case(
        make=lambda: factual(str(files[0])),
        other=lambda: factual(str(files[1])),
        groups=TOLD,
        pairs=TOLD_PAIRS,
        unreadable=Candidates(id="odd", prompt="It is unreadable.", answers=("It is 3 days.", "It is 4 days.")),
    )


KINDS_HELD: Mapping[str, Callable[[Path], Case]] = {
    "baseline:longest": baselines("longest", "shortest"),
    "baseline:shortest": baselines("shortest", "longest"),
    "baseline:random": baselines("random", "random:1"),
    "baseline:constant": baselines("constant", "longest"),
    "baseline:keywords:yes,no": baselines("keywords:yes,no", "longest"),
    "averaged": averages,
    "combined": objectives,
    "corrected": corrections,
    "corrected, jointly": joint_corrections,
    "ensemble": ensembled,
    "debate": debate_case,
    "factual:rule": looked_up,
    "factual, judged": looked_up_by_a_judge,
    "implicit": implied,
    "function": function,
    "judge:pairwise": judged("pairwise"),
    "judge:score": judged("score"),
    "judge:pairwise, local": judged_here("pairwise"),
    "judge:probability, local": judged_here("probability"),
    "jury:majority": jury_case("majority"),
    "jury:mean": jury_case("mean"),
    "jury:graders": jury_case("grades"),
    "local": local,
    "published": published,
    "recorded": recorded,
    "truth": truths,
    "verifier:exact": verified("exact", "length:2-2", references=True),
    "verifier:regex": verified("regex:^N", "regex:o"),
    "verifier:python": verified("python:{FILE}:vowels", "python:{FILE}:length"),
    "verifier:command": verified("command:{PYTHON} {FILE}", "length:1-2"),
    "vllm": remote("vllm"),
    "sglang": remote("sglang"),
    "tei": remote("tei"),
    "openrlhf": remote("openrlhf"),
    "remote": remote_file,
}


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, Case]]:
    with SERVERS:
        yield {kind: make(tmp_path_factory.mktemp("case")) for kind, make in KINDS_HELD.items()}


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("kind", KINDS_HELD)
def test_every_kind_keeps_the_protocol(kind: str, check: str, cases: Mapping[str, Case]) -> None:
    CHECKS[check](cases[kind])


def test_no_kind_is_left_out() -> None:
    assert set(KINDS) <= {kind.partition(":")[0] for kind in KINDS_HELD}


class Broken:
    """A scorer with one defect."""

    name, fingerprint = "broken", "broken/1"

    def __init__(self, give: Callable[[Sequence[Candidates]], list[tuple[Scored, ...]]]) -> None:
        self.score = give


def fair(groups: Sequence[Candidates]) -> list[tuple[Scored, ...]]:
    return baseline("longest").score(groups)


DEFECTS: Mapping[str, tuple[str, Callable[[Sequence[Candidates]], list[tuple[Scored, ...]]]]] = {
    "one_result_an_answer": ("drops equal answers", lambda groups: [tuple(dict.fromkeys(r)) for r in fair(groups)]),
    "nothing_asked_nothing_given": ("answers nobody", lambda groups: fair(groups) or [()]),
    "in_the_order_given": ("sorts its groups", lambda groups: fair(sorted(groups, key=lambda group: group.id))),
    "one_by_one_as_together": (
        "centres over the batch",
        lambda groups: [tuple(Reward(r.value - len(groups)) for r in one) for one in fair(groups)],
    ),
    "equal_answers_equal_rewards": (
        "counts places",
        lambda groups: [tuple(Reward(float(n)) for n in range(len(one))) for one in fair(groups)],
    ),
    "rewards_are_finite_and_reasons_are_words": (
        "gives no number",
        lambda groups: [tuple(Reward(math.nan) for _ in one) for one in fair(groups)],
    ),
    "it_is_a_scorer_and_keeps_its_promises": (
        "gives plain numbers",
        lambda groups: [tuple(r.value for r in one) for one in fair(groups)],  # type: ignore[misc]
    ),
    "the_fingerprint_tells_scorers_apart": ("is as the other", fair),
    "pairs_get_their_own_results": (
        "sees the others in its group",
        lambda groups: [tuple(Reward(r.value / len(one)) for r in one) for one in fair(groups)],
    ),
}


@pytest.mark.parametrize("check", DEFECTS)
def test_a_planted_defect_is_found(check: str) -> None:
    case = Case(make=lambda: Broken(DEFECTS[check][1]), other=lambda: baseline("longest"))
    with pytest.raises((AssertionError, InputError)):  # an InputError: score_groups found it first
        CHECKS[check](case)
    CHECKS[check](Case(make=lambda: Broken(fair), other=lambda: baseline("shortest")))
