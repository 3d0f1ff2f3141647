"""What a design can detect, said before the study starts. Knows the clustered t test on prompts; knows no votes."""

from __future__ import annotations

from dataclasses import asdict, dataclass

GOOD_POWER = 0.8


@dataclass(frozen=True, slots=True, kw_only=True)
class Power:
    """What `prompts` x `editors` votes can see, if votes within a prompt correlate by `icc`.

    editors: votes a prompt gets; more than there are editors where a prompt has several pairs of answers.

    half_width: of the interval of the win rate (ties count half) at an even split, in win-rate units.
    power_at: chance to tell a true win rate from one half. detectable: smallest one seen with 80% power; None: none is.
    """

    prompts: int
    editors: float
    icc: float
    ties: float
    level: float
    half_width: float
    power_at: dict[str, float]
    detectable: float | None

    def as_dict(self) -> dict[str, object]:
        return asdict(self)

    def sentence(self) -> str:
        """The statement in words."""
        votes = f"{self.prompts} prompts x {self.editors:g} votes"
        if self.prompts < 2:
            return f"{votes}: one prompt gives no interval; nothing can be concluded beyond it."
        rates = ", ".join(f"{rate} with {power:.0%}" for rate, power in self.power_at.items())
        seen = "no win rate below 100%" if self.detectable is None else f"win rates from {self.detectable:.0%}"
        return (
            f"{votes} each, votes within a prompt correlated {self.icc:g}, {self.ties:.0%} ties: the {self.level:.0%} "
            f"interval of the win rate will be about ±{100 * self.half_width:.0f} points. A true win rate is told "
            f"from 50%: {rates} probability. {seen[0].upper()}{seen[1:]} are seen with 80% power."
        )


def study_power(*, prompts: int, editors: float, icc: float, ties: float, level: float = 0.95) -> Power:
    """The power of a study of `prompts` prompts, each judged by `editors` editors, clustered by prompt.

    The prompts' mean scores (stats.power.prompt_variance) go into a two-sided t test on prompts - 1 degrees.
    """
    from scipy import optimize, stats  # here, so that a server starts without it

    from assay.stats.power import power_of_t, prompt_variance

    editors = max(editors, 1.0)

    def error(rate: float) -> float:
        return float((prompt_variance(rate, votes=editors, icc=icc, ties=ties) / prompts) ** 0.5)

    def power(rate: float) -> float:
        return power_of_t(rate - 0.5, error=error(rate), clusters=prompts, level=level)

    power_at = {f"{rate:.0%}": power(rate) for rate in (0.55, 0.6, 0.65, 0.7)}
    half_width = 0.5
    if prompts > 1:
        half_width = float(stats.t.ppf(0.5 + level / 2, prompts - 1) * error(0.5))
    highest = 1 - ties / 2  # ties count half, so no true win rate lies above this
    detectable = None
    if prompts > 1 and power(highest - 1e-6) >= GOOD_POWER:
        # Power grows with the rate, so there is one crossing, and it lies between the ends asked about.
        detectable = float(optimize.brentq(lambda rate: power(rate) - GOOD_POWER, 0.5 + 1e-9, highest - 1e-6))
    return Power(
        prompts=prompts,
        editors=editors,
        icc=icc,
        ties=ties,
        level=level,
        half_width=min(half_width, 0.5),
        power_at=power_at,
        detectable=detectable,
    )
