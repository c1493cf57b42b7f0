"""Face encoders of others: calibrated on people of open sets, which fit no weights."""
