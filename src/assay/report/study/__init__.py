"""The result page of a blind study."""
