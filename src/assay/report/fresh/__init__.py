"""The page of a reward on fresh pairs."""
