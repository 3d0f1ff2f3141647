"""What else than content a reward goes by: style, length and whatever the data say of each answer."""
