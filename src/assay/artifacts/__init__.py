"""Run folders: atomic, hashed, versioned files, and what stands in them."""
