"""A year of a clinic, through the public API and a mail server."""
