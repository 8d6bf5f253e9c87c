"""What is said to customers: templates, languages, and how a time is written so that nobody can misread it."""
