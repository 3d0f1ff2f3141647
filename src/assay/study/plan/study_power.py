"""What a design can detect, said before the study starts. Knows the clustered t test on prompts; knows no votes."""

from __future__ import annotations

from dataclasses import asdict, dataclass

LEVEL = 0.95
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
            f"{votes} each, votes within a prompt correlated {self.icc:g}, {self.ties:.0%} ties: the 95% interval of "
            f"the win rate will be about ±{100 * self.half_width:.0f} points. A true win rate is told from 50%: "
            f"{rates} probability. {seen[0].upper()}{seen[1:]} are seen with 80% power."
        )


def study_power(*, prompts: int, editors: float, icc: float, ties: float) -> Power:
    """The power of a study of `prompts` prompts, each judged by `editors` editors, clustered by prompt.

    A vote scores 1, 1/2 or 0. Its variance is p(1-p) - ties/4 with p the win rate, ties counted half; the mean over a
    prompt's votes has that variance times (1 + (editors - 1) icc) / editors. Two-sided t test on prompts - 1 degrees.
    """
    from scipy import optimize, stats

    editors = max(editors, 1.0)
    power_at = {f"{rate:.0%}": _power(rate, prompts, editors, icc, ties) for rate in (0.55, 0.6, 0.65, 0.7)}
    half_width = 0.5
    if prompts > 1:
        half_width = float(stats.t.ppf(0.5 + LEVEL / 2, prompts - 1) * _error(0.5, prompts, editors, icc, ties))
    highest = 1 - ties / 2  # ties count half, so no true win rate lies above this
    detectable = None
    if prompts > 1 and _power(highest - 1e-6, prompts, editors, icc, ties) >= GOOD_POWER:
        detectable = float(
            optimize.brentq(lambda p: _power(p, prompts, editors, icc, ties) - GOOD_POWER, 0.5 + 1e-9, highest - 1e-6)
        )
    return Power(
        prompts=prompts,
        editors=editors,
        icc=icc,
        ties=ties,
        level=LEVEL,
        half_width=min(half_width, 0.5),
        power_at=power_at,
        detectable=detectable,
    )


def _error(rate: float, prompts: int, editors: float, icc: float, ties: float) -> float:
    """Standard error of the win rate."""
    variance = max(rate * (1 - rate) - ties / 4, 1e-9)
    return float((variance * (1 + (editors - 1) * icc) / (editors * prompts)) ** 0.5)


def _power(rate: float, prompts: int, editors: float, icc: float, ties: float) -> float:
    from scipy import stats  # here, so that a server starts without it

    if prompts < 2:
        return 0.0
    freedom = prompts - 1
    critical = stats.t.ppf(0.5 + LEVEL / 2, freedom)
    shift = (rate - 0.5) / _error(rate, prompts, editors, icc, ties)
    power = float(stats.nct.sf(critical, freedom, shift) + stats.nct.cdf(-critical, freedom, shift))
    # scipy's noncentral t is not a number in places far out; the normal approximation is exact enough there.
    return power if power == power else float(stats.norm.sf(critical - shift))  # noqa: PLR0124
