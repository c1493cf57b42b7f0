"""Scores, nulls and thresholds in decibans (numpy only).

cosine ──LlrMap──▶ LLR ──GalleryNull.apply──▶ corrected LLR ──soften──▶ score ──Null──▶ threshold, FMR
"""
