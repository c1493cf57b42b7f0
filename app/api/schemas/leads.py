"""Names of ECG leads, as files and devices spell them."""

from __future__ import annotations

import re
import unicodedata
from typing import Annotated, Final

from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError

from app.api.schemas.base import NamedEnum
from app.domain.references import UNKNOWN_POSITION


class Lead(NamedEnum):
    """Where the ECG was taken; `unknown` compares with every lead, different named ones do not.

    Other spellings are understood when a request is read: `AVR`, `DI`, `Lead II`, `ECG v1`, `lead_iii`.
    """

    UNKNOWN_LEAD = UNKNOWN_POSITION
    I = "I"  # noqa: E741
    II = "II"
    III = "III"
    AVR = "aVR"
    AVL = "aVL"
    AVF = "aVF"
    V1 = "V1"
    V2 = "V2"
    V3 = "V3"
    V4 = "V4"
    V5 = "V5"
    V6 = "V6"
    MLII = "MLII"


# Not before the name: a leading minus would be another lead, such as -aVR.
_SEPARATORS: Final = re.compile(r"(?<=\w)[\s_.:/-]+(?=\w)")
# As DICOM, IEEE 11073 (`MDC_ECG_LEAD_I`), other languages (`DI`) and watches write them.
_PREFIX: Final = r"(?:(?:mdc )?(?:ecg|ekg) ?)?(?:elec potl )?(?:(?:lead|ableitung|derivation|derivacion) ?)?"
_SPELLINGS: Final = {
    Lead.UNKNOWN_LEAD: r"unknown",
    Lead.I: rf"{_PREFIX}(?:d ?)?i(?: \(einthoven\))?|(?:lead ?|d ?)1|apple ?watch ?similar ?to ?lead ?i",
    Lead.II: rf"{_PREFIX}(?:d ?)?ii(?: \(einthoven\))?|(?:lead ?|d ?)2",
    Lead.III: rf"{_PREFIX}(?:d ?)?iii(?: \(einthoven\))?|(?:lead ?|d ?)3",
    **{lead: rf"{_PREFIX}a ?v ?{lead.value[-1].lower()}" for lead in (Lead.AVR, Lead.AVL, Lead.AVF)},
    **{lead: rf"{_PREFIX}[vc] ?{lead.value[-1]}" for lead in Lead if re.fullmatch(r"V[1-6]", lead.value)},
    Lead.MLII: rf"{_PREFIX}(?:ml|modified lead) ?(?:ii|2)",
}
_PATTERNS: Final = {lead: re.compile(spelling) for lead, spelling in _SPELLINGS.items()}


def lead_named(name: object) -> object:
    """The lead that a spelling names; what is no text is left to the enumeration.

    Raises:
        PydanticCustomError: The text names no lead.
    """
    if not isinstance(name, str):
        return name
    letters = (c for c in unicodedata.normalize("NFKD", name[:64]) if not unicodedata.combining(c))
    plain = _SEPARATORS.sub(" ", "".join(letters).strip().casefold())
    for lead, pattern in _PATTERNS.items():
        if len(name) <= 64 and pattern.fullmatch(plain):
            return lead
    raise PydanticCustomError("invalid_request", "Expected one of {leads}.", {"leads": ", ".join(Lead)})


AnyLead = Annotated[Lead, BeforeValidator(lead_named)]
