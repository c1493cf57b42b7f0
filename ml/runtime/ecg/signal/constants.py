"""Tuned values of the signal chain; the unit is in the name, the origin in a comment."""

# --- What is accepted --------------------------------------------------------------------------
# HTTP contract: strips of at least 3 s, sampled at 100 to 2000 Hz.
MIN_FS_HZ = 100.0
MAX_FS_HZ = 2000.0
MIN_STRIP_S = 3.0
# The contract's limit; keeps float32 and squares finite whatever a caller sends.
MAX_AMPLITUDE = 1e12
MIN_AMPLITUDE = 1e-12
# Smaller relative changes are constant in float32.
FLAT_SHARE_OF_OFFSET = 5e-7

# --- Filters -----------------------------------------------------------------------------------
# One rate behind the filters; most data sets at hand are stored at it.
WORKING_FS_HZ = 250.0
# The usual monitoring band: keeps P, QRS and T, drops breathing, drift, mains and most muscle noise.
BAND_LOW_HZ = 0.5
BAND_HIGH_HZ = 40.0
BAND_ORDER = 2
# Mains differ by country, which a strip does not state, so both are removed.
MAINS_HZ = (50.0, 60.0)
NOTCH_Q = 25.0
# A notch closer to half the sampling rate than this share would be distorted by the bilinear transform.
NOTCH_MAX_SHARE_OF_FS = 0.45
# DESIGN: the resampling ratio is the nearest fraction with at most this denominator.
MAX_RATIO_DENOMINATOR = 1000

# --- QRS detection, chosen on LUDB, CinC 2017 train people and strips made from LUDB beats ---------
# The band of the QRS: T waves and drift lie below it, muscle noise above.
QRS_BAND_HZ = (5.5, 20.0)
# Steep waves: QRS complexes of the conduction system, hardly T waves or ventricular beats.
SHARP_BAND_HZ = (12.0, 30.0)
QRS_BAND_WEIGHT = 0.7
# Windows of the energies: about one QRS.
QRS_ENERGY_S = 0.11
SHARP_ENERGY_S = 0.08
SHARP_REACH_S = 0.10
# The local QRS level: median over LEVEL_SPAN_S of the largest envelope within LEVEL_BLOCK_S.
LEVEL_BLOCK_S = 1.3
LEVEL_SPAN_S = 9.0
LEVEL_STEP_S = 0.4
# A level below these shares of the strip's median and largest level means no signal.
LEVEL_FLOOR = 0.05
LEVEL_FLOOR_OF_LARGEST = 1e-4
# The local noise: a low percentile of the envelope, below what beats reach at any heart rate.
NOISE_PERCENTILE = 40.0
NOISE_SPAN_S = 6.0
NOISE_STEP_S = 0.08
NOISE_WEIGHT = 1.2
NOISE_MAX_SHARE = 0.6
# Two heartbeats closer than this are not physiological (250 bpm).
REFRACTORY_S = 0.24
CANDIDATE_FLOOR = 0.08
# Beats closer than half a QRS to the ends of the strip are not detected.
EDGE_S = 0.06
BEAT_THRESHOLD = 0.28
# Peaks higher than GIANT_HEIGHT times their neighbors are unlikely to be beats.
GIANT_HEIGHT = 3.0
GIANT_PENALTY = 3.0
# T waves end about half a second after R; a wave sharper than this share of the QRS is not one.
T_WAVE_END_S = 0.50
T_WAVE_MAX_SHARPNESS = 0.8
T_WAVE_PENALTY_PER_S = 7.2
# Per unit of |log(RR / usual RR)|; low enough for ectopic beats and fibrillation.
RHYTHM_PENALTY = 0.6
RHYTHM_PENALTY_CAP = 1.2
USUAL_RR_BEATS = 11
PATH_REACH = 12
# Reach of the search for the peak of a QRS; wide ventricular beats fit.
REFINE_LOW_HZ = 1.5
REFINE_REACH_S = 0.08
POLARITY_BEATS = 31
POLARITY_FLIP = 1.3

# --- Quality, chosen on CinC 2017 train people and simulated noise --------------------------------
SEGMENT_S = 5.0
# A longer constant stretch than between two heartbeats of a coarsely quantized strip.
FLAT_RUN_S = 1.0
# Saturation lasts longer than the tip of an R wave, and lies this share of the range from the median.
RAIL_RUN_S = 0.010
RAIL_MIN_DISTANCE = 0.25
# A segment is rejected when more than this share of it is lost.
MAX_LOST_SHARE = {"signal_flat": 0.3, "signal_saturated": 0.02}
# The part of a beat that is compared, and the QRS within it.
BEAT_BEFORE_S = 0.20
BEAT_AFTER_S = 0.35
QRS_HALF_S = 0.06
TEMPLATE_BEATS = 80
# A beat this much less like the typical beat than most are, or of another size, is an outlier.
OUTLIER_MARGIN = 0.10
OUTLIER_SIZES = (0.6, 1.6)
# With fewer than this share of the beats expected at the usual rate, a segment has lost its signal.
MIN_BEAT_SHARE = 0.35
# Beats are compared above this frequency, out of reach of drift: moving electrodes are slower than a QRS.
LIKENESS_LOW_HZ = 3.0
# A segment holds heartbeats by the share of slope energy within the QRS plus so much of the beats' median
# correlation: 0.95 + 0.5 · 0.9 usually, and below 0.65 in 99 % of white, pink, brown and muscle noise.
LIKENESS_WEIGHT = 0.5
NO_HEARTBEAT_EVIDENCE = 0.65
# A refused strip is a sure error, while an accepted poor one is weighted by its quality, so the limit lies
# where noise ends. Of 450 strips each (tests/noises.py; 3, 5 and 10 s) of white, pink, brown and muscle noise
# none passes, of short bursts 130 and of jumping electrodes 131. A required correlation of 0.36, drift
# included, and share of 0.45 let 3, 132 and 139 pass and refused twice as many strips of people.
MIN_EVIDENCE = 0.75
# The level returns after a QRS, while a moved electrode keeps its new level. The difference is below 0.48 of
# the QRS's size on 98 % of 3-s strips of train people, and above 0.58 on every second strip of simulated
# jumps.
QRS_REACH_S = 0.10
STEP_SPAN_S = 0.08
MAX_STEP = 0.65
# Beyond this, beats count as entirely unlike.
SMALLEST_UNLIKENESS = 0.02
