"""`python -m slotkeeper` is the command line."""

from slotkeeper.embedded.cli import main

if __name__ == "__main__":
    main()
