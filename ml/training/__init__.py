"""Fitting of encoders and of their calibrations: recipes and stages that talk through files."""
