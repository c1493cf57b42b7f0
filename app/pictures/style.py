"""How pictures look: one style sheet, in colors that suit the reader's scheme, and the policy that allows it.

Every color has a companion for dark backgrounds. Accepted and not accepted differ in pattern and words too.
"""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from typing import Final

_COLORS: Final = {  # name: light, dark
    "paper": ("#ffffff", "#0d1117"),
    "ink": ("#1f2328", "#e6edf3"),
    "soft": ("#59636e", "#9da7b1"),
    "rule": ("#d1d9e0", "#30363d"),
    "grid": ("#eaeef2", "#1d232b"),
    "raw": ("#8c959f", "#768390"),
    "main": ("#0b62a8", "#6cb6ff"),
    "peak": ("#c2410c", "#ff9c6b"),
    "good": ("#1a7f37", "#3fb950"),
    "bad": ("#b42318", "#ff7b72"),
    "good-back": ("#dcf5e3", "#12331d"),
    "bad-back": ("#fde7e4", "#43191a"),
}
_SHAPES: Final = """
text{font-family:system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif;fill:INK}
.title{font-size:19px;font-weight:600}.figure{font-size:28px;font-weight:600}.body{font-size:14px}
.small{font-size:12px;fill:SOFT}.strong{font-size:13px;font-weight:600}
.paper{fill:PAPER}.card{fill:PAPER;stroke:RULE}.rule{fill:none;stroke:RULE}.grid{fill:none;stroke:GRID}
.raw{fill:none;stroke:RAW;stroke-width:10}.main{fill:none;stroke:MAIN;stroke-width:13}
.beat{fill:none;stroke:RAW;stroke-width:8;stroke-opacity:.45}.mean{fill:none;stroke:MAIN;stroke-width:24}
.raw,.main,.beat,.mean{stroke-linejoin:round;stroke-linecap:round}
.peak{fill:PEAK}.peak.off{fill:none;stroke:RAW}.rate{fill:none;stroke:PEAK;stroke-width:18}
.band.good{fill:GOOD}.band.bad{fill:BAD}.shade{fill:BAD-BACK}.hatch{stroke:PAPER;stroke-width:2;fill:none}
.pill.good{fill:GOOD-BACK}.pill.bad{fill:BAD-BACK}text.good{fill:GOOD}text.bad{fill:BAD}
.cell{fill:MAIN;shape-rendering:crispEdges}.edge{fill:none;stroke:MAIN;stroke-width:1.4}
.mark{fill:none;stroke:PEAK;stroke-width:1.6;stroke-linecap:round}.mark.strong{fill:PEAK}.mark.weak{stroke-opacity:.55}
.box{fill:none;stroke:MAIN;stroke-width:2}.head{fill:none;stroke:RAW;stroke-width:1.5;stroke-dasharray:5 4}
.dot{fill:PEAK}.span{fill:none;stroke:PEAK;stroke-width:1.4}.bar{fill:MAIN}.bar.low{fill:BAD}.track{fill:GRID}
"""


def _colored(scheme: int) -> str:
    rules = _SHAPES.strip()
    for name in sorted(_COLORS, key=len, reverse=True):  # GOOD-BACK before GOOD.
        rules = rules.replace(name.upper(), _COLORS[name][scheme])
    return rules


STYLE_SHEET: Final = f"{_colored(0)}\n@media (prefers-color-scheme:dark){{\n{_colored(1)}\n}}"
_STYLE_HASH: Final = b64encode(sha256(STYLE_SHEET.encode()).digest()).decode()
CONTENT_SECURITY_POLICY: Final = f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; sandbox"
"""A picture opened as a page runs nothing, loads nothing, and is styled by its own sheet alone."""
