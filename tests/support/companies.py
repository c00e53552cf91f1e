"""Simulated companies for tests: the same at every hour of the day, except that they end now."""

from datetime import UTC, datetime

from pipelines.demo.company.calls import Call
from pipelines.demo.company.company import Company, build_company
from pipelines.demo.server.app import SimulatedGong


def build_recent_company(*, calls: int = 60, days: int = 20, seed: int = 7) -> Company:
    """Return a company with that number of calls, spread over the days until now.

    Calls take place at any hour. With office hours, the weekday of the test run would decide which call is private
    and which has no transcript, and a test could fail on some weekdays only.
    """
    return build_company(calls=calls, days=days, seed=seed, until=datetime.now(UTC), office_hours=False)


def build_recent_gong(*, calls: int = 60, days: int = 20, seed: int = 7) -> SimulatedGong:
    """Return a simulated Gong with such a company."""
    return SimulatedGong(build_recent_company(calls=calls, days=days, seed=seed))


def public_calls(gong: SimulatedGong) -> list[Call]:
    """Return the calls that are not private, as the server has them now."""
    return [call for call in gong.list_calls() if not call.record["metaData"].get("isPrivate")]


def change_calls(gong: SimulatedGong) -> None:
    """Rename a call without its parties, and shorten and empty a transcript."""
    renamed, shortened, emptied = [call for call in public_calls(gong) if call.transcript_json][-3:]
    meta = renamed.record["metaData"] | {"title": "Renamed"}
    gong.replace_call(renamed.id, {**renamed.record, "metaData": meta, "parties": []})
    gong.replace_transcript(shortened.id, (shortened.transcript or [])[:1])
    gong.replace_transcript(emptied.id, [])


def find_call(gong: SimulatedGong, *content_blocks: str) -> Call:
    """Return a public call that has a transcript and these content blocks."""
    return next(
        call
        for call in public_calls(gong)
        if call.transcript_json and all(call.record.get("content", {}).get(block) for block in content_blocks)
    )


def personal_values(gong: SimulatedGong) -> set[str]:
    """Return all e-mail addresses, phone numbers, URLs and full names of users and of parties, in lower case."""
    values: set[str] = set()
    for user in gong.company.users:
        values |= {user["emailAddress"], *user["emailAliases"], *user["personalMeetingUrls"]}
        values |= {f"{user['firstName']} {user['lastName']}", user["phoneNumber"] or ""}
    for call in gong.list_calls():
        for party in call.record["parties"]:
            values |= {party.get(field) or "" for field in ("emailAddress", "name", "phoneNumber")}
    return {value.lower() for value in values - {""}}
