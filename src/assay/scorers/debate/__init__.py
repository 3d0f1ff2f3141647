"""Two debaters argue for two answers, and a judge decides from what they said."""
