import pytest
from pydantic_core import PydanticCustomError

from app.api.schemas.leads import Lead, lead_named

SPELLINGS = {
    "I": "I i DI D1 di Lead_I lead-i LEAD1 MDC_ECG_LEAD_I appleWatchSimilarToLeadI",
    "II": "II ii DII D2 Lead_II EKG_II",
    "III": "III DIII d-iii lead_3 ECG.III",
    "aVR": "aVR AVR avr aV_R Lead_aVR ECG_AVR",
    "aVL": "aVL AVL avl",
    "aVF": "aVF AVF avf ecg_lead_avf",
    "V1": "V1 v1 C1 Lead_V1 MDC_ECG_LEAD_V1 V-1",
    "V6": "V6 v6 c6 ecg:v6",
    "MLII": "MLII mlii ML2 ML_II",
    "unknown": "unknown UNKNOWN",
}
CASES = [(text, name) for name, texts in SPELLINGS.items() for text in texts.split()]
WITH_SPACES = [
    ("Lead I", "I"), ("ECG I", "I"), (" lead ii ", "II"), ("Lead 3", "III"), ("Lead I (Einthoven)", "I"),
    ("Derivación DII", "II"), ("Ableitung aVL", "aVL"), ("Ⅱ", "II"), ("Modified lead II", "MLII"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "name"), CASES + WITH_SPACES)
def test_a_lead_is_known_however_it_is_spelled(text, name):
    assert lead_named(text) is Lead(name)


@pytest.mark.parametrize("lead", Lead)
def test_every_lead_has_its_own_name(lead):
    assert lead_named(lead.value) is lead


@pytest.mark.parametrize(
    "text", ["", "V7", "V0", "IV", "-aVR", "−aVR", "V4R", "MLI", "ECG 1", "lead", "I II", "Ia", "x" * 10_000]
)
def test_what_is_another_lead_or_none_is_refused(text):
    with pytest.raises(PydanticCustomError, match="Expected one of unknown, I, II"):
        lead_named(text)
