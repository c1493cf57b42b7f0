"""The DT4ECG paper done again: `python -m ml.research.dt4ecg` (see docs/results/dt4ecg.md)."""
