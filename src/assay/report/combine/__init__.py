"""The page of several objectives combined into one reward."""
