"""The generated company: identical for the same arguments, consistent, and as irregular as a real one."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from typing import Any

from pipelines.demo.company.company import Company, build_company
from tests.support.servers.gong_client import UNTIL


def test_same_arguments_return_the_same_company(company: Company) -> None:
    """Tests compare figures of the company, so nothing in it is left to chance."""
    again = build_company(calls=250, seed=3, until=UNTIL)
    assert [(call.record, call.transcript_json) for call in again.calls] == [
        (call.record, call.transcript_json) for call in company.calls
    ]
    assert [folder.calls for folder in again.folders] == [folder.calls for folder in company.folders]
    assert again.users == company.users
    assert again.settings == company.settings


def test_without_office_hours_another_present_only_moves_the_company() -> None:
    """A test suite that runs at any hour sees the same company, at other times."""

    def build(until: datetime) -> Any:
        company = build_company(calls=60, days=20, until=until, office_hours=False)
        calls = [[call.record, call.transcript] for call in company.calls]
        folders = [[folder.folder, folder.calls] for folder in company.folders]
        return _relative_to([company.users, calls, folders, company.settings.answered_scorecards], until)

    expected = build(UNTIL)
    # A night, a Sunday, and a date after the clocks change, so that calls are on both sides of the change.
    for hours in (1, 13, 24 * 6, 24 * 290 + 7):
        assert build(UNTIL + timedelta(hours=hours)) == expected


def test_every_call_has_the_given_number_of_sentences() -> None:
    """Benchmarks choose the length of a transcript."""
    for call in build_company(calls=40, until=UNTIL, sentences=37).calls:
        assert sum(len(turn["sentences"]) for turn in call.transcript or []) == 37


def test_no_call_ends_after_the_present(company: Company) -> None:
    """A call in the future would never be visible."""
    companies = [company, *(build_company(calls=50, until=UNTIL, days=days) for days in (1, 2))]
    for call in (call for company in companies for call in company.calls):
        meta = call.record["metaData"]
        assert datetime.fromisoformat(meta["started"]) + timedelta(seconds=meta["duration"]) <= UNTIL


def test_tracker_phrases_are_spoken_at_the_time_of_their_occurrence(company: Company) -> None:
    """Marts join an occurrence to its sentence by time."""
    checked = 0
    for call in company.calls[:60]:
        sentences = [sentence for turn in call.transcript or [] for sentence in turn["sentences"]]
        for tracker in call.record.get("content", {}).get("trackers", []):
            assert tracker["count"] == len(tracker["occurrences"])
            for phrase in tracker["phrases"]:
                for occurrence in phrase["occurrences"]:
                    at = occurrence["startTime"] * 1000
                    # Times are rounded to milliseconds, so an occurrence can be just outside of its sentence.
                    spoken = [s["text"].lower() for s in sentences if s["start"] - 1 <= at <= s["end"] + 1]
                    assert any(phrase["phrase"] in text for text in spoken)
                    checked += 1
    assert checked > 100


def test_sentences_ascend_without_overlap_and_have_a_speaker_of_the_call(company: Company) -> None:
    """Speaker turns and talk times are computed from these facts."""
    for call in company.calls:
        speakers = {party["speakerId"] for party in call.record["parties"]}
        previous_end = 0
        for turn in call.transcript or []:
            assert turn["speakerId"] in speakers
            for sentence in turn["sentences"]:
                assert previous_end <= sentence["start"] <= sentence["end"]
                previous_end = sentence["end"]


def test_the_company_is_as_irregular_as_a_real_one(company: Company) -> None:
    """The connector meets every irregularity that Gong's contract describes."""
    calls = [call.record for call in company.calls]
    metas = [record["metaData"] for record in calls]
    parties = [party for record in calls for party in record["parties"]]
    trackers = [tracker for record in calls for tracker in record.get("content", {}).get("trackers", [])]

    assert any("content" not in record for record in calls)
    assert any(call.transcript_json is None for call in company.calls)
    assert any(meta["isPrivate"] for meta in metas)
    assert any("name" not in party for party in parties)
    assert any(party["speakerId"] is None for party in parties)
    assert {len(meta["started"].partition(".")[2].split("-")[0]) for meta in metas} == {0, 2, 3, 6}
    assert {meta["started"][-6:] for meta in metas} == {"-07:00", "-08:00"}
    assert {len(meta["id"]) for meta in metas} <= {17, 18, 19}
    assert any(record["collaboration"]["publicComments"] for record in calls)
    assert any(tracker["count"] == 0 for tracker in trackers)
    assert not all(user["active"] for user in company.users)
    assert any(not folder.calls for folder in company.folders)
    assert any(len({call["id"] for call in folder.calls}) < len(folder.calls) for folder in company.folders)


def _relative_to(value: Any, until: datetime) -> Any:
    """Return the value with datetimes as milliseconds from `until`, and dates as the type `date`."""
    if isinstance(value, dict):
        return {key: _relative_to(inner, until) for key, inner in value.items()}
    if isinstance(value, list):
        return [_relative_to(inner, until) for inner in value]
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value):
        return date
    if isinstance(value, str) and re.match(r"\d{4}-\d\d-\d\dT", value):
        return (datetime.fromisoformat(value) - until) // timedelta(milliseconds=1)
    return value
