"""Database fixtures (a pytest plugin): migrated once per session, copied per test."""
