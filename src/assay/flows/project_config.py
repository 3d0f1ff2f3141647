"""Every section that some command reads from a --config file, together: one file serves a whole project.

What a command does not read is validated and left aside (`config.load_config`). Knows the sections; reads none.
"""

from __future__ import annotations

from assay.audits.compare.config import CompareConfig
from assay.audits.fit.config import FitConfig
from assay.audits.fresh.config import FreshConfig
from assay.audits.pressure.config import PressureConfig
from assay.flows.remedy_config import BasesConfig, PressConfig
from assay.scorers.remote.config import RemoteConfig
from assay.serve.config import ServeConfig
from assay.train.reward_config import RewardConfig


class ProjectConfig(RewardConfig):
    """The sections of `assay reward`, and those that other commands have beside them."""

    remote: RemoteConfig = RemoteConfig()
    compare: CompareConfig = CompareConfig()
    pressure: PressureConfig = PressureConfig()
    press: PressConfig = PressConfig()
    bases: BasesConfig = BasesConfig()
    fresh: FreshConfig = FreshConfig()
    fit: FitConfig = FitConfig()
    serve: ServeConfig = ServeConfig()
