"""Pulseprint's service: HTTP in, decisions out. Depends inwards: api → services → domain ← adapters."""
