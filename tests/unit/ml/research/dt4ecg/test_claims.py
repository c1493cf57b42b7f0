from dataclasses import replace

from ml.research.dt4ecg.claims import answer, attentions_table, over_seeds, sca_table
from ml.research.dt4ecg.figures import Grid
from ml.research.dt4ecg.plan import ATTENTIONS, BACKBONES, SEEDS, Cell, seeds, table_3
from tests.unit.ml.research.dt4ecg.grids import result

PROTOCOLS = ("A1", "A2")


def grid(**right: float) -> Grid:
    """Results of table III, of attentions that are as often right as it says; 0.7 where it does not."""
    cells = (cell for protocol in PROTOCOLS for cell in table_3(protocol))
    return Grid({cell: result(cell, right.get(cell.attention, 0.7)) for cell in cells})


class TestScaTable:
    def test_every_backbone_is_compared_with_itself(self) -> None:
        table = sca_table(grid(sca=0.9))

        assert len(table.rows) == len(BACKBONES)
        name, *paper, a1_identity, _, _, a2_activity = table.rows[-1]
        assert (name, paper) == ("1D-ResNet", ["+0.75", "+6.13"])
        assert a1_identity == a2_activity == "+20.00 (+20.00 to +20.00)"

    def test_one_of_a_pair_alone_gives_no_difference(self) -> None:
        cell = Cell(backbone="resnet", attention="sca")

        rows = sca_table(Grid({cell: result(cell)})).rows

        assert {text for row in rows for text in row[3:]} == {"not measured"}


class TestAttentionsTable:
    def test_each_attention_is_there_with_the_papers_mean(self) -> None:
        table = attentions_table(grid(se=0.8, cbam=0.6))

        gains = {row[0]: row[3:] for row in table.rows}
        assert list(gains) == ["SE", "MHA", "CBAM", "SCA"]
        assert {text.split()[0] for text in gains["SE"]} == {"+10.00"}
        assert {text.split()[0] for text in gains["CBAM"]} == {"-10.00"}
        assert table.rows[-1][1:3] == ("+0.27", "+5.11")

    def test_a_backbone_without_result_leaves_the_mean_open(self) -> None:
        whole = grid(sca=0.9)
        missing = replace(table_3("A1")[0], attention="sca")
        results = {cell: one for cell, one in whole.results.items() if cell != missing}

        row = attentions_table(Grid(results)).rows[ATTENTIONS.index("sca") - 1]

        assert row[3] == "not measured"
        assert row[5].startswith("+20.00")


class TestAnswer:
    def test_it_says_what_sca_added_and_what_added_most(self) -> None:
        text = answer(grid(sca=0.8, cbam=0.9))

        assert (
            "Under A2 SCA adds +10.00 points of activity and +10.00 of identity to these 5 backbones; "
            in text
        )
        assert text.count("to activity CBAM adds more, +20.00.") == 2
        assert text.endswith("The paper has +5.11 and +0.27 for SCA.\n")

    def test_where_sca_adds_most_it_says_so(self) -> None:
        assert answer(grid(sca=0.9, se=0.8)).count("to activity no other adds more.") == 2

    def test_nothing_is_written_before_the_table_is_whole(self) -> None:
        whole = grid(sca=0.9).results
        last = table_3("A2")[-1]

        assert not answer(Grid({cell: one for cell, one in whole.items() if cell != last}))


class TestOverSeeds:
    def seeded(self, *gains: float) -> Grid:
        """ResNet with and without SCA, that adds so much with each seed."""
        cells = {}
        for protocol in PROTOCOLS:
            for cell, added in zip(seeds(Cell(backbone="resnet", protocol=protocol)), gains, strict=True):
                for attention, right in (("none", 0.7), ("sca", 0.7 + added)):
                    one = replace(cell, attention=attention)
                    cells[one] = result(one, right)
        return Grid(cells)

    def test_mean_and_each_seed_are_written(self) -> None:
        text = over_seeds(self.seeded(0.1, -0.1, 0.3))

        assert text.startswith("Over 3 seeds SCA adds to ResNet")
        assert "under A1 +10.00 of activity (+10.00, -10.00, +30.00)" in text

    def test_nothing_is_written_before_all_are_there(self) -> None:
        whole = self.seeded(0.1, 0.1, 0.1)
        missing = replace(Cell(backbone="resnet", protocol="A2"), seed=SEEDS[-1])
        results = {cell: one for cell, one in whole.results.items() if cell != missing}

        assert over_seeds(Grid(results)) == ""
