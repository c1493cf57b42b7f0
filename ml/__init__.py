"""Pulseprint's models: signal processing, encoders, calibration and their evaluation. Never imports app."""
