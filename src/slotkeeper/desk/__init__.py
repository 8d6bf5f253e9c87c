"""What can be asked at the desk: look for slots, hold, book, move, cancel, and keep the catalogue."""
