"""The page of a reward under pressure."""
