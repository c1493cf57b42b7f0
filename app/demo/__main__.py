"""`python -m app.demo`."""

from app.demo.command import app

app()
