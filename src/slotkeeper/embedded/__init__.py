"""The embedded home: one process with a SQLite file, an HTTP server and the worker that delivers."""
