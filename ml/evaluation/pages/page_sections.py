"""Sections of `docs/results/ecg-identity.md`, one function per protocol; each reads kept results only."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ml.evaluation.kept_results import BundleResults, KeptResults
from ml.evaluation.pages.pictures import evidence_picture
from ml.evaluation.pages.target_figures import percent, points, span
from ml.evaluation.report import NOT_RESOLVABLE, ReportTable

Json = Mapping[str, Any]

PICTURES = "ecg-identity"
"""Folder of the pictures beside the page."""
_EVIDENCE = ("evidence-D1-dev", "evidence-D2", "evidence-E2")


def protocol_section(results: KeptResults, name: str) -> str:
    """Give the section of a protocol of plain trials; empty where nobody was measured."""
    measured = [bundle for bundle in results.bundles if name in bundle.protocols]
    if not measured:
        return ""
    variants = dict.fromkeys(v["name"] for b in measured for v in b.protocols[name]["variants"])
    rows = []
    for variant in variants:
        for bundle in measured:
            found = bundle.variant(name, variant)
            if found is not None:
                rows.append((variant, f"`{bundle.encoder_id}`", *_variant_cells(found)))
        rows += _baseline_rows(results, name, variant)
    table = ReportTable(
        str(measured[0].protocols[name]["summary"]),
        (
            "variant",
            "system",
            "rank-1 errors",
            "EER",
            "failures",
            "FNMR at policy FMR 1 %",
            "FNMR at policy FMR 0.1 %",
            "FNMR, oracle at 0.1 %",
            "FMR measured ÷ nominal at 1 %",
            "FMR measured ÷ nominal at 0.1 %",
        ),
        tuple(rows),
    )
    return f"## {name}\n\n{table.to_markdown()}\n{_commands(measured, name)}"


def _variant_cells(found: Json) -> tuple[str, ...]:
    coarse, fine = found["rates"]
    oracle = fine["fnmr_oracle"]
    return (
        _share(found["rank_1_errors"]),
        f"{percent(found['eer'])} ({span(*found['eer_interval'])})",
        str(found["failures_to_enroll_or_acquire"]),
        _share(coarse["fnmr"]),
        _share(fine["fnmr"]),
        NOT_RESOLVABLE if oracle is None else _share(oracle),
        _over_nominal(coarse),
        _over_nominal(fine),
    )


def _baseline_rows(results: KeptResults, protocol: str, variant: str) -> list[tuple[str, ...]]:
    rows = []
    for baseline in results.baselines:
        found = baseline["protocols"].get(protocol, {}).get(variant)
        if found is not None:
            errors, probes = found["rank_1_errors"], found["probes"]
            cells = (f"{errors}/{probes} = {percent(errors / probes)}", percent(found["eer"]))
            rows.append((variant, baseline["name"], *cells, str(found["failures"]), *["–"] * 5))
    return rows


def ptb_section(results: KeptResults) -> str:
    """Say what E4 needs, as long as nobody has measured it."""
    if any("E4" in bundle.protocols for bundle in results.bundles):
        return ""
    return (
        "## E4\n\nNot measured: PTB (1.7 GB) is not kept here. The command says what to download and\n"
        "where to put it. Loader and protocol are tested on small files in its layout. Published on PTB:\n"
        "EER 9.06 % (lead I, held-out people, Pinto & Cardoso 2019); rank-1 98.10 % and 64.16 % at short\n"
        "and long separation (Chee & Ramli 2022).\n\n"
        + code_block(["python -m ml.cli evaluate --protocol E4"])
    )


def open_set_section(results: KeptResults) -> str:
    """Give the section of E12."""
    rows, measured = [], []
    for bundle in results.bundles:
        for found in bundle.protocols.get("E12", {}).get("figures", ()):
            measured.append(bundle)
            rows.append(
                (
                    found["name"],
                    f"`{bundle.encoder_id}`",
                    f"{found['fpir']:.0%}",
                    f"{percent(found['policy_fpir'])} ({span(*found['policy_fpir_interval'])})",
                    f"{percent(found['policy_dir'])} ({span(*found['policy_dir_interval'])})",
                    f"{percent(found['oracle_dir'])} ({span(*found['oracle_dir_interval'])})",
                    f"{found['reachable']:.0%}",
                )
            )
    for baseline in results.baselines:
        for people, found in baseline["protocols"].get("E12", {}).items():
            oracle = percent(found["oracle_dir"])
            rows.append((people, baseline["name"], f"{found['fpir']:.0%}", "–", "–", oracle, "–"))
    if not measured:
        return ""
    table = ReportTable(
        "Half of the people unknown; means over seeded halves, middle 95 % of the halves",
        (
            "people",
            "system",
            "FPIR",
            "measured",
            "DIR at policy threshold",
            "DIR, oracle",
            "halves within the ceiling",
        ),
        tuple(sorted(rows, key=lambda row: row[0], reverse=True)),
    )
    note = (
        "DIR is the share of known people who are found first and above the threshold. FPIR is the share\n"
        "of searches for strangers that find anybody. The policy's threshold comes from few pairs. It is\n"
        "conservative. Fewer strangers match than allowed, and it finds fewer people than an oracle.\n"
        "In halves beyond the ceiling, the calibration has too few people to support the threshold. A\n"
        "search then finds nobody, and the answer says so.\n"
    )
    return f"## E12\n\n{table.to_markdown()}\n{note}\n{_commands(measured, 'E12')}"


def motion_section(results: KeptResults) -> str:
    """Give the section of E10."""
    rows, measured = [], []
    for bundle in results.bundles:
        for found in bundle.protocols.get("E10", {}).get("pairings", ()):
            measured.append(bundle)
            rate = found["rank_1"]
            by_activity = (f"{name} {percent(value)}" for name, value in rate["by_activity"].items())
            rows.append(
                (
                    found["name"],
                    f"`{bundle.encoder_id}`",
                    f"{percent(rate['value'])} ({span(*rate['interval'])})",
                    ", ".join(by_activity),
                    f"{found['rank_1_errors']} of {found['probes']}",
                    str(found["failures_to_enroll_or_acquire"]),
                    f"{percent(found['eer'])} ({span(*found['eer_interval'])})",
                )
            )
    if not rows:
        return ""
    table = ReportTable(
        str(measured[0].protocols["E10"]["summary"]),
        (
            "electrodes",
            "system",
            "rank-1, mean over people, then activities",
            "by activity",
            "wrong probes",
            "failures",
            "EER",
        ),
        tuple(sorted(rows, key=lambda row: row[0], reverse=True)),
    )
    return f"## E10\n\n{table.to_markdown()}\n{_commands(measured, 'E10')}"


def evidence_section(results: KeptResults, pictures: dict[str, str]) -> str:
    """Give the curves of evidence, as pictures and tables."""
    parts = []
    for name in _EVIDENCE:
        measured = [bundle for bundle in results.bundles if name in bundle.protocols]
        if not measured:
            continue
        curves = [(bundle.encoder_id, bundle.protocols[name]) for bundle in measured]
        svg = evidence_picture(f"{name}: EER by length of the probe", curves)
        if svg is not None:
            parts.append(picture(pictures, f"{name}.svg", svg, f"EER by length of the probe, {name}"))
        rows = [
            (
                f"{point['seconds']:g} s",
                f"`{encoder}`",
                f"{point['failures_to_enroll_or_acquire']} of {point['probes']}",
                _share(point["rank_1_errors"]),
                "–" if point["eer"] is None else f"{percent(point['eer'])} ({span(*point['eer_interval'])})",
                *(_share(share) for share in point["fnmr"].values()),
            )
            for encoder, curve in curves
            for point in curve["points"]
        ]
        columns = (
            "probe",
            "system",
            "failures",
            "rank-1 errors",
            "EER",
            "FNMR at policy FMR 1 %",
            "FNMR at 0.1 %",
        )
        parts.append(ReportTable(str(curves[0][1]["summary"]), columns, tuple(rows)).to_markdown())
        parts.append(_commands(measured, name))
    head = (
        "## Evidence\n\nErrors fall as the probe grows longer. The service refuses probes below 3 s, so 1 s\n"
        "is a failure to acquire.\n"
    )
    return "\n".join([head, *parts]) if parts else ""


def closed_set_section(results: KeptResults) -> str:
    """Give the section of E1."""
    rows, measured = [], []
    for bundle in results.bundles:
        for found in bundle.protocols.get("E1", {}).get("figures", ()):
            measured.append(bundle)
            before, after = found["before"], found["after"]
            rows.append(
                (
                    found["split"],
                    f"`{bundle.encoder_id}`",
                    found["head"],
                    _share(found["errors"]),
                    str(found["failures_to_acquire"]),
                    f"{found['temperature']:.2f}",
                    f"{before['nll']:.3f} → {after['nll']:.3f}",
                    f"{before['ece_equal_mass']:.1%} → {after['ece_equal_mass']:.1%}",
                    f"{before['ece_equal_width']:.1%} → {after['ece_equal_width']:.1%}",
                )
            )
    if not rows:
        return ""
    table = ReportTable(
        "Closed-set identification from frozen vectors; NLL and ECE (15 bins) before → after a temperature",
        (
            "split",
            "system",
            "head",
            "errors",
            "failures",
            "temperature",
            "NLL, nats",
            "ECE, equal mass",
            "ECE, equal width",
        ),
        tuple(sorted(rows, key=lambda row: (row[0] == "rec_1 → rec_2", row[1], row[2]))),
    )
    note = (
        "The random split puts windows of one recording on both sides. It serves comparison with papers\n"
        "only (best published: 99.56 %, arXiv 2605.17685, 1D + 2D CNN). A temperature divides the logits of\n"
        "a head so that its probabilities match its accuracy. It is fitted on held-out training windows,\n"
        "with one error more than observed (Platt 1999). Between recordings these windows come from the\n"
        "enrolled recording alone. Good probabilities may then become too cautious, and NLL and ECE rise.\n"
    )
    return f"## E1\n\n{table.to_markdown()}\n{note}\n{_commands(measured, 'E1')}"


def speed_section(results: KeptResults) -> str:
    """Give what the benchmarks of bundles and networks found."""
    sections = [name for name in ("encode-network", "window-networks") if name in results.benchmarks]
    rows = tuple(
        (line["what"], line["figure"], line["budget"] or "–")
        for name in sections
        for line in results.benchmarks[name]["lines"]
    )
    if not rows:
        return ""
    title = "From strip to vector, and what architectures of other sizes take"
    table = ReportTable(title, ("what", "measured", "budget"), rows)
    return f"## Speed\n\n{table.to_markdown()}\n" + code_block(
        f"python -m benchmarks --only {name}" for name in sections
    )


def over_http_section(results: KeptResults) -> str:
    """Give what the HTTP API made of the same trials."""
    rows = [
        (
            str(protocol),
            found["variant"],
            f"`{bundle.encoder_id}`",
            str(found["probes"]),
            f"{found['rank_1_errors_in_process']}, {found['rank_1_errors_over_http']}",
            "yes" if found["identical_decisions"] else "**no**",
            "yes" if found["identical_first_candidates"] else "**no**",
            f"{found['largest_score_difference_db']:.1e} dB",
        )
        for bundle in results.bundles
        for protocol, kept in bundle.protocols.items()
        if protocol.endswith(" over HTTP")
        for found in kept["variants"]
    ]
    if not rows:
        return ""
    columns = (
        "protocol",
        "variant",
        "system",
        "probes",
        "rank-1 errors in process, over HTTP",
        "identical decisions",
        "identical first candidates",
        "largest difference of a score",
    )
    table = ReportTable("The same trials through the running service, new gallery", columns, tuple(rows))
    ids = dict.fromkeys((row[0].partition(" ")[0], row[2].strip("`")) for row in rows)
    service = "--url http://localhost:8000 --api-key $KEY"
    commands = (
        f"python -m ml.cli evaluate --bundle models/{encoder} --protocol {protocol} {service}"
        for protocol, encoder in ids
    )
    return f"## Over HTTP\n\n{table.to_markdown()}\n{code_block(commands)}"


def comparison_section(results: KeptResults) -> str:
    """Give the table of all kept comparisons."""
    rows = []
    for one in results.comparisons:
        for found in one["variants"]:
            rank_1, eer = found["rank_1"], found["eer"]
            rows.append(
                (
                    f"{one['comparison']}, {found['variant']}",
                    one["a"],
                    one["b"],
                    f"{found['wrong_a']}, {found['wrong_b']} of {found['probes']}",
                    f"{found['only_a_wrong']}, {found['only_b_wrong']}",
                    _difference(rank_1),
                    f"{percent(eer['a'])}, {percent(eer['b'])}",
                    _difference(eer),
                )
            )
    if not rows:
        return ""
    table = ReportTable(
        "Two systems on the same trials; differences in percentage points, below 0 speaks for a",
        (
            "trials",
            "a",
            "b",
            "wrong at rank 1",
            "only a, only b wrong",
            "difference",
            "EER",
            "difference",
        ),
        tuple(rows),
    )
    commands = code_block(str(one["command"]) for one in results.comparisons)
    return f"## Paired comparisons\n\n{table.to_markdown()}\n{commands}"


def picture(pictures: dict[str, str], name: str, svg: str, alternative: str) -> str:
    """Put a picture among those of the page, and give the line that shows it."""
    pictures[name] = svg
    return f"![{alternative}]({PICTURES}/{name})\n"


def _commands(bundles: Sequence[BundleResults], protocol: str) -> str:
    ids = dict.fromkeys(bundle.encoder_id for bundle in bundles)
    return code_block(
        f"python -m ml.cli evaluate --bundle models/{name} --protocol {protocol}" for name in ids
    )


def code_block(lines: Iterable[str]) -> str:
    """Give lines as a block of shell commands; empty for none."""
    text = "\n".join(lines)
    return f"```sh\n{text}\n```\n" if text else ""


def _share(share: Json) -> str:
    return f"{share['count']}/{share['n']} = {percent(share['value'])} ({span(*share['interval'])})"


def _over_nominal(rate: Json) -> str:
    share = rate["measured"]
    counted = f"{share['count']} of {share['n']}"
    if not share["resolvable"]:
        counted += f", {NOT_RESOLVABLE}"
    return f"{rate['measured_over_nominal']:.2f} ({counted})"


def _difference(found: Json) -> str:
    low, high = (points(end) for end in found["interval"])
    return f"{points(found['difference'])} ({low} to {high}), p {found['p']:.3f}"
