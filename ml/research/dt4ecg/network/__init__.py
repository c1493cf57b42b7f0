"""The dual-task network: one trunk over a window of ECG, and who it is and what they do as two answers."""
