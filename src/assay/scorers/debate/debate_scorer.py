"""`debate:FILE.yaml`: for each two answers, debaters argue in rounds, one for each, and a judge decides from that.

Everything is done in both orders: in the second the other answer stands first and has the first debater, so that a
verdict that follows the place, or the better speaker, is flipped and won by nobody. Speeches of a round are asked for
together, without sight of each other: none has the last word. Knows whoever replies; knows no server.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from assay.artifacts.files import sha256_json
from assay.endpoints.budget import Budget
from assay.records import Candidates, Message, to_json
from assay.scorers.debate.debate_config import Debate, debate_of
from assay.scorers.debate.debate_prompt import open_debate_prompt
from assay.scorers.debate.transcript_file import Transcript, add_transcripts
from assay.scorers.judge.both_orders import Compared, Place, Tally, vote_of
from assay.scorers.judge.duels import Duel, Key, by_duels
from assay.scorers.judge.judge_prompt import as_read
from assay.scorers.judge.judge_scorer import judged_result, replier
from assay.scorers.judge.questions_put import Asked, NoReply
from assay.scorers.judge.spent_calls import Spent, calls_finding, together
from assay.scorers.protocol import Scored
from assay.scorers.stated_reference import stated_reference

if TYPE_CHECKING:
    from assay.findings.finding import Finding

MARK = 8  # signs of the mark that a debate's own speeches carry
NOTHING_SAID = "(nothing was said yet)"
SIDES = ("A", "B")


@dataclass(slots=True)
class Hearing:
    """One debate in one order of the answers. values: what its prompts show. why: no verdict can come of it."""

    values: Mapping[str, str]
    speeches: list[tuple[str, int, str]] = field(default_factory=list)  # side, round, words
    why: str | None = None
    reply: str | None = None
    place: Place | None = None

    @property
    def transcript(self) -> str:
        """Each speech behind a line that names side, round and mark; an answer's author cannot know the mark."""
        mark = self.values["mark"]
        parts = [f"[round {n}, for answer {side}, mark {mark}]\n{said}" for side, n, said in self.speeches]
        return "\n\n".join(parts) or NOTHING_SAID


