from __future__ import annotations

import hashlib

import numpy as np
import pytest

from ml.data.records import EcgRecord
from ml.data.splits import CINC_DUPLICATES, assert_disjoint, cinc_split, digest, records_of, split_people

# Whoever changes the rule changes these, and voids every figure published so far.
DIGESTS = {
    "train": "e3a55ca9b971016c911f637563fa99228b8a3d0c765642a9115c09f9b71f9e8f",
    "dev": "d7ce336e9cb49300e3f21f2d9dd78ceb6cd86d908c5e6047d64dbbdba8cdc6f9",
    "calibration": "b3826849075b96bb93ec40d919066d2d32a4cb9b98ddd604f685ee2cd1127120",
    "test": "d2fe035fbe55b4e37e3440c56d090bd26006369b999801b111ce289c92b7beaa",
}


class TestCincSplit:
    def test_sizes_are_those_of_the_design(self):
        sizes = {part: len(people) for part, people in cinc_split().items()}

        assert sizes == {"train": 5726, "dev": 800, "calibration": 1200, "test": 800}

    def test_nobody_is_in_two_parts(self):
        everybody = [person for people in cinc_split().values() for person in people]

        assert len(everybody) == len(set(everybody)) == 8526

    @pytest.mark.parametrize("part", sorted(DIGESTS))
    def test_people_are_the_ones_of_every_published_figure(self, part):
        assert digest(cinc_split()[part]) == DIGESTS[part]

    def test_a_duplicate_recording_is_no_person_of_its_own(self):
        everybody = set().union(*cinc_split().values())

        assert everybody.isdisjoint(CINC_DUPLICATES)
        assert everybody.issuperset(CINC_DUPLICATES.values())

    @pytest.mark.real_data
    def test_covers_exactly_the_people_of_the_data_set(self, data_dir):
        with np.load(data_dir / "ecg" / "cinc2017_af" / "ecg.npz", allow_pickle=False) as arrays:
            people, records, labels = arrays["subject_id"], arrays["record_id"], arrays["label"]

        split = cinc_split()

        assert set().union(*split.values()) == set(people.tolist())
        shared = people != records
        assert dict(zip(records[shared].tolist(), people[shared].tolist(), strict=True)) == CINC_DUPLICATES
        for part, members in split.items():
            noisy = np.mean(labels[np.isin(people, members)] == "~")
            assert 0.02 < noisy < 0.05, part


class TestSplitPeople:
    def test_ranks_people_by_the_hash_of_salt_and_id(self):
        people = [f"person-{i}" for i in range(10)]
        ranked = sorted(people, key=lambda person: hashlib.sha256(f"salt:{person}".encode()).hexdigest())

        split = split_people(people, salt="salt:", sizes=(("test", 3), ("dev", 2)))

        assert split["test"] == tuple(sorted(ranked[:3]))
        assert split["dev"] == tuple(sorted(ranked[3:5]))
        assert split["train"] == tuple(sorted(ranked[5:]))

    def test_order_and_repetition_of_ids_do_not_matter(self):
        people = [f"person-{i}" for i in range(10)]
        sizes = (("test", 4),)

        once = split_people(people, salt="s", sizes=sizes)

        assert split_people([*reversed(people), *people], salt="s", sizes=sizes) == once

    def test_refuses_to_serve_more_people_than_there_are(self):
        with pytest.raises(ValueError, match="expected at least 3 people, found 2"):
            split_people(["a", "b"], salt="s", sizes=(("test", 3),))


class TestRecordsOf:
    def test_keeps_every_record_of_the_people_of_the_part(self):
        records = [
            EcgRecord(f"r{i}", person, 250.0, np.zeros(1, np.float32)) for i, person in enumerate("abab")
        ]

        kept = records_of("dev", records, {"dev": ("b",), "test": ("a",)})

        assert [record.record_id for record in kept] == ["r1", "r3"]


class TestAssertDisjoint:
    def test_names_the_groups_and_the_people_they_share(self):
        with pytest.raises(ValueError, match="train and test share 2 people: b, c"):
            assert_disjoint({"train": ["a", "b", "c"], "dev": ["d"], "test": ["c", "b"]})

    def test_is_silent_where_nobody_is_shared(self):
        assert_disjoint({"train": ["a"], "dev": ["b"]})


class TestDigest:
    def test_does_not_depend_on_order(self):
        assert digest(["b", "a"]) == digest(["a", "b"]) == hashlib.sha256(b"a\nb").hexdigest()
