"""Effects with all others held are those of a clustered regression."""

from __future__ import annotations

import numpy as np
import statsmodels.api as sm

from assay.stats.partial_effects import effects_on_margin


def test_effects_are_those_of_statsmodels():
    rng = np.random.default_rng(1)
    features, groups = rng.normal(size=(300, 3)), np.arange(300) // 3
    margin = features @ [0.5, 0.0, -1.0] + np.repeat(rng.normal(size=100), 3)
    margin /= np.sqrt((margin**2).mean())
    found = effects_on_margin(margin[None], features, groups)
    fit = sm.OLS(margin, features).fit(
        cov_type="cluster", cov_kwds={"groups": groups, "use_correction": False}, use_t=True
    )
    np.testing.assert_allclose(found.value, fit.params, rtol=1e-4)
    np.testing.assert_allclose(found.error, fit.bse * np.sqrt(100 / 99), rtol=1e-4)
