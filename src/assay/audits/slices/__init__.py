"""Where a reward does worse than elsewhere: every slice the data name, scanned as one question."""
