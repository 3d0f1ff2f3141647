"""The page of a capability test."""
