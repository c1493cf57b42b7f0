"""`docs/results/ecg-identity.md`: written from kept results alone, so that anyone can write it again."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ml.evaluation.kept_results import KeptResults
from ml.evaluation.pages.page_sections import (
    PICTURES,
    closed_set_section,
    code_block,
    comparison_section,
    evidence_section,
    motion_section,
    open_set_section,
    over_http_section,
    picture,
    protocol_section,
    ptb_section,
    speed_section,
)
from ml.evaluation.pages.pictures import det_picture, student_picture, training_pictures
from ml.evaluation.pages.summary_tables import ecg_headline
from ml.evaluation.pages.targets import AIM_MET, MISSED, MUST_MET, TARGETS
from ml.evaluation.report import ReportTable

Json = Mapping[str, Any]

PAGES = Path("docs/results")
PAGE = f"{PICTURES}.md"
_PLAIN = ("D1-dev", "D1", "D2", "E2", "E3", "E3-multi", "E3b", "E4", "E11")
_DET = (("D1-dev", "first → last"), ("D1", "first → last"), ("E2", "20 s"), ("E3b", "day → other day"))
_FOLDED_FROM = 40
"""Rows of an experiment; a longer table is opened by those who want it."""
_INTRODUCTION = """# ECG identity: every protocol, every target

How well does Pulseprint recognize people by one lead of ECG? This page shows every measurement of the
shipped encoders, beside figures that others published and targets that were set beforehand. Missed targets
stay. For a summary, read [accuracy](../accuracy.md).

**On whom.** No encoder was trained on any person of these tables.

- **ECG-ID**: 90 people, lead I, days up to half a year apart. Its sensor is unknown to the encoders.
- **CinC 2017**: one recording each of people with and without arrhythmia. The calibration knows this
  sensor.
- **QTDB** and **MIT-BIH**: tapes of patients, minutes apart.
- **The motion set**: 10 people at rest, moving their arms, walking, running and doing squats.

**How to read the tables.** A row is one encoder in one variant of a protocol.

- **rank-1 errors**: another person in the gallery scores at least as high as the right one.
- **FMR** and **FNMR**: the share of strangers who match, and of right people who do not, at one threshold.
  **EER**: the rate at which both are equal.
- **policy FMR 1 %**: the threshold that the service itself sets for this rate before it sees a probe. It
  comes from calibration people and from the people enrolled, the gallery's *own null*.
- **measured ÷ nominal**: 1 means that the stated rate is true, 2 that twice as many strangers match.
- **oracle**: the threshold that these very scores would have needed. Nobody knows it beforehand.
- **not resolvable**: too few comparisons to measure such a rate. The count is given instead.
- Failures to enroll or to acquire are errors. Every probe is compared with the whole gallery. Intervals are
  95 % over people.

**The three figures that matter**, of the default encoder:

{headline}
Within a day the default encoder is nearly always right. Across days, and among people with arrhythmia, it
is wrong more often. A strict false-match rate costs the most: see the last column.

Variants were selected on D1-dev and D2, which are development sets.
[looks.jsonl](../../results/looks.jsonl) logs each look at another set. Published figures come from other
trials, other training data or both; the protocol stands beside each. [DESIGN §9](../DESIGN.md) defines the
protocols. `python -m ml.cli report` writes this page from [results](../../results).
"""


@dataclass(frozen=True)
class Page:
    """The page and the pictures it shows, by file name."""

    text: str
    pictures: Mapping[str, str]
    name: str = PICTURES

    def files(self) -> dict[str, str]:
        """Return all texts by path below `docs/results`; pictures lie in a folder of the page's name."""
        return {f"{self.name}.md": self.text} | {
            f"{self.name}/{file}": svg for file, svg in self.pictures.items()
        }


def write_page(folder: Path, page: Page) -> list[Path]:
    """Write page and pictures, and remove pictures that are no longer shown."""
    (folder / page.name).mkdir(parents=True, exist_ok=True)
    written = [folder / name for name in page.files()]
    for stale in set((folder / page.name).glob("*.svg")) - set(written):
        stale.unlink()
    for path, text in zip(written, page.files().values(), strict=True):
        path.write_text(text, encoding="utf-8")
    return written


