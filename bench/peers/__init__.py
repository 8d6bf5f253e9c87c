"""The same booking API on FastAPI, asyncpg and PostgreSQL, for our figures to be measured beside."""
