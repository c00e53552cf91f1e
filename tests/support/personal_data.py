"""The personal values of a simulated company, to search for where pseudonyms are expected."""

from __future__ import annotations

from pipelines.demo.server.app import SimulatedGong


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
