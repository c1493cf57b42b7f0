import json

import pytest

from benchmarks.releases import Block, Comparison, in_turn, round_of_requests


class TestComparison:
    COMPARED = Comparison(
        "/verify",
        10,
        old=[Block((0.010, 0.012), 0.008), Block((0.010,), 0.010)],
        new=[Block((0.015, 0.018), 0.018), Block((0.030,), 0.018)],
    )

    def test_the_ratio_is_of_the_medians_of_all_rounds(self):
        assert self.COMPARED.ratio == pytest.approx(1.8)

    def test_the_middle_half_is_of_ratios_round_by_round(self):
        assert self.COMPARED.middle_ratios == pytest.approx((1.875, 2.625))

    def test_processor_time_is_compared_block_by_block(self):
        assert self.COMPARED.processor_ratio == pytest.approx(2.0)

    def test_every_measurement_is_kept(self):
        raw = json.loads(json.dumps(self.COMPARED.raw()))

        assert (raw["old"]["each_ms"], raw["new"]["each_ms"]) == ([10.0, 12.0, 10.0], [15.0, 18.0, 30.0])


class TestInTurn:
    @pytest.mark.parametrize(("reverse", "order"), [(False, ["old", "new"]), (True, ["new", "old"])])
    def test_what_is_found_is_in_the_order_of_the_blocks(self, reverse, order):
        made = []

        def block(name, found):
            made.append(name)
            return [found]

        found = in_turn([lambda: block("old", 1.0), lambda: block("new", 2.0)], reverse=reverse)

        assert (made, found) == (order, [[1.0], [2.0]])


class TestRequests:
    def test_every_round_enrolls_other_people_and_sends_the_same_probes(self):
        first, second = (
            {call: bodies for call, _, bodies in round_of_requests(number)} for number in range(2)
        )

        assert first["/verify"] == second["/verify"]
        assert first["/identify"] == second["/identify"]
        names = {json.loads(body)["subject_id"] for body in (*first["/enroll"], *second["/enroll"])}
        assert len(names) == len(first["/enroll"]) + len(second["/enroll"])
