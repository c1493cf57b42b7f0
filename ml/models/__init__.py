"""Encoder architectures, one per file."""
