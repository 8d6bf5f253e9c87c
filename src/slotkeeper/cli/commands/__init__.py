"""The commands, one file an idea; each is loaded only when it is called."""
