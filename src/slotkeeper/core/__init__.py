"""What an appointment is and when it may be: pure functions and values, no I/O, clock or environment."""
