"""Changes of answers by rule that a right reward does not pay for, or does not notice."""
