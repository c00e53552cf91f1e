"""Hypothesis strategies for JSON values as Gong might send them."""

from __future__ import annotations

from hypothesis import strategies as st

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
_TYPED_TEXTS = (
    st.datetimes().map(lambda moment: f"{moment.isoformat()}Z")
    | st.datetimes(timezones=st.timezones()).map(lambda moment: moment.isoformat())
    | st.integers().map(str)
    | st.floats().map(str)
    | st.sampled_from(
        ["0001-01-01T00:00:00+02:00", "9999-12-31T23:59:59-02:00", "2026-02-30T00:00:00Z", "2026-01-31", "true", "NaN"]
    )
)
ANY = JSON | _TYPED_TEXTS
"""JSON, and texts that look like a value of another type."""
