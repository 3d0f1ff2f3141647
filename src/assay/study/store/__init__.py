"""A study at rest in its database: written once, acts appended, read without a choice while open, whole when closed."""
