"""`pii = "hash"`: no table contains an e-mail address, phone number or name in clear text, and people still join."""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dlt
import pytest

from pipelines.demo.server.app import SimulatedGong
from pipelines.demo.server.faults import Fault, rewrite
from sources.gong import ConfigurationError, GongApiKey, gong_source
from tests.support.companies import personal_values, public_calls
from tests.support.gong_api import Json
from tests.support.workspace import Workspace, days_ago

KEY = "a key that is hard to guess"


PSEUDONYM = re.compile(r"[0-9a-f]{64}")


SINCE = ("--since", days_ago(60))


FREE_TEXT = {
    ("calls", "title"),
    ("calls", "brief"),
    ("call_comments", "comment"),
    ("call_highlights", "text"),
    ("call_key_points", "text"),
    ("call_outline_items", "text"),
    ("library_calls", "note"),
    ("library_calls", "title"),
    ("transcript_sentences", "text"),
}
"""Columns that are not pseudonymised: what people said and wrote."""


def hash_text(text: str, key: str = KEY) -> str:
    """Return the pseudonym of a normalised text."""
    return hmac.new(key.encode(), text.encode(), "sha256").hexdigest()


def find_columns_with(workspace: Workspace, people: set[str]) -> set[tuple[str, str]]:
    """Return the columns, as (table, column), that contain a personal value, without free-text columns."""
    columns = workspace.rows(
        "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema LIKE 'gong%'"
    )
    assert len(columns) > 200
    texts = workspace.rows(
        " UNION ALL ".join(
            f"SELECT '{table}', '{column}', string_agg(DISTINCT lower(\"{column}\"::VARCHAR), '|') FROM gong.{table}"
            for table, column in sorted(set(columns) - FREE_TEXT)
        )
    )
    return {
        (table, column) for table, column, everything in texts if any(person in (everything or "") for person in people)
    }


def enable_pseudonyms(workspace: Workspace, key: str = KEY) -> None:
    """Configure `pii = "hash"` with a key."""
    workspace.configure(pii="hash", pii_key=key)


def test_no_personal_value_is_left_outside_of_free_text(gong: SimulatedGong, workspace: Workspace) -> None:
    """All columns of all tables are searched, also those of fields that Gong may add."""
    first, *_ = public_calls(gong)
    _add_unknown_personal_fields(gong, first.record)
    people = personal_values(gong) | {
        "quilla.lindqvist@elsewhere.example",
        "quilla lindqvist",
        "+44 20 7946 0000",
        "m.l@alt.example",
    }

    workspace.sync()
    clear = find_columns_with(workspace, people)
    assert clear >= {
        ("call_parties", "email_address"),
        ("call_parties", "name"),
        ("call_parties", "phone_number"),
        ("call_parties", "nickname"),
        ("call_comments", "commenter_name"),
        ("call_crm_fields", "value"),
        ("calls", "organizer_email"),
        ("transcript_sentences", "monologue__speaker_name"),
        ("users", "backup_email"),
        ("users", "email_address"),
        ("users", "email_aliases"),
        ("users", "personal_meeting_urls"),
        ("users", "phone_number"),
    }

    (workspace.folder / "warehouse.duckdb").unlink()
    enable_pseudonyms(workspace)
    workspace.sync()
    assert find_columns_with(workspace, people) == set()
    for table, column in clear - {("call_crm_fields", "value")}:
        kind = "" if column not in ("email_aliases", "personal_meeting_urls") else "[0]"
        values = workspace.rows(
            f"""SELECT DISTINCT "{column}" FROM gong.{table} WHERE "{column}" ::VARCHAR NOT IN ('', '[]')"""
        )
        assert values
        assert all(PSEUDONYM.fullmatch(json.loads(value)[0] if kind else value) for (value,) in values), (table, column)


