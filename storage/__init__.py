"""What is kept: conversations and their messages, in SQLite or PostgreSQL.

`models` are the tables, `database` gives sessions, `conversations` and `inbox`
hold the queries, `migrate` brings a database to the current schema.
"""