def make_page(results: KeptResults) -> Page:
    """Write the page."""
    pictures: dict[str, str] = {}
    sections = [
        _INTRODUCTION.format(headline=ecg_headline(results)),
        "## Targets\n",
        _verdicts(results),
        target_table(results).to_markdown(),
        "Verdicts compare the figure itself with the target; its interval shows how certain it is. “–” was\n"
        "not measured. E3 and E3b compare the upper end of the interval of the EER difference: below 0 the\n"
        "encoder is better with confidence. K1 compares a student, a small network distilled from a large\n"
        "teacher, with its teacher and with a twin trained without one. K2 is time and size.\n",
        *_det_section(results, pictures),
        *(protocol_section(results, name) for name in _PLAIN),
        ptb_section(results),
        open_set_section(results),
        motion_section(results),
        evidence_section(results, pictures),
        closed_set_section(results),
        over_http_section(results),
        comparison_section(results),
        _student_section(results, pictures),
        speed_section(results),
        *(_experiment_section(experiment) for experiment in results.experiments),
        *_training_sections(results, pictures),
    ]
    text = "\n".join(section for section in sections if section)
    return Page(text.rstrip("\n") + "\n", pictures)


def target_table(results: KeptResults) -> ReportTable:
    """Return every target with what each bundle reached."""
    rows = []
    for target in TARGETS:
        cells = []
        for bundle in results.bundles:
            found = target.measure(results, bundle) if target.only in (None, bundle.bundle) else None
            cells.append("–" if found is None else f"{found.text}: **{target.verdict(found.value)}**")
        limits = (target.limit_text(target.must), target.limit_text(target.aim))
        rows.append((target.protocol, target.figure, target.published, *limits, *cells))
    names = tuple(f"`{bundle.encoder_id}`" for bundle in results.bundles)
    return ReportTable(
        "Targets set beforehand, and figures reached",
        ("protocol", "figure", "published", "must", "aim", *names),
        tuple(rows),
    )


def _verdicts(results: KeptResults) -> str:
    """Count verdicts, one line per bundle."""
    lines = []
    for bundle in results.bundles:
        asked = [target for target in TARGETS if target.only in (None, bundle.bundle)]
        found = [(target, target.measure(results, bundle)) for target in asked]
        counts = Counter(target.verdict(one.value) for target, one in found if one is not None)
        told = [f"{counts[verdict]} {verdict}" for verdict in (AIM_MET, MUST_MET, MISSED)]
        told.append(f"{len(asked) - counts.total()} not measured")
        lines.append(f"- `{bundle.encoder_id}`, {len(asked)} targets: {', '.join(told)}\n")
    return "".join(lines)


def _det_section(results: KeptResults, pictures: dict[str, str]) -> Iterable[str]:
    shown = []
    for protocol, variant in _DET:
        curves = [
            (bundle.encoder_id, found)
            for bundle in results.bundles
            if (found := bundle.variant(protocol, variant)) is not None
        ]
        svg = det_picture(f"{protocol}, {variant}: DET curves", curves)
        if svg is not None:
            shown.append(picture(pictures, f"det-{protocol}.svg", svg, f"DET curves of {protocol}"))
    return ["## DET curves\n", *shown] if shown else []


def _student_section(results: KeptResults, pictures: dict[str, str]) -> str:
    names = results.students
    found = [
        (against, results.comparison("D1-dev", names.get("student", ""), names.get(against, "")))
        for against in ("teacher", "twin")
    ]
    bars = [(f"{a}: {c['b']}", c["variants"][0]["eer"]["b"], None) for a, c in found if c is not None]
    student = next((c for _, c in found if c is not None), None)
    if student is not None:
        bars.insert(1, (f"student: {student['a']}", student["variants"][0]["eer"]["a"], None))
    svg = student_picture("K1: teacher, student and its no-KD twin on D1-dev", bars)
    if svg is None:
        return ""
    return "## K1\n\n" + picture(pictures, "k1.svg", svg, "EER of teacher, student and no-KD twin on D1-dev")


def _experiment_section(experiment: Json) -> str:
    table = ReportTable(
        str(experiment["protocol"]),
        tuple(str(column) for column in experiment["columns"]),
        tuple(tuple(str(cell) for cell in row) for row in experiment["rows"]),
    )
    shown = table.to_markdown()
    if len(table.rows) > _FOLDED_FROM:
        shown = f"<details><summary>{len(table.rows)} rows</summary>\n\n{shown}\n</details>\n"
    parts = [f"## {experiment['title']}\n", f"{experiment['question']}\n", shown]
    if experiment.get("note"):
        parts.append(f"{experiment['note']}\n")
    parts.append(code_block(str(command) for command in experiment.get("commands", ())))
    return "\n".join(part for part in parts if part)


def _training_sections(results: KeptResults, pictures: dict[str, str]) -> Iterable[str]:
    shown = [
        picture(pictures, f"training-{name}-{kind}.svg", svg, f"{kind} while training {name}")
        for name, log in results.trainings.items()
        for kind, svg in training_pictures(name, log).items()
    ]
    return ["## Training\n", *shown] if shown else []