def _add_unknown_personal_fields(gong: SimulatedGong, record: Json) -> None:
    """Add personal fields that Gong does not have today, and a contact with all CRM fields."""
    party = {
        **record["parties"][0],
        "id": "770001",
        "emailAddress": " Quilla.Lindqvist@Elsewhere.example",
        "name": "Quilla  LINDQVIST",
        "phoneNumber": "+44 20 7946 0000",
        "nickname": "Quilla Lindqvist",
        "context": [
            {
                "system": "Salesforce",
                "objects": [
                    {
                        "objectType": "Contact",
                        "objectId": "003M",
                        "fields": [
                            {"name": "Email", "value": "quilla.lindqvist@elsewhere.example"},
                            {"name": "MOBILEPHONE", "value": "+44 (20) 7946-0000"},
                            {"name": "Name", "value": "Quilla Lindqvist"},
                            {"name": "Backup__c", "value": "m.l@alt.example"},
                            {"name": "Title", "value": "Buyer"},
                        ],
                    }
                ],
            }
        ],
    }
    comment = {
        "id": "770002",
        "comment": "Good.",
        "commenterName": "Quilla Lindqvist",
        "posted": "2026-01-01T00:00:00Z",
    }
    gong.replace_call(
        record["metaData"]["id"],
        {
            **record,
            "metaData": {**record["metaData"], "organizerEmail": "quilla.lindqvist@elsewhere.example"},
            "parties": [*record["parties"], party],
            "collaboration": {"publicComments": [comment]},
            "attendees": [{"name": "Quilla Lindqvist", "seat": 3}],
        },
    )
    user = gong.company.users[0]
    user["settings"] = {**user["settings"], "backupEmail": "quilla.lindqvist@elsewhere.example"}

    def name_the_speaker(page: Json) -> None:
        for transcript in page["callTranscripts"]:
            for monologue in transcript["transcript"]:
                monologue["speakerName"] = "Quilla Lindqvist"

    gong.faults.append(Fault(rewrite(name_the_speaker), path="/v2/calls/transcript"))


def test_pseudonyms_join_parties_users_and_crm_fields(gong: SimulatedGong, workspace: Workspace) -> None:
    """The same value has the same pseudonym in every table."""
    first, *_ = public_calls(gong)
    _add_unknown_personal_fields(gong, first.record)
    enable_pseudonyms(workspace)

    workspace.sync()
    internal = [
        (call.record["metaData"]["id"], party["userId"])
        for call in public_calls(gong)
        for party in call.record["parties"]
        if party.get("userId") and party["id"] != "770001"
    ]
    assert internal
    assert workspace.rows(
        "SELECT p.call_id, u.id FROM call_parties p JOIN users u USING (email_address)"
        " WHERE p.id != '770001' ORDER BY ALL"
    ) == sorted(internal)

    join = "SELECT count(*) FROM call_parties p JOIN call_crm_fields f ON f.call_id = p.call_id AND f.party_id = p.id"
    assert workspace.rows(f"{join} WHERE f.name = 'Email' AND (f.value ->> '$') != p.email_address") == [(0,)]

    quilla = f"{join} WHERE p.id = '770001'"
    assert workspace.rows(f"{quilla} AND f.name = 'Email' AND (f.value ->> '$') = p.email_address") == [(1,)]
    assert workspace.rows(f"{quilla} AND f.name = 'MOBILEPHONE' AND (f.value ->> '$') = p.phone_number") == [(1,)]
    assert workspace.rows(f"{quilla} AND f.name = 'Name' AND (f.value ->> '$') = p.name") == [(1,)]
    assert workspace.rows("SELECT email_address, phone_number FROM call_parties WHERE id = '770001'") == [
        (hash_text("quilla.lindqvist@elsewhere.example"), hash_text("+442079460000"))
    ]


def test_names_of_things_stay_readable(gong: SimulatedGong, workspace: Workspace) -> None:
    """Topics, trackers, folders and the like are not pseudonymised."""
    workspace.sync()
    names_of_things = " UNION ALL ".join(
        f"SELECT {column}::VARCHAR FROM {table}"
        for table, column in (
            *((table, "name") for table in ("call_topics", "call_trackers", "call_structure", "call_crm_fields")),
            *((table, "name") for table in ("workspaces", "library_folders", "call_interaction_stats", "call_video")),
            *(("calls", "call_outcome_name"), ("call_parties", "title"), ("users", "title")),
            ("users", "conferencing_providers"),
            ("(FROM call_crm_fields WHERE object_type NOT IN ('Contact', 'Lead', 'User'))", "value"),
        )
    )
    clear = workspace.rows(f"SELECT * FROM ({names_of_things}) ORDER BY ALL")
    (workspace.folder / "warehouse.duckdb").unlink()
    enable_pseudonyms(workspace)
    workspace.sync()
    assert workspace.rows(f"SELECT * FROM ({names_of_things}) ORDER BY ALL") == clear


