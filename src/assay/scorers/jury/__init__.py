"""Several judges as one scorer: their verdicts pooled, dissent kept."""
