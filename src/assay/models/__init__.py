"""Base models: where they are, how they open, what they can take."""
