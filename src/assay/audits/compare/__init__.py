"""Two scorers on the same pairs: which is right more often, where they part, and whether that could be chance."""
