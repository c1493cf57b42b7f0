"""Papers done again by one command each: `python -m ml.cli reproduce <paper>`."""