def test_other_crm_fields_are_hashed_as_configured(gong: SimulatedGong, workspace: Workspace) -> None:
    """`pii_crm_fields` adds fields, regardless of case."""
    enable_pseudonyms(workspace)
    workspace.configure(pii_crm_fields=["account.name", "STAGENAME"])
    workspace.sync()
    readable = (
        "SELECT DISTINCT object_type || '.' || name FROM call_crm_fields"
        " WHERE NOT regexp_full_match((value ->> '$'), '[0-9a-f]{64}') ORDER BY ALL"
    )
    names = {name for (name,) in workspace.rows(readable)}
    assert "Opportunity.Name" in names
    assert not names & {"Account.Name", "Opportunity.StageName"}


@pytest.mark.slow
def test_changed_pii_settings_rewrite_the_rows_read_again(gong: SimulatedGong, workspace: Workspace) -> None:
    """After a switch, a sync replaces clear values, old pseudonyms, and the reverse."""
    workspace.sync()
    enable_pseudonyms(workspace)
    summary = workspace.sync(*SINCE)
    assert summary["calls"] == len(public_calls(gong))
    assert find_columns_with(workspace, personal_values(gong)) == set()
    assert workspace.sync(*SINCE)["resources"]["calls"]["rows"] == 0
    assert workspace.sync(*SINCE)["resources"]["users"]["rows"] == 0

    before = set(workspace.rows("SELECT email_address FROM users"))
    enable_pseudonyms(workspace, "another key of another user")
    assert workspace.sync(*SINCE)["calls"] == len(public_calls(gong))
    assert not before & set(workspace.rows("SELECT email_address FROM users"))

    workspace.configure(pii="keep")
    workspace.sync(*SINCE, "--allow-clear-text")
    assert {email for (email,) in workspace.rows("SELECT email_address FROM users")} == {
        user["emailAddress"] for user in gong.company.users
    }


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"pii": "hash"}, 'pii = "hash" needs the secret pii_key'),
        ({"pii": "hash", "pii_key": ""}, 'pii = "hash" needs the secret pii_key'),
        ({"pii": "hash", "pii_key": "kurzes-gehüüm"}, "must have at least 16 random characters"),
        ({"pii": "scramble", "pii_key": KEY}, "pii 'scramble' is invalid: use one of keep, hash"),
        ({"pii": "hash", "pii_key": KEY, "pii_crm_fields": [""]}, "pii_crm_fields: invalid field ''"),
    ],
)
def test_an_invalid_setting_is_one_line_without_the_key(
    gong: SimulatedGong, workspace: Workspace, settings: dict[str, Any], message: str
) -> None:
    """A usage error never prints `pii_key`."""
    workspace.configure(**settings)
    result = workspace.run("sync")
    assert (result.code, result.err.count("\n"), result.out) == (2, 1, "")
    assert message in result.err
    assert (settings.get("pii_key") or KEY) not in result.err
    assert gong.requests == []


def test_the_key_is_not_read_from_the_config_file(gong: SimulatedGong, workspace: Workspace) -> None:
    """A secret in config.toml is reported as an error, without its value."""
    (workspace.folder / ".dlt").mkdir()
    (workspace.folder / ".dlt" / "config.toml").write_text(f'[sources.gong]\npii = "hash"\npii_key = "{KEY}"\n')
    result = workspace.run("sync")
    assert (result.code, result.err.count("\n")) == (2, 1)
    assert KEY not in result.err


def _replace_parties(change: Callable[[list[Json]], Any]) -> Callable[[Json], None]:
    def replace(call: Json) -> None:
        call["parties"] = change(call["parties"])

    return replace


def _set(field: str, value: Any) -> Callable[[Json], None]:
    return lambda call: call.update({field: value})


MALFORMED: dict[str, Callable[[Json], None]] = {
    "parties by e-mail": _replace_parties(lambda parties: {p["emailAddress"]: p for p in parties}),
    "parties as text": _replace_parties(json.dumps),
    "a party as text": _replace_parties(
        lambda parties: [*parties, f"{parties[0].get('name')} {parties[0]['emailAddress']}"]
    ),
    "a party in a list": _replace_parties(lambda parties: [*parties, [parties[0]]]),
    "context as an object": _set("context", {"Contact": {"Email": "quilla@elsewhere.example"}}),
    "comments as text": _set("collaboration", {"publicComments": "quilla@elsewhere.example: fine"}),
    "collaboration as text": _set("collaboration", "quilla@elsewhere.example: fine"),
    "speakers as text": _set("interaction", {"speakers": ["quilla@elsewhere.example"]}),
    "content by e-mail": _set("content", {"trackers": {"quilla@elsewhere.example": "Quilla"}}),
    "no id": lambda call: call["metaData"].update(id=None),
    "an id that is a person": lambda call: call["metaData"].update(id={"email": "quilla@elsewhere.example"}),
    "meta data as text": _set("metaData", "quilla@elsewhere.example"),
}


