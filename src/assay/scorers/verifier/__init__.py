"""Rules and programs that check an answer, as scorers: ready-made ones, a Python function, a command."""