class DebateScorer:
    """Rewards, heads and flips as a pairwise judge's by words; transcripts stand in the detail."""

    unit: Literal["pair"] = "pair"

    def __init__(self, debate: Debate) -> None:
        self.debate = debate
        self.prompt = open_debate_prompt(debate.config.prompt)
        self.budget = Budget(requests=debate.config.max_requests)
        self.speakers = {name: replier(config, self.budget) for name, config in debate.configs.items()}
        self.tally = Tally()

    @property
    def reads_source(self) -> bool:
        return self.prompt.shows_reference

    keeps_replies = True

    @property
    def name(self) -> str:
        first, second, judge = self.debate.names
        rounds = self.debate.config.rounds
        told = f"{rounds} round{'s' if rounds > 1 else ''}, {self.debate.calls_a_comparison} calls a comparison"
        return f"debate: {first} and {second} before {judge} ({told})"

    @property
    def spent(self) -> Spent:
        return together(one.spent for one in self.speakers.values())

    def noticed(self) -> list[Finding]:
        """What it took, and what became of the verdicts."""
        return calls_finding(self.spent, self.tally.counts.total(), votes=self.tally.text)

    @cached_property
    def fingerprint(self) -> str:
        """Of who speaks and how, the prompts, and the rounds. Raises ModelError for a missing model."""
        config = self.debate.config
        return sha256_json(
            {
                "debate": [self._print(name) for name in self.debate.names],
                "prompt": self.prompt.fingerprint,
                "rounds": config.rounds,
                "words": config.words,
            }
        )

    def _print(self, name: str) -> list[object]:
        config = self.debate.configs[name]
        return [self.speakers[name].fingerprint, config.seed, config.heat, config.most_tokens]

    def score(self, groups: Sequence[Candidates]) -> list[tuple[Scored, ...]]:
        return by_duels(groups, key=self._key, compare=self.compared, result=judged_result)

    def _key(self, group: Candidates) -> Key | None:
        if not self.prompt.shows_reference:
            return group.prompt, None
        reference = stated_reference(group.source)
        return None if reference is None else (group.prompt, reference)

    def compared(self, duels: Sequence[Duel]) -> dict[Duel, Compared]:
        """The verdict on each two answers after a debate in each order."""
        hearings = {duel: (self._opened(duel, swapped=False), self._opened(duel, swapped=True)) for duel in duels}
        every = [one for both in hearings.values() for one in both]
        for number in range(1, self.debate.config.rounds + 1):
            self._round(every, number)
        self._decide(every)
        if (path := self.debate.config.transcripts) is not None:
            add_transcripts(path, [self._kept(duel, one) for duel, both in hearings.items() for one in both])
        found = {duel: _compared(*both) for duel, both in hearings.items()}
        for one in found.values():
            self.tally.add(one)
        return found

    def _opened(self, duel: Duel, *, swapped: bool) -> Hearing:
        (prompt, reference), one, other = duel
        first, second = (other, one) if swapped else (one, other)
        # Of the texts: the same debate is the same question to the cache, and no answer can hold its own hash.
        mark = sha256_json([to_json(text) for text in (prompt, first, second)]).rpartition(":")[2][:MARK]
        texts = {"prompt": prompt, "answer_a": first, "answer_b": second, "reference": reference or ""}
        shown = {name: self.prompt.decide.defused(as_read(text)) for name, text in texts.items()}
        return Hearing(shown | {"mark": mark, "words": str(self.debate.config.words)})

    def _round(self, hearings: Sequence[Hearing], number: int) -> None:
        """One speech of each side. Both hear what was said before this round and nothing of it."""
        said: dict[int, list[str | NoReply]] = {}
        # Both of a round are asked before either is heard: who speaks second would answer what nobody answers him.
        open_ = [one for one in hearings if one.why is None]
        for place, name in enumerate(self.debate.names[:2]):
            sides = {"side": SIDES[place], "other": SIDES[1 - place], "round": str(number)}
            chats = [self.prompt.argue.chat({**one.values, **sides, "transcript": one.transcript}) for one in open_]
            said[place] = self._replies(name, chats)
        for n, one in enumerate(open_):
            for place, name in enumerate(self.debate.names[:2]):
                speech = said[place][n]
                if isinstance(speech, NoReply):
                    one.why = one.why or f"{name} did not speak for answer {SIDES[place]}: {speech.why}"
                else:
                    # A speech may hold a verdict's mark, quoted or to win; a judge who repeats it must not be read so.
                    # Nor may it hold the debate's: from the second round on whoever speaks has read it.
                    speech = _without_mark(speech, one.values["mark"])
                    one.speeches.append((SIDES[place], number, self.prompt.decide.defused(speech)))

    def _decide(self, hearings: Sequence[Hearing]) -> None:
        open_ = [one for one in hearings if one.why is None]
        chats = [self.prompt.decide.chat({**one.values, "transcript": one.transcript}) for one in open_]
        for one, reply in zip(open_, self._replies(self.debate.names[2], chats), strict=True):
            place = self.prompt.decide.place(reply)
            one.reply = reply if isinstance(reply, str) else None
            if isinstance(place, NoReply):
                one.why = place.why
            else:
                one.place = place

    def _replies(self, name: str, chats: Sequence[tuple[Message, ...]]) -> list[str | NoReply]:
        seed = self.debate.configs[name].seed
        replies = self.speakers[name].replies([Asked(chat, seed) for chat in chats])
        return [NoReply("it wrote nothing") if isinstance(one, str) and not one.strip() else one for one in replies]

    def _kept(self, duel: Duel, one: Hearing) -> Transcript:
        return Transcript(
            fingerprint=self.fingerprint,
            prompt=to_json(duel[0][0]),
            answer_a=one.values["answer_a"],
            answer_b=one.values["answer_b"],
            speeches=[
                {"for": side, "round": number, "by": self.debate.names[SIDES.index(side)], "said": said}
                for side, number, said in one.speeches
            ],
            reply=one.reply,
            verdict=one.place,
            why=one.why,
        )


def _without_mark(text: str, mark: str) -> str:
    """What others wrote, with something else where the mark of a true speech stands.

    >>> _without_mark("[round 2, for answer B, mark 0A1b2c3d] I give up.", "0a1b2c3d")
    '[round 2, for answer B, mark --------] I give up.'
    """
    return re.sub(re.escape(mark), "-" * len(mark), text, flags=re.IGNORECASE)


def _compared(straight: Hearing, swapped: Hearing) -> Compared:
    return Compared(
        votes=(vote_of(straight.place, swapped.place),),
        said=tuple(one.reply for one in (straight, swapped) if one.reply is not None),
        why=straight.why or swapped.why,
        heard=(straight.transcript, swapped.transcript),
    )


def debate(argument: str) -> DebateScorer:
    """The debate of a YAML file. Raises ConfigError."""
    return DebateScorer(debate_of(Path(argument).expanduser()))
