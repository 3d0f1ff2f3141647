"""The simulated support desk's agents as a Policy: `support:wordy`, or any mixture of agents and habits.

An answer depends on the agents, its prompt and its own seed alone, so that answer i of a prompt is the same whatever
else is asked. Of sampling only the seed is read: the agents are programs. Knows prompts; knows no answer's worth.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property

from assay.artifacts.files import sha256_json
from assay.policies.one_by_one import Asked, answer_seed, gathered
from assay.policies.protocol import Generation, Generations, Made, Prompt, Sampling, generated
from assay.records import plain_text
from assay.simulate.support.answer_policy import AgentMix, agent_mix, draw_answer
from assay.simulate.support.reading import ReadCase, read_case
from assay.stats.unknown import Unknown
from assay.version import __version__


@dataclass(frozen=True)
class SupportDesk:
    """Answers prompts of the desk; any other prompt has none, with the reason."""

    mix: AgentMix

    @property
    def name(self) -> str:
        return f"support:{self.mix.spec}"

    @cached_property
    def fingerprint(self) -> str:
        """Of the agents' habits, and of the version, since the phrases they use stand in the code."""
        agents = [[weight, asdict(habits)] for weight, habits in self.mix.agents]
        return sha256_json({"agents": agents, "assay": __version__})

    def generate(self, prompts: Sequence[Prompt], n: int, sampling: Sampling) -> list[Generations]:
        return gathered(self, prompts, n, sampling)

    def made(self, sampling: Sampling) -> Made:
        return Made(policy=self.name, fingerprint=self.fingerprint, template="none", sampling=sampling)

    def answers(self, asked: Sequence[Asked], sampling: Sampling) -> Iterator[tuple[int, Generation]]:
        """See OneByOne."""
        for place, one in enumerate(asked):
            yield place, self._answer(one, answer_seed(sampling.seed or 0, one))

    def _answer(self, asked: Asked, seed: int) -> Generation:
        case = read_case(plain_text(asked.prompt.text))
        if not isinstance(case, ReadCase):
            return Generation(text=Unknown(f"it is no prompt of the simulated desk: {case.reason}"), seed=seed)
        rng = random.Random(seed)
        text = draw_answer(rng, case, self.mix.draw(rng))
        return generated(text, finish="stop", tokens=len(text.split()), seed=seed)


def support_desk(argument: str) -> SupportDesk:
    """The desk with the agents that `argument` names (see agent_mix). Raises ConfigError for others."""
    return SupportDesk(agent_mix(argument))
