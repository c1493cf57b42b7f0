"""Reproduction of the DT4ECG paper: `python -m ml.research.dt4ecg` (see docs/results/dt4ecg.md)."""
