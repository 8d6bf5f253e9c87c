"""The command line: the same commands for both homes."""
