"""The dual-task network: one trunk over a window of ECG, and heads for identity and activity."""
