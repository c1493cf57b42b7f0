"""Tuned values of the extraction, chosen on FVC2000 DB1 to DB3. Lengths are pixels at 500 dpi (0.0508 mm)."""

from typing import Final

WORKING_DPI: Final = 500.0
LARGEST_SIDE: Final = 1500
"""Three inches, more than any finger leaves."""

# Grids. Pictures are cut to whole blocks, so that every grid is a whole fraction of the picture.
BLOCK: Final = 8
"""Of masks and of all maps that leave the extraction."""
FINE_BLOCK: Final = 4
"""Of orientation fields and of the filters."""

# Surroundings that a sensor's software painted in one value; their edge would make false minutiae.
FLAT_WINDOW: Final = 7
FLAT_RANGE: Final = 0.5
"""Gray values; below the rounding of resampled constants."""
FLAT_OPENING: Final = 9
FLAT_MARGIN: Final = 15
FLAT_SHARE: Final = 0.02
"""Of the picture; less is no surrounding."""
FILL_WINDOW: Final = 25

# Segmentation by the mean gradient of blocks.
GRADIENT_SIGMA_BLOCKS: Final = 1.6
STRONG_PERCENTILE: Final = 97.0
GRADIENT_SHARE: Final = 0.28
CLOSING_BLOCKS: Final = 7
OPENING_BLOCKS: Final = 5
SMALLEST_PART: Final = 0.25
"""Of the largest connected part of the foreground."""
CROP_MARGIN_BLOCKS: Final = 2

# Local contrast.
CONTRAST_SIGMA: Final = 10.0
CONTRAST_FLOOR: Final = 8.0
"""Gray values added to the local deviation, so that blank paper is not blown up to ridges."""
CONTRAST_CLIP: Final = 2.5

# Orientation field.
GRADIENT_SIGMA: Final = 1.2
NARROW_SIGMA: Final = 12.0
WIDE_SIGMA: Final = 24.0
WIDE_SHARE: Final = 0.6
"""Weight of the wide field where the narrow one has no coherence."""
ENHANCED_GRADIENT_SIGMA: Final = 0.8
ENHANCED_SIGMA: Final = 11.0
AMPLITUDE_HALF: Final = 0.1
"""Amplitude at which an enhanced pixel has half its full weight in the second orientation field."""

# Ridge frequency, cycles per pixel.
PERIOD_STEP: Final = 16
SIGNATURE_LENGTH: Final = 48
SIGNATURE_LINES: Final = 8
SIGNATURE_SPACING: Final = 2.0
SPECTRUM_SIZE: Final = 256
WIDEST_BAND: Final = (1.0 / 32.0, 1.0 / 2.5)
"""In which the period of a picture at a wrong resolution is found as well."""
BAND: Final = (1.0 / 16.0, 1.0 / 5.0)
"""Of ridges to be filtered."""
FREQUENCY_SIGMA_STEPS: Final = 1.5
FREQUENCY_TOLERANCE: Final = 0.5
"""Natural logarithm of the ratio to the median beyond which a block's frequency is not believed."""
FREQUENCY_PRIOR: Final = 0.003

# Complex Gabor filters, tuned to the orientation and the frequency of each block.
N_ORIENTATIONS: Final = 32
FREQUENCIES: Final = tuple(1.0 / 14.0 + k * (1.0 / 5.5 - 1.0 / 14.0) / 6.0 for k in range(7))
SIGMA_ACROSS: Final = 0.36
"""Of the Gaussian, in ridge periods."""
SIGMA_ALONG: Final = 0.70
FILTER_RADIUS: Final = 10

# Minutiae.
AMPLITUDE_WINDOW: Final = 13
QUALITY_AMPLITUDE: Final = 0.15
"""Amplitude that makes the quality of a minutia half the coherence around it."""
OPPOSITE_DISTANCE: Final = 8.5
OPPOSITE_COSINE: Final = -0.6
MIN_QUALITY: Final = 0.3
MOST_MINUTIAE: Final = 100

# What is refused.
LEAST_COHERENCE: Final = 0.84
"""Of filtered ridges. FVC2000 DB1 to DB3 have 0.90 and more, computed poor impressions 0.87 and more. Of
noise and textures, those that pass all other limits but this and the next have 0.81 and less."""
LEAST_RAW_COHERENCE: Final = 0.21
"""Before filtering. FVC2000 and computed poor impressions have 0.25 and more, writing 0.19 and less."""
LEAST_AMPLITUDE: Final = 0.16
"""FVC2000 DB1 to DB3 have 0.21 and more, unfiltered noise 0.12 and less."""
DENSITY_RANGE: Final = (0.03, 0.90)
"""Minutiae per mm². FVC2000 DB1 to DB3 have 0.08 to 0.42, synthetic sets up to 0.55, gratings and rings 0."""
SHORTEST_PERIOD: Final = 5.6
LONGEST_PERIOD: Final = 14.0
"""FVC2000 DB1 to DB3 have median periods of 7.1 to 13.5."""
FEWEST_MINUTIAE: Final = 6
SMALLEST_AREA_BLOCKS: Final = 60
"""About 10 mm²."""

# Quality of an impression.
LEGIBILITY_RANGE: Final = (0.4, 0.8)
"""Mean ridge quality from worthless to best. FVC2000 DB1 to DB3 have 0.51 to 0.79."""
HALF_QUALITY_BLOCKS: Final = 200.0
"""Area that halves the quality, about 33 mm²."""
