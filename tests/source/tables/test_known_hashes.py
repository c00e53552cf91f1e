"""KnownHashes: content hashes of the warehouse, found by record id."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sources.gong.tables.known_hashes import KnownHashes

IDS = st.text(st.characters(codec="utf-8"), max_size=4)


@given(st.dictionaries(IDS, st.text("0123456789abcdef", max_size=4)), st.lists(IDS, max_size=10), st.integers(1, 5))
def test_find_returns_the_hashes_of_known_records(hashes: dict[str, str], wanted: list[str], batch_size: int) -> None:
    """A lookup is the same as in a dictionary, independent of the order and the batches of the rows."""
    pairs = list(hashes.items())
    batches = [pairs[start : start + batch_size] for start in range(0, len(pairs), batch_size)]

    known = KnownHashes.from_batches({"calls": batches})

    record_ids = [*wanted, *hashes]
    expected = {record_id: hashes[record_id] for record_id in record_ids if record_id in hashes}
    assert known.find("calls", record_ids) == expected
    assert known.find("transcripts", record_ids) == {}


def test_every_record_of_a_stale_resource_is_written_again() -> None:
    """Where rows may be missing, any record may be in the warehouse, and none can be trusted."""
    known = KnownHashes.from_batches({"_rejected": [[("calls 1", "hash")]]}, stale=("calls",))

    assert known.find("calls", ["1", "2"]) == {"1": "", "2": ""}
    assert known.find("_rejected", ["calls 1", "calls 2"]) == {"calls 1": "hash"}
