"""A study at rest in its database."""
