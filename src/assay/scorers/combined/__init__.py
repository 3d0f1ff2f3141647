"""Several objectives' scorers as one reward: by weights, one after another, or one under constraints on the others."""
