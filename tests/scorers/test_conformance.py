"""Every kind of scorer against every check, and scorers with planted defects, which the checks must find."""

from __future__ import annotations

import atexit
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from assay.artifacts.files import write_jsonl
from assay.errors import InputError
from assay.records import Candidates, Text, plain_text
from assay.scorers.baseline import baseline
from assay.scorers.function import FunctionScorer
from assay.scorers.local import LocalScorer
from assay.scorers.open import KINDS
from assay.scorers.protocol import Reward, Scored, Unscored
from assay.scorers.recorded import RecordedScorer
from assay.scorers.remote.config import Kind, RemoteConfig
from assay.scorers.remote.open_remote import from_file
from assay.scorers.remote.remote_scorer import RemoteScorer
from assay.scorers.scores_file import pair_rows, prompt_rows
from tests.scorers.conformance import CHECKS, GROUPS, PAIRS, Case
from tests.support import saved_models
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


def remote_file(folder: Path) -> Case:
    """With a cache, and several rows in a request."""
    files = folder / "one.yaml", folder / "other.yaml"
    for file, rule in zip(files, (letters, lambda row: letters(row) * 2), strict=True):
        file.write_text(f"kind: tei\nurl: {served(rule)}\nbatch: 4\ncache: {folder / 'cache'}\n")
    return Case(make=lambda: from_file(str(files[0])), other=lambda: from_file(str(files[1])), unreadable=UNREADABLE)


KINDS_HELD: Mapping[str, Callable[[Path], Case]] = {
    "baseline:longest": baselines("longest", "shortest"),
    "baseline:shortest": baselines("shortest", "longest"),
    "baseline:random": baselines("random", "random:1"),
    "baseline:constant": baselines("constant", "longest"),
    "function": function,
    "local": local,
    "recorded": recorded,
    "vllm": remote("vllm"),
    "sglang": remote("sglang"),
    "tei": remote("tei"),
    "openrlhf": remote("openrlhf"),
    "remote": remote_file,
}


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Case]:
    return {kind: make(tmp_path_factory.mktemp("case")) for kind, make in KINDS_HELD.items()}


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
