"""Pulseprint's models: signal processing, encoders, calibration and their evaluation. Never imports app."""

import os

# From 1.29 on, ONNX Runtime reports to its maker over the network and writes a device id into the home
# directory, unless this is set before its first import. Nothing may leave this service.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
