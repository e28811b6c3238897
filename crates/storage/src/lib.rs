//! The store's ports on SQL: SQLite and PostgreSQL.
