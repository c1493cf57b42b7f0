"""The marked tables of the README and of the pages on accuracy, activity and performance."""

from collections.abc import Mapping
from typing import Any

from ml.evaluation.kept_results import BundleResults, KeptResults
from ml.evaluation.pages.cells import (
    NOT_MEASURED,
    count_cell,
    markdown_table,
    over_nominal_cell,
    rate_cell,
)
from ml.evaluation.pages.face_tables import faces, faces_same_sex
from ml.evaluation.pages.fingerprint_tables import fingerprint_search, fingerprints
from ml.evaluation.pages.gallery_tables import galleries
from ml.evaluation.pages.recognition_targets import recognition_targets
from ml.evaluation.pages.virtual_people_tables import modality_rows, virtual_people

Json = Mapping[str, Any]

DEFAULT = "ecg"
"""Bundle whose figures stand where there is room for one."""
_ROWS = (
    ("E2", "20 s", "Same day: ECG-ID, 20 s against 20 s"),
    ("E2", "first 5 s", "Same day: ECG-ID, 5 s against 20 s"),
    ("E2", "first 3 s", "Same day: ECG-ID, 3 s against 20 s"),
    ("E3", "rec_1 → last day", "Cross-day: ECG-ID, one recording enrolled"),
    ("E3-multi", "earlier days → last day", "Cross-day: ECG-ID, all earlier days enrolled"),
    ("E3b", "day → other day", "Cross-day: ECG-ID, every pair of days"),
    ("D1", "first → last", "Many people: CinC 2017 test set, 10 s, two ends of one recording"),
    ("E11", "minutes 0–5 → 10 s of 25–30", "Patients: MIT-BIH, 5 min against 10 s, 20 min apart"),
)
_SUMMARY = (
    ("E2", "20 s", "ECG, same day (ECG-ID)"),
    ("E3-multi", "earlier days → last day", "ECG, another day (ECG-ID)"),
    ("D1", "first → last", "ECG, arrhythmia (CinC 2017)"),
)
_SUMMARY_COLUMNS = ("test", "first candidate wrong", "EER", "false non-matches at FMR 0.1 %")
_RATES = (
    ("E2", "20 s", "E2, 20 s"),
    ("E2", "first 5 s", "E2, first 5 s"),
    ("E3-multi", "earlier days → last day", "E3-multi"),
    ("D1", "first → last", "D1"),
)
_SUMMARY_SUBJECTS = 10_000
_MOVES = {"arm_movements": "arm movements", "walk_4kmh": "walk", "squats": "squats", "run_8kmh": "run"}
_WINDOWS, _STRIPS = "windows without", "whole strips"
"""How the evaluated windows are named in `activity/a3.json`."""


def summary_tables(results: KeptResults) -> dict[str, str]:
    """Make every table, by the name that its markers use."""
    return {
        "accuracy-summary": _accuracy_summary(results),
        "speed-summary": _speed_summary(results),
        "accuracy": _accuracy(results),
        "recognition-targets": recognition_targets(results),
        "fingerprints": fingerprints(results),
        "fingerprint-search": fingerprint_search(results),
        "faces": faces(results),
        "faces-same-sex": faces_same_sex(results),
        "virtual-people": virtual_people(results),
        "galleries": galleries(results),
        "false-match-rates": _false_match_rates(results),
        "probe-length": _probe_length(results),
        "motion": _motion(results),
        "open-set": _open_set(results),
        "r-peaks": _r_peaks(results),
        "activity": _activity(results),
        "activity-other-sensors": _other_sensors(results),
        "speed": _speed(results),
        "speed-encoders": _speed_encoders(results),
    }


def _accuracy_summary(results: KeptResults) -> str:
    rows = [*_ecg_rows(results), *modality_rows(results)]
    return markdown_table(_SUMMARY_COLUMNS, rows)


def ecg_headline(results: KeptResults) -> str:
    """Make the rows of the summary that are about ECG."""
    return markdown_table(_SUMMARY_COLUMNS, _ecg_rows(results))


def _ecg_rows(results: KeptResults) -> list[tuple[str, ...]]:
    found = _bundle(results, DEFAULT)
    rows = []
    for protocol, variant, title in _SUMMARY:
        one = found.variant(protocol, variant) if found else None
        rows.append((title, *(_summary_cells(one) if one else [NOT_MEASURED] * 3)))
    return rows


