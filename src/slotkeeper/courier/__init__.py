"""What is due: messages are sent, events published, and what nobody confirmed or used is let go."""
