"""How much of an audit's pairs a scorer had seen in training, and what that is worth to its accuracy."""
