"""From a gray picture to the minutiae of a fingerprint: classical image processing, no network."""