def _summary_cells(variant: Json) -> tuple[str, ...]:
    fine = variant["rates"][1]["fnmr"]
    return (
        count_cell(variant["rank_1_errors"]),
        rate_cell(variant["eer"], variant["eer_interval"]),
        count_cell(fine),
    )


def _accuracy(results: KeptResults) -> str:
    bundles = results.bundles
    rows = []
    for protocol, variant, title in _ROWS:
        cells = []
        for bundle in bundles:
            one = bundle.variant(protocol, variant)
            cells += (
                [count_cell(one["rank_1_errors"]), rate_cell(one["eer"], one["eer_interval"])]
                if one
                else ["–", "–"]
            )
        rows.append((f"{protocol}. {title}", *cells, *_baseline_cells(results, protocol, variant)))
    names = [name for bundle in bundles for name in (f"`{bundle.bundle}`: errors", "EER")]
    return markdown_table(("protocol", *names, "BioSPPy: errors", "EER"), rows)


def _baseline_cells(results: KeptResults, protocol: str, variant: str) -> tuple[str, str]:
    for baseline in results.baselines:
        found = baseline["protocols"].get(protocol, {}).get(variant)
        if baseline["name"] == "BioSPPy" and found:
            return f"{found['rank_1_errors']}/{found['probes']}", f"{100 * found['eer']:.1f} %"
    return "–", "–"


def _false_match_rates(results: KeptResults) -> str:
    found = _bundle(results, DEFAULT)
    rows = []
    for protocol, variant, title in _RATES:
        one = found.variant(protocol, variant) if found else None
        if one is None:
            continue
        for rate in one["rates"]:
            rows.append(
                (
                    title,
                    f"{100 * rate['fmr']:g} %",
                    over_nominal_cell(rate["measured"], rate["fmr"]),
                    over_nominal_cell(rate["measured_uncorrected"], rate["fmr"]),
                    count_cell(rate["fnmr"]),
                    count_cell(rate["fnmr_uncorrected"]),
                )
            )
    columns = (
        "protocol",
        "nominal FMR",
        "measured ÷ nominal, corrected",
        "measured ÷ nominal, not corrected",
        "false non-matches, corrected",
        "not corrected",
    )
    return markdown_table(columns, rows)


def _probe_length(results: KeptResults) -> str:
    found = _bundle(results, DEFAULT)
    points = found.protocols.get("evidence-D1-dev", {}).get("points", ()) if found else ()
    rows = [
        (
            f"{point['seconds']:g} s",
            count_cell(point["rank_1_errors"]),
            "–" if point["eer"] is None else rate_cell(point["eer"], point["eer_interval"]),
            *(count_cell(share) for share in point["fnmr"].values()),
            str(point["failures_to_enroll_or_acquire"]),
        )
        for point in points
    ]
    columns = (
        "probe",
        "first candidate wrong",
        "EER",
        "false non-matches at FMR 1 %",
        "at FMR 0.1 %",
        "failures to acquire",
    )
    return markdown_table(columns, rows)


def _motion(results: KeptResults) -> str:
    rows = []
    for bundle in results.bundles:
        for pairing in bundle.protocols.get("E10", {}).get("pairings", ()):
            rate = pairing["rank_1"]
            by_activity = (f"{100 * rate['by_activity'][name]:.0f} %" for name in _MOVES)
            rows.append(
                (
                    f"`{bundle.bundle}`",
                    pairing["name"],
                    rate_cell(rate["value"], rate["interval"]),
                    *by_activity,
                )
            )
    return markdown_table(("encoder", "electrodes", "rank-1, mean", *_MOVES.values()), rows)


def _open_set(results: KeptResults) -> str:
    rows = [
        (
            f"`{bundle.bundle}`",
            found["name"],
            f"{100 * found['fpir']:g} %",
            rate_cell(found["policy_fpir"], found["policy_fpir_interval"]),
            rate_cell(found["policy_dir"], found["policy_dir_interval"]),
            rate_cell(found["oracle_dir"], found["oracle_dir_interval"]),
        )
        for bundle in results.bundles
        for found in bundle.protocols.get("E12", {}).get("figures", ())
    ]
    columns = (
        "encoder",
        "people",
        "nominal FPIR",
        "measured FPIR",
        "known people found",
        "with an oracle threshold",
    )
    return markdown_table(columns, rows)


