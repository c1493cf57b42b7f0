"""`python -m ml.research.dt4ecg`."""

import typer

from ml.research.dt4ecg.command import dt4ecg

typer.run(dt4ecg)