def test_rejected_records_contain_no_personal_value(gong: SimulatedGong, workspace: Workspace) -> None:
    """Malformed records are pseudonymised before they are stored in `_rejected`, however they are malformed."""
    gong.faults.append(_malformed(gong, *MALFORMED.values()))
    enable_pseudonyms(workspace)
    workspace.configure(private_calls="include")

    summary = workspace.sync("--select", "calls")
    assert summary["rejected"] == len(MALFORMED)

    records = workspace.rows("SELECT record FROM _rejected")
    assert len(records) == len(MALFORMED)
    assert [record for (record,) in records if not PSEUDONYM.search(record)] == []
    assert find_in_rejected(workspace, personal_values(gong) | {"quilla"}) == set()


def find_in_rejected(workspace: Workspace, people: set[str]) -> set[str]:
    """Return the columns of `_rejected` that contain a personal value."""
    rows = workspace.rows("SELECT lower(resource), lower(id), lower(reason), lower(record::VARCHAR) FROM _rejected")
    assert rows
    return {
        column
        for row in rows
        for column, text in zip(("resource", "id", "reason", "record"), row, strict=True)
        if text and any(person in text for person in people)
    }


def _malformed(gong: SimulatedGong, *malformations: Callable[[Json], None], private: bool = False) -> Fault:
    """Return a fault that malforms calls of the first page, each in another way."""
    call_ids = {call.id for call in gong.list_calls() if call.record["metaData"]["isPrivate"] is private}

    def change(page: Json) -> None:
        calls = (call for call in page["calls"] if call["metaData"]["id"] in call_ids)
        for malform in malformations:
            malform(next(calls))

    return Fault(rewrite(change), path="/v2/calls/extensive", count=1)


@pytest.mark.parametrize("pii", ["keep", "hash"])
@pytest.mark.parametrize("private_calls", ["exclude", "metadata", "include"])
def test_rejected_private_records_are_stored_only_if_private_calls_are(
    gong: SimulatedGong, workspace: Workspace, private_calls: str, pii: str
) -> None:
    """Otherwise, `_rejected` has the reason but not the record."""
    gong.faults.append(_malformed(gong, MALFORMED["no id"], private=True))
    workspace.configure(private_calls=private_calls, pii=pii, pii_key=KEY)
    assert workspace.sync("--select", "calls")["rejected"] == 1
    ((record, reason),) = workspace.rows("SELECT record, reason FROM _rejected")
    assert (record is None) == (private_calls != "include")
    assert "id" in reason


def test_a_rejected_call_that_turns_private_is_removed(gong: SimulatedGong, workspace: Workspace) -> None:
    """`_rejected` must not keep the content of a private call."""
    gong.faults.append(_malformed(gong, MALFORMED["parties as text"]))
    assert workspace.sync("--select", "calls")["rejected"] == 1
    ((call_id,),) = workspace.rows("SELECT id FROM _rejected WHERE record IS NOT NULL")
    gong.edit_call(call_id, isPrivate=True)
    workspace.sync("--select", "calls", *SINCE)
    assert workspace.count("_rejected") == 0


def test_the_source_alone_pseudonymises(gong: SimulatedGong, workspace: Workspace, tmp_path: Path) -> None:
    """`gong_source` in another dlt project applies the same settings."""
    arguments: dict[str, Any] = {
        "credentials": GongApiKey(access_key="demo", access_key_secret="demo-secret"),
        "base_url": workspace.settings["SOURCES__GONG__BASE_URL"],
        "requests_per_second": 1000,
        "pii": "hash",
    }
    with pytest.raises(ConfigurationError, match="pii_key"):
        gong_source(**arguments)
    pipeline = dlt.pipeline(
        "alone",
        destination=dlt.destinations.duckdb(str(tmp_path / "warehouse.duckdb")),
        dataset_name="gong",
        pipelines_dir=str(tmp_path / "pipelines"),
    )
    pipeline.run(gong_source(**arguments, pii_key=KEY))
    assert find_columns_with(workspace, personal_values(gong)) == set()
    emails = {email for (email,) in workspace.rows("SELECT email_address FROM users")}
    assert emails == {hash_text(user["emailAddress"]) for user in gong.company.users}
