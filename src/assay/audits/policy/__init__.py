"""What became of a policy tuned on pairs: where its log-probabilities went, and how far it is from its base."""
