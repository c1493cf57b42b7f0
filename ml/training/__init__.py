"""Training of encoders and fitting of their calibrations: recipes, and stages that talk through files."""
