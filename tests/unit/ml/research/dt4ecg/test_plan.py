import re
from dataclasses import replace

import pytest

from ml.research.dt4ecg import plan
from ml.research.dt4ecg.balancing import BALANCERS
from ml.research.dt4ecg.losses import LOSSES
from ml.research.dt4ecg.network.attentions import ATTENTIONS
from ml.research.dt4ecg.network.backbones import BACKBONES
from ml.research.dt4ecg.plan import FOLDS, PLAIN, PROPOSED, Cell, parts, planned_cells
from ml.research.dt4ecg.published import TABLE_1, TABLE_3

OTHERWISE = {
    "backbone": "cnn",
    "attention": "se",
    "protocol": "A2",
    "n_activities": 3,
    "balancing": "static",
    "gradient_of": "all",
    "loss": "equation_8",
    "scaling": "window",
    "channel_convolutions": "single",
    "addition": "after_relu",
    "modules": "full_length",
    "precision": "float32",
    "recipe": "ours",
    "epochs": 20,
    "seed": 2,
}


class TestCell:
    @pytest.mark.parametrize("name", OTHERWISE)
    def test_whatever_differs_is_another_id(self, name: str) -> None:
        assert replace(Cell(), **{name: OTHERWISE[name]}).id != Cell().id

    def test_folds_have_ids_of_their_own(self) -> None:
        assert Cell(protocol="A3", fold=0).id != Cell(protocol="A3", fold=1).id

    def test_an_id_is_a_file_name(self) -> None:
        assert all(re.fullmatch(r"[\w-]+", cell.id) for cell in planned_cells())

    @pytest.mark.parametrize(
        "wrong",
        [
            {"protocol": "A4"},
            {"balancing": "fair"},
            {"loss": "hinge"},
            {"gradient_of": "none"},
            {"n_activities": 4},
            {"modules": "doubling"},
            {"precision": "float8"},
            {"recipe": "secret"},
            {"recipe": "ours", "scaling": "window"},
            {"fold": 1},
        ],
    )
    def test_what_there_is_not_is_refused(self, wrong: dict[str, object]) -> None:
        with pytest.raises(ValueError, match=next(iter(wrong))):
            Cell(**wrong)  # type: ignore[arg-type]

    def test_json_form_and_back(self) -> None:
        cell = Cell(protocol="A2e", fold=2, scaling="window")

        assert Cell(**cell.to_dict()) == cell


class TestParts:
    def test_every_name_is_one_that_networks_and_balancing_know(self) -> None:
        cells = planned_cells()

        assert {cell.backbone for cell in cells} == set(BACKBONES)
        assert {cell.attention for cell in cells} == set(ATTENTIONS)
        assert {cell.balancing for cell in cells} == set(BALANCERS) == set(plan.BALANCINGS)
        assert {cell.loss for cell in cells} == set(LOSSES) == set(plan.LOSSES)
        assert {cell.gradient_of for cell in cells} == set(plan.GRADIENTS_OF)

    @pytest.mark.parametrize("protocol", ["A1", "A2"])
    def test_tables_have_the_rows_of_the_paper(self, protocol: str) -> None:
        ones, threes = plan.table_1(protocol), plan.table_3(protocol)

        assert [(cell.backbone, cell.attention) for cell in ones] == list(TABLE_1)
        assert [(cell.backbone, cell.attention) for cell in threes] == list(TABLE_3)
        assert {cell.protocol for cell in ones + threes} == {protocol}

    def test_table_four_has_every_balancing_three_times(self) -> None:
        cells = parts()["table-4"]

        assert len(cells) == 3 * len(BALANCERS)
        assert {cell.epochs for cell in cells} == {20}

    def test_options_differ_from_the_proposed_network_in_one_choice_each(self) -> None:
        usual = plan.PROPOSED.to_dict() | {"protocol": "A2"}
        different = [
            {name for name, value in cell.to_dict().items() if value != usual[name]}
            for cell in parts()["options"]
        ]

        assert different[0] == set()
        assert all(len(names) == 1 for names in different[1:])
        assert {"scaling", "modules", "precision"} <= set.union(*different)

    def test_unseen_people_and_electrodes_take_every_fold(self) -> None:
        for protocol in ("A2e", "A3"):
            for net in (PROPOSED, plan.OURS):
                of_net = [
                    c for c in parts()[protocol] if replace(c, fold=0) == replace(net, protocol=protocol)
                ]

                assert [cell.fold for cell in of_net] == list(range(FOLDS[protocol]))


class TestPlannedCells:
    def test_what_several_parts_need_is_there_once(self) -> None:
        cells = planned_cells()

        assert len(set(cells)) == len(cells) < sum(len(part) for part in parts().values())

    def test_what_targets_are_about_comes_first(self) -> None:
        first = {(cell.backbone, cell.attention, cell.protocol, cell.seed) for cell in planned_cells()[:4]}

        assert first == {("resnet", a, p, 1) for a in ("sca", "none") for p in ("A1", "A2")}

    def test_further_seeds_come_after_the_first(self) -> None:
        at_20 = [cell.seed for cell in planned_cells(["table-4"])]

        assert at_20 == sorted(at_20)

    def test_a_part_alone(self) -> None:
        assert set(planned_cells(["figure-6"])) == set(plan.figure_6())

    def test_an_unknown_part_lists_the_known(self) -> None:
        with pytest.raises(ValueError, match=r"table-5.*known are table-1"):
            planned_cells(["table-5"])

    def test_seeds_are_of_the_proposed_network_with_and_without_attention(self) -> None:
        nets = {(cell.backbone, cell.attention) for cell in parts()["seeds"]}

        assert nets == {(cell.backbone, cell.attention) for cell in (PROPOSED, PLAIN)}
