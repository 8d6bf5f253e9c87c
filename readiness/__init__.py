"""Whether what the reviewed design was asked for holds now: each row of its review, checked and told on one page."""
