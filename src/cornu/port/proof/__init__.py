"""The proof that two networks are the same."""
