"""From files and options to a sealed plan."""