def _r_peaks(results: KeptResults) -> str:
    rows = [
        (
            name,
            f"{found['beats']:,}",
            f"{100 * found['sensitivity']:.2f} %",
            f"{100 * found['positive_predictivity']:.2f} %",
        )
        for name, found in results.r_peaks.items()
    ]
    return markdown_table(("set", "beats", "sensitivity", "positive predictivity"), rows)


def _activity(results: KeptResults) -> str:
    kept = [
        row
        for row in results.activity.get("a3", {}).get("rows", ())
        if str(row["asked"]).startswith((_WINDOWS, _STRIPS))
    ]
    kept.sort(key=lambda row: (str(row["asked"]).startswith(_STRIPS), row["context_s"], row["own_rest"]))
    rows = [
        (
            "whole strip" if str(row["asked"]).startswith(_STRIPS) else f"{row['context_s']:g} s",
            "yes" if row["own_rest"] else "no",
            *(
                rate_cell(row[name]["accuracy"], row[name]["accuracy_interval"])
                for name in ("classes_3", "classes_5")
            ),
            f"{100 * row['classes_5']['ece']:.1f} %",
        )
        for row in kept
    ]
    columns = (
        "window",
        "resting strip sent",
        "three groups correct",
        "five activities correct",
        "calibration error (ECE, five)",
    )
    return markdown_table(columns, rows)


def _other_sensors(results: KeptResults) -> str:
    found = results.activity.get("other-sensors", {})
    rows = []
    for key, use in (("rows", "development"), ("confirmation", "held-out")):
        for row in found.get(key, ()):
            called, people = row["called"], row["people"]
            others = ", ".join(f"{n} {name}" for name, n in called.items() if name != "rest" and n)
            what = row["what"].replace("own rest", "resting strip")
            rows.append((what, use, f"{called['rest']}/{people}", others or "none"))
    return markdown_table(("people at rest", "role", "predicted `rest`", "other predictions"), rows)


def _speed_summary(results: KeptResults) -> str:
    cells = _verb_cells(results, _SUMMARY_SUBJECTS)
    return markdown_table(
        ("people", "verify (ECG)", "identify", "enroll, durable", "measured"),
        [(f"{_SUMMARY_SUBJECTS:,}", *cells, _measured_at(results, "verbs"))],
    )


def _speed(results: KeptResults) -> str:
    sizes = dict.fromkeys(
        line["raw"]["subjects"] for line in results.benchmarks.get("verbs", {}).get("lines", ())
    )
    rows = [(f"{size:,}", *_verb_cells(results, size), _after_enrollment(results, size)) for size in sizes]
    columns = ("people in the gallery", "verify", "identify", "enroll", "identify right after an enrollment")
    return f"{markdown_table(columns, rows)}\n{_measured_at(results, 'verbs')}.\n"


def _verb_cells(results: KeptResults, subjects: int) -> tuple[str, ...]:
    return tuple(
        _verb_cell(results, f"POST /{verb}, ", subjects) for verb in ("verify", "identify", "enroll")
    )


def _after_enrollment(results: KeptResults, subjects: int) -> str:
    return _verb_cell(results, "POST /identify right after", subjects)


def _verb_cell(results: KeptResults, start: str, subjects: int) -> str:
    for line in results.benchmarks.get("verbs", {}).get("lines", ()):
        if line["what"].startswith(start) and line["raw"]["subjects"] == subjects:
            return f"{line['raw']['p50_ms']:.1f} ms"
    return NOT_MEASURED


def _measured_at(results: KeptResults, section: str) -> str:
    run = results.benchmarks.get(section, {}).get("run")
    if run is None:
        return NOT_MEASURED
    return f"{run['at'][:10]}, {run['machine']['cpu']}, revision {run['revision'].partition('-')[0]}"


def _speed_encoders(results: KeptResults) -> str:
    rows = []
    for bundle in results.bundles:
        raw = results.speed(bundle.encoder_id)
        if raw:
            size = f"{raw['kib'] * 1024e-6:.2f} MB"
            rows.append(
                (f"`{bundle.encoder_id}`", f"{raw['p50_ms']:.1f} ms", f"{raw['p95_ms']:.1f} ms", size)
            )
    table = markdown_table(("encoder", "10 s of ECG to vector, p50", "p95", "weights"), rows)
    return f"{table}\n{_measured_at(results, 'encode-network')}.\n"


def _bundle(results: KeptResults, name: str) -> BundleResults | None:
    return next((bundle for bundle in results.bundles if bundle.bundle == name), None)
