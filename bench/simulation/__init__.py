"""The whole service in virtual time: one seed decides who goes first, what fails, and when a process is killed."""
