"""Tuned values of the signal chain, with unit in the name and origin beside them."""

# --- What is accepted --------------------------------------------------------------------------
# HTTP contract: strips of at least 3 s, sampled at 100 to 2000 Hz.
MIN_FS_HZ = 100.0
MAX_FS_HZ = 2000.0
MIN_STRIP_S = 3.0

# --- Filters -----------------------------------------------------------------------------------
# One rate for everything behind the filters; the stored rate of most data sets at hand.
WORKING_FS_HZ = 250.0
# The usual monitoring band: keeps P, QRS and T, drops breathing, drift, mains and most muscle noise.
BAND_LOW_HZ = 0.5
BAND_HIGH_HZ = 40.0
BAND_ORDER = 3
# Mains differ by country and a strip does not say where it was taken, so both are removed.
MAINS_HZ = (50.0, 60.0)
NOTCH_Q = 25.0
# A notch nearer to half the sampling rate than this share would be mangled by the bilinear transform.
NOTCH_MAX_SHARE_OF_FS = 0.45
# DESIGN: the resampling ratio is the nearest fraction with at most this denominator.
MAX_RATIO_DENOMINATOR = 1000

# --- QRS detection, tuned on LUDB and CinC 2017 (`python -m benchmarks.r_peaks`) -----------------
QRS_LOW_HZ = 6.0
QRS_HIGH_HZ = 22.0
QRS_ORDER = 2
# Width of the energy envelope: about one QRS.
ENVELOPE_S = 0.10
# Two ventricular depolarisations closer than this are not physiological (Pan and Tompkins 1985).
REFRACTORY_S = 0.20
# The local QRS level: median over LEVEL_SPAN_S of the largest envelope within LEVEL_BLOCK_S.
LEVEL_BLOCK_S = 1.6
LEVEL_SPAN_S = 9.0
LEVEL_STEP_S = 0.4
BEAT_THRESHOLD = 0.40
SEARCH_BACK_THRESHOLD = 0.20
SEARCH_BACK_RR = 1.5
# A T wave follows its QRS within this time, with less than this share of its steepness.
T_WAVE_S = 0.36
T_WAVE_SHARE = 0.5
REFINE_S = 0.08

# --- Quality -----------------------------------------------------------------------------------
SEGMENT_S = 5.0
FLAT_RUN_S = 0.5
RAIL_RUN_S = 0.012
BEAT_BEFORE_S = 0.20
BEAT_AFTER_S = 0.35
MIN_SEGMENT_SCORE = 0.4
# Below this mean correlation between beats there is no heartbeat at all.
NO_HEARTBEAT_SCORE = 0.25
MAX_HEART_RATE_BPM = 250.0
MIN_HEART_RATE_BPM = 20.0
