"""Faces: picture → detected face → aligned crop, and how good it is."""
