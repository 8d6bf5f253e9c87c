"""Stores of versioned documents, one module each; see `contracts.Store` for what they promise."""
