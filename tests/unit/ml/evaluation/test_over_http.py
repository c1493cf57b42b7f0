import datetime
import json
from typing import Any

import httpx
import numpy as np
import pytest

from ml.data.records import EcgRecord
from ml.evaluation.over_http import FMR, FPIR, ServiceError, compare_with_service, service_client
from ml.evaluation.trials.scoring import Scored, gallery_null_of
from ml.evaluation.trials.trials import Cut, Presentation, Trials, trials_of
from tests.unit.ml.evaluation.trials.populations import Population, all_against_all, fitted_calibration

PEOPLE = 40


class InProcess:
    """Made-up people; the first sample of a recording says who is presented."""

    def __init__(self) -> None:
        people = Population(PEOPLE, seed=31)
        gallery, probes = people.templates(), people.templates()
        correction = gallery_null_of(fitted_calibration(), gallery)
        self._scored = Scored(all_against_all(probes, gallery), fitted_calibration(), correction)

    def trials(self, name: str) -> list[Trials]:
        presented = [self._presentation(person) for person in range(PEOPLE)]
        return [trials_of(name, presented, presented)]

    def scored(self, data_set: str, trials: Trials) -> Scored:
        return self._scored

    @staticmethod
    def _presentation(person: int) -> Presentation:
        signal = np.full(300, person, dtype=np.float32)
        day = datetime.date(2004, 12, 1) if person else None
        record = EcgRecord(f"p{person:03d}/1", f"p{person:03d}", 100.0, signal, recorded_on=day)
        return Presentation.of(Cut(record))


class Service:
    """Answers like the service from the same scores; `shift_db` makes it disagree, `hidden` omits them."""

    def __init__(
        self, scored: Scored, shift_db: float = 0.0, broken: str = "", *, hidden: bool = False
    ) -> None:
        self._scored, self._shift_db, self._broken, self._hidden = scored, shift_db, broken, hidden
        self.galleries: list[str] = []
        self.enrolled: list[str] = []
        self.captured: list[str | None] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if path == self._broken:
            return httpx.Response(503, json={"code": "overloaded"})
        if request.method == "DELETE":
            self.galleries.remove(path.rpartition("/")[2])
            return httpx.Response(204)
        return httpx.Response(200, json=self._answer(path, json.loads(request.content)))

    def _answer(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        if path == "/galleries":
            self.galleries.append(body["name"])
            return {}
        if path == "/enroll":
            self.enrolled.append(body["subject_id"])
            self.captured += [recording.get("captured_at") for recording in body["recordings"]]
            return {}
        row = round(body["recordings"][0]["signal"][0])
        score_db = self._scored.score_db[row] + self._shift_db
        if path == "/verify":
            column = int(body["subject_id"][1:])
            return {"decision": self._decision(score_db[column], self._threshold_db(FMR, row, column))}
        thresholds_db = np.array(
            [
                max(self._threshold_db(FMR, row, column), self._threshold_db(FPIR / PEOPLE, row, column))
                for column in range(PEOPLE)
            ]
        )
        order = np.lexsort((-self._scored.llr_db[row], -(score_db - thresholds_db)))
        return {
            "decision": self._decision(score_db[order[0]], thresholds_db[order[0]]),
            "gallery_size": PEOPLE,
            "candidates": [
                {"subject_id": f"p{k:03d}", "score": float(score_db[k])} for k in order if not self._hidden
            ],
        }

    def _threshold_db(self, rate: float, row: int, column: int) -> float:
        evidence_class = int(self._scored.comparisons.classes[row, column])
        return self._scored.correction.null(self._scored.calibration, evidence_class).threshold(rate)

    @staticmethod
    def _decision(score_db: float, threshold_db: float) -> str:
        return "match" if score_db >= threshold_db else "non_match"


@pytest.fixture(scope="module")
def here() -> InProcess:
    return InProcess()


def client_of(service: Service) -> httpx.Client:
    return httpx.Client(base_url="http://service", transport=httpx.MockTransport(service))


class TestCompareWithService:
    def test_the_same_scores_are_agreement(self, here: InProcess) -> None:
        service = Service(here.scored("E2", here.trials("E2")[0]))

        (found,) = compare_with_service(here, client_of(service))

        assert found.identical_decisions
        assert found.identical_first_candidates
        assert found.rank_1_errors[0] == found.rank_1_errors[1]
        assert found.largest_difference_db == 0.0
        assert len(service.enrolled) == PEOPLE

    def test_the_day_of_a_recording_goes_along_where_it_is_known(self, here: InProcess) -> None:
        service = Service(here.scored("E3-multi", here.trials("E3-multi")[0]))

        compare_with_service(here, client_of(service), "E3-multi")

        assert service.captured == [None] + ["2004-12-01T12:00:00Z"] * (PEOPLE - 1)

    def test_other_scores_are_reported(self, here: InProcess) -> None:
        service = Service(here.scored("E2", here.trials("E2")[0]), shift_db=-25.0)

        (found,) = compare_with_service(here, client_of(service))

        assert found.largest_difference_db == pytest.approx(25.0)
        assert not found.identical_decisions

    def test_the_gallery_is_deleted_even_after_a_failure(self, here: InProcess) -> None:
        service = Service(here.scored("E2", here.trials("E2")[0]), broken="/identify")

        with pytest.raises(ServiceError, match="/identify answered 503"):
            compare_with_service(here, client_of(service))

        assert service.galleries == []

    def test_a_key_that_may_not_see_scores_is_named_in_one_line(self, here: InProcess) -> None:
        service = Service(here.scored("E2", here.trials("E2")[0]), hidden=True)

        with pytest.raises(ServiceError, match=r"^The API key needs the scopes read and read:scores[^\n]*$"):
            compare_with_service(here, client_of(service))

        assert service.galleries == []


class TestServiceClient:
    def test_carries_the_key(self) -> None:
        with service_client("http://service", "pp_1_2") as client:
            assert client.headers["Authorization"] == "Bearer pp_1_2"
