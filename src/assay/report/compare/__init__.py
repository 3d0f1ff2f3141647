"""The page of two scorers compared."""
