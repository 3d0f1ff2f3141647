"""Direct preference optimisation: a policy tuned on pairs, by the loop that trains rewards."""
