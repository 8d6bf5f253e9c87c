"""Proofs: each tries to show a promise false, and shows that it would have seen it, by a build broken on purpose."""
