"""`pii = "hash"`: nobody's e-mail, phone or name in clear in any column of any table, and people still join."""

from __future__ import annotations

import hmac
import json
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dlt
import duckdb
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.demo.server.app import SimulatedGong
from pipelines.demo.server.faults import Fault, rewrite
from sources.gong import ConfigurationError, GongApiKey, gong_source
from sources.gong.resources import PERSONAL_FIELDS
from sources.gong.tables.pseudonyms import Pseudonymizer, infer_pii_kind, normalise
from tests.support.companies import personal_values, public_calls
from tests.support.gong_api import Json
from tests.support.paths import REPOSITORY
from tests.support.workspace import Workspace, days_ago

KEY = "a key that nobody would guess"
PSEUDONYM = re.compile(r"[0-9a-f]{64}")
SINCE = ("--since", days_ago(60))
DOCUMENT = REPOSITORY / "docs" / "privacy.md"

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


def hashed(text: str, key: str = KEY) -> str:
    """Return the pseudonym of a normalised text."""
    return hmac.new(key.encode(), text.encode(), "sha256").hexdigest()


def columns_with(workspace: Workspace, people: set[str]) -> set[tuple[str, str]]:
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


def pseudonymised(workspace: Workspace, key: str = KEY) -> None:
    workspace.configure(pii="hash", pii_key=key)


def test_nobody_is_found_in_any_column_but_free_text(gong: SimulatedGong, workspace: Workspace) -> None:
    first, *_ = public_calls(gong)
    _add_what_gong_may_add(gong, first.record)
    people = personal_values(gong) | {
        "quilla.lindqvist@elsewhere.example",
        "quilla lindqvist",
        "+44 20 7946 0000",
        "m.l@alt.example",
    }
    workspace.sync()
    clear = columns_with(workspace, people)
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
    pseudonymised(workspace)
    workspace.sync()
    assert columns_with(workspace, people) == set()
    for table, column in clear - {("call_crm_fields", "value")}:
        kind = "" if column not in ("email_aliases", "personal_meeting_urls") else "[0]"
        values = workspace.rows(
            f"""SELECT DISTINCT "{column}" FROM gong.{table} WHERE "{column}" ::VARCHAR NOT IN ('', '[]')"""
        )
        assert values
        assert all(PSEUDONYM.fullmatch(json.loads(value)[0] if kind else value) for (value,) in values), (table, column)


def _add_what_gong_may_add(gong: SimulatedGong, record: Json) -> None:
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


def test_the_same_person_joins_over_parties_users_and_crm_fields(gong: SimulatedGong, workspace: Workspace) -> None:
    first, *_ = public_calls(gong)
    _add_what_gong_may_add(gong, first.record)
    pseudonymised(workspace)
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
    same = "SELECT count(*) FROM call_parties p JOIN call_crm_fields f ON f.call_id = p.call_id AND f.party_id = p.id"
    assert workspace.rows(f"{same} WHERE f.name = 'Email' AND (f.value ->> '$') != p.email_address") == [(0,)]
    quilla = f"{same} WHERE p.id = '770001'"
    assert workspace.rows(f"{quilla} AND f.name = 'Email' AND (f.value ->> '$') = p.email_address") == [(1,)]
    assert workspace.rows(f"{quilla} AND f.name = 'MOBILEPHONE' AND (f.value ->> '$') = p.phone_number") == [(1,)]
    assert workspace.rows(f"{quilla} AND f.name = 'Name' AND (f.value ->> '$') = p.name") == [(1,)]
    assert workspace.rows("SELECT email_address, phone_number FROM call_parties WHERE id = '770001'") == [
        (hashed("quilla.lindqvist@elsewhere.example"), hashed("+442079460000"))
    ]


def test_what_is_nobodys_name_stays_readable(gong: SimulatedGong, workspace: Workspace) -> None:
    workspace.sync()
    unlike_people = " UNION ALL ".join(
        f"SELECT {column}::VARCHAR FROM {table}"
        for table, column in (
            *((table, "name") for table in ("call_topics", "call_trackers", "call_structure", "call_crm_fields")),
            *((table, "name") for table in ("workspaces", "library_folders", "call_interaction_stats", "call_video")),
            *(("calls", "call_outcome_name"), ("call_parties", "title"), ("users", "title")),
            ("users", "conferencing_providers"),
            ("(FROM call_crm_fields WHERE object_type NOT IN ('Contact', 'Lead', 'User'))", "value"),
        )
    )
    clear = workspace.rows(f"SELECT * FROM ({unlike_people}) ORDER BY ALL")
    (workspace.folder / "warehouse.duckdb").unlink()
    pseudonymised(workspace)
    workspace.sync()
    assert workspace.rows(f"SELECT * FROM ({unlike_people}) ORDER BY ALL") == clear


def test_other_crm_fields_are_hashed_as_configured(gong: SimulatedGong, workspace: Workspace) -> None:
    pseudonymised(workspace)
    workspace.configure(pii_crm_fields=["account.name", "STAGENAME"])
    workspace.sync()
    readable = (
        "SELECT DISTINCT object_type || '.' || name FROM call_crm_fields"
        " WHERE NOT regexp_full_match((value ->> '$'), '[0-9a-f]{64}') ORDER BY ALL"
    )
    names = {name for (name,) in workspace.rows(readable)}
    assert "Opportunity.Name" in names
    assert not names & {"Account.Name", "Opportunity.StageName"}


def test_switching_to_hash_or_to_another_key_rewrites_what_is_read_again(
    gong: SimulatedGong, workspace: Workspace
) -> None:
    workspace.sync()
    pseudonymised(workspace)
    summary = workspace.sync(*SINCE)
    assert summary["calls"] == len(public_calls(gong))
    assert columns_with(workspace, personal_values(gong)) == set()
    assert workspace.sync(*SINCE)["resources"]["calls"]["rows"] == 0
    assert workspace.sync(*SINCE)["resources"]["users"]["rows"] == 0
    before = set(workspace.rows("SELECT email_address FROM users"))
    pseudonymised(workspace, "another key of somebody else")
    assert workspace.sync(*SINCE)["calls"] == len(public_calls(gong))
    assert not before & set(workspace.rows("SELECT email_address FROM users"))
    workspace.configure(pii="keep")
    workspace.sync(*SINCE)
    assert {email for (email,) in workspace.rows("SELECT email_address FROM users")} == {
        user["emailAddress"] for user in gong.company.users
    }


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"pii": "hash"}, 'pii = "hash" needs the secret pii_key'),
        ({"pii": "hash", "pii_key": ""}, 'pii = "hash" needs the secret pii_key'),
        ({"pii": "hash", "pii_key": "kurzes-gehüüm"}, "must have at least 16 random characters"),
        ({"pii": "scramble", "pii_key": KEY}, "pii 'scramble' is invalid: use one of keep, hash"),
        ({"pii": "hash", "pii_key": KEY, "pii_crm_fields": [""]}, "pii_crm_fields: invalid field ''"),
    ],
)
def test_a_wrong_setting_is_one_line_and_never_says_the_key(
    gong: SimulatedGong, workspace: Workspace, settings: dict[str, Any], said: str
) -> None:
    workspace.configure(**settings)
    ended = workspace.run("sync")
    assert (ended.code, ended.err.count("\n"), ended.out) == (2, 1, "")
    assert said in ended.err
    assert (settings.get("pii_key") or KEY) not in ended.err
    assert gong.requests == []


def test_the_key_is_not_taken_from_a_file_for_plain_settings(gong: SimulatedGong, workspace: Workspace) -> None:
    """Dlt refuses a secret in config.toml; it has to be told as a mistake, without the secret."""
    (workspace.folder / ".dlt").mkdir()
    (workspace.folder / ".dlt" / "config.toml").write_text(f'[sources.gong]\npii = "hash"\npii_key = "{KEY}"\n')
    ended = workspace.run("sync")
    assert (ended.code, ended.err.count("\n")) == (2, 1)
    assert KEY not in ended.err


def _parties_as(change: Callable[[list[Json]], Any]) -> Callable[[Json], None]:
    def changed(call: Json) -> None:
        call["parties"] = change(call["parties"])

    return changed


def _set(field: str, value: Any) -> Callable[[Json], None]:
    return lambda call: call.update({field: value})


MALFORMED: dict[str, Callable[[Json], None]] = {
    "parties by e-mail": _parties_as(lambda parties: {p["emailAddress"]: p for p in parties}),
    "parties as text": _parties_as(json.dumps),
    "a party as text": _parties_as(
        lambda parties: [*parties, f"{parties[0].get('name')} {parties[0]['emailAddress']}"]
    ),
    "a party in a list": _parties_as(lambda parties: [*parties, [parties[0]]]),
    "context as an object": _set("context", {"Contact": {"Email": "quilla@elsewhere.example"}}),
    "comments as text": _set("collaboration", {"publicComments": "quilla@elsewhere.example: fine"}),
    "collaboration as text": _set("collaboration", "quilla@elsewhere.example: fine"),
    "speakers as text": _set("interaction", {"speakers": ["quilla@elsewhere.example"]}),
    "content by e-mail": _set("content", {"trackers": {"quilla@elsewhere.example": "Quilla"}}),
    "no id": lambda call: call["metaData"].update(id=None),
    "an id that is a person": lambda call: call["metaData"].update(id={"email": "quilla@elsewhere.example"}),
    "meta data as text": _set("metaData", "quilla@elsewhere.example"),
}


@pytest.mark.parametrize("malform", MALFORMED.values(), ids=MALFORMED.keys())
def test_a_record_that_fits_no_table_is_rejected_without_anybody_in_clear(
    gong: SimulatedGong, workspace: Workspace, malform: Callable[[Json], None]
) -> None:
    gong.faults.append(_malformed(gong, malform))
    pseudonymised(workspace)
    workspace.configure(private_calls="include")
    summary = workspace.sync("--select", "calls")
    assert summary["rejected"] == 1
    ((record,),) = workspace.rows("SELECT record FROM _rejected")
    assert PSEUDONYM.search(record)
    assert found_in_rejected(workspace, personal_values(gong) | {"quilla"}) == set()


def found_in_rejected(workspace: Workspace, people: set[str]) -> set[str]:
    """Return the columns of `_rejected` that contain a personal value."""
    rows = workspace.rows("SELECT lower(resource), lower(id), lower(reason), lower(record::VARCHAR) FROM _rejected")
    assert rows
    return {
        column
        for row in rows
        for column, text in zip(("resource", "id", "reason", "record"), row, strict=True)
        if text and any(person in text for person in people)
    }


def _malformed(gong: SimulatedGong, malform: Callable[[Json], None], *, private: bool = False) -> Fault:
    """One call of the first page comes malformed."""
    wanted = {call.id for call in gong.list_calls() if call.record["metaData"]["isPrivate"] is private}

    def change(page: Json) -> None:
        malform(next(call for call in page["calls"] if call["metaData"]["id"] in wanted))

    return Fault(rewrite(change), path="/v2/calls/extensive", count=1)


@pytest.mark.parametrize("pii", ["keep", "hash"])
@pytest.mark.parametrize("private_calls", ["exclude", "metadata", "include"])
def test_a_private_calls_malformed_record_is_kept_only_where_private_calls_are(
    gong: SimulatedGong, workspace: Workspace, private_calls: str, pii: str
) -> None:
    gong.faults.append(_malformed(gong, MALFORMED["no id"], private=True))
    workspace.configure(private_calls=private_calls, pii=pii, pii_key=KEY)
    assert workspace.sync("--select", "calls")["rejected"] == 1
    ((record, reason),) = workspace.rows("SELECT record, reason FROM _rejected")
    assert (record is None) == (private_calls != "include")
    assert "id" in reason


def test_a_rejected_call_that_turns_private_is_taken_out_of_rejected(gong: SimulatedGong, workspace: Workspace) -> None:
    gong.faults.append(_malformed(gong, MALFORMED["parties as text"]))
    assert workspace.sync("--select", "calls")["rejected"] == 1
    ((call_id,),) = workspace.rows("SELECT id FROM _rejected WHERE record IS NOT NULL")
    gong.edit_call(call_id, isPrivate=True)
    workspace.sync("--select", "calls", *SINCE)
    assert workspace.count("_rejected") == 0


@pytest.mark.parametrize("said", [True, "true", "True", 1, "yes"])
def test_a_call_that_says_it_is_private_in_any_way_is_private(
    gong: SimulatedGong, workspace: Workspace, said: object
) -> None:
    call, *_ = public_calls(gong)
    gong.edit_call(call.id, isPrivate=said)
    workspace.sync("--select", "calls")
    assert workspace.rows("SELECT count(*) FROM calls WHERE id = ?", [call.id]) == [(0,)]


def test_the_source_alone_hashes_too(gong: SimulatedGong, workspace: Workspace, tmp_path: Path) -> None:
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
    assert columns_with(workspace, personal_values(gong)) == set()
    emails = {email for (email,) in workspace.rows("SELECT email_address FROM users")}
    assert emails == {hashed(user["emailAddress"]) for user in gong.company.users}


LETTERS = st.text(st.characters(codec="ascii", categories=("Lu", "Ll", "Nd")), min_size=1)
SPACES = st.text(" \t\u00a0", max_size=3)


@given(LETTERS, LETTERS, SPACES, SPACES)
def test_an_e_mail_is_the_same_whatever_its_case_and_margins(user: str, host: str, left: str, right: str) -> None:
    email = f"{user}@{host}.example"
    assert normalise(f"{left}{email.upper()}{right}", "email") == email.lower()


@given(st.text("0123456789", min_size=1), st.text(" ()-./", min_size=1, max_size=3), st.booleans())
def test_a_phone_is_its_digits_and_its_leading_plus(digits: str, between: str, plus: bool) -> None:
    written = ("+" if plus else "") + between.join(digits)
    assert normalise(f" {written} ", "phone") == ("+" if plus else "") + digits
    assert normalise(f"({written})", "phone") == ("+" if plus else "") + digits


@given(st.lists(LETTERS, min_size=1), st.text(" \t\n", min_size=1, max_size=3))
def test_a_name_is_the_same_whatever_its_case_and_spaces(words: list[str], between: str) -> None:
    assert normalise(between.join(words).upper(), "name") == " ".join(words).lower()


@given(st.text(), st.sampled_from(["email", "phone", "name", "link"]))
def test_normalising_twice_changes_nothing(text: str, kind: Any) -> None:
    once = normalise(text, kind)
    assert normalise(once, kind) == once


@given(st.text(st.characters(codec="utf-8")), st.text(st.characters(codec="utf-8"), min_size=16))
def test_a_pseudonym_is_hmac_sha_256_and_of_another_key_another(name: str, key: str) -> None:
    text = normalise(name, "name")
    assert Pseudonymizer(key, {}).pseudonym(name, "name") == (hashed(text, key) if text else "")
    if text:
        assert Pseudonymizer(key, {}).pseudonym(name, "name") != Pseudonymizer(key + "x", {}).pseudonym(name, "name")


def test_null_stays_null_empty_stays_empty_and_lists_are_hashed_entry_by_entry() -> None:
    of = Pseudonymizer(KEY, PERSONAL_FIELDS).pseudonym
    empty: list[Any] = [None, "", [], {}]
    assert [of(value, "email") for value in empty] == empty
    assert of("  ", "email") == ""
    assert of(["A@b.example", None, ""], "email") == [hashed("a@b.example"), None, ""]
    assert of(14155550100, "phone") == hashed("14155550100")
    assert of({"b": 1, "a": "x"}, "name") == hashed('{"a":"x","b":1}')


@pytest.mark.parametrize(
    ("field", "of_person", "kind"),
    [
        ("backupEmail", False, "email"),
        ("e-mail", False, "email"),
        ("voicemailUrl", False, None),
        ("workPhone", False, "phone"),
        ("mobile", True, "phone"),
        ("telephonySystem", False, None),
        ("name", True, "name"),
        ("name", False, None),
        ("displayName", True, "name"),
        ("displayName", False, None),
        ("trackerName", False, None),
        ("workspaceName", False, None),
        ("ownerName", False, "name"),
        ("surname", False, "name"),
        ("host", False, "person"),
        ("attendees", False, "person"),
        ("speakerId", True, None),
        ("primaryUserId", False, None),
    ],
)
def test_a_new_field_is_judged_by_its_name(field: str, of_person: bool, kind: str | None) -> None:
    assert infer_pii_kind(field, of_person=of_person) == kind


SECRETS = ("Planted Person", "planted@person.example", "+49 30 90182")
_PERSON = {"emailAddress": SECRETS[1], "name": SECRETS[0], "phoneNumber": SECRETS[2]}
_people = st.recursive(st.just(_PERSON) | st.sampled_from(SECRETS), lambda inner: st.lists(inner, max_size=3))
_anything = st.recursive(
    _people, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["host", SECRETS[1]]), inner)
)


@given(_people, _anything, st.sampled_from(["parties", "context", "collaboration", "interaction", "metaData"]))
def test_however_people_are_arranged_nothing_of_them_is_left(people: Any, anything: Any, block: str) -> None:
    inside = {"interaction": "speakers", "collaboration": "publicComments"}
    misfit = {inside[block]: [anything]} if block in inside else str(anything)
    record = {
        block: misfit,
        "host": people,
        "attendees": people,
        "more": {"emails": anything, "ownerNames": anything, "by": {SECRETS[1]: 3}},
    }
    shown = msgspec.json.encode(Pseudonymizer(KEY, PERSONAL_FIELDS).apply("calls", record)).decode()
    assert not [secret for secret in SECRETS if secret in shown]


def _blocks(language: str) -> Iterator[str]:
    yield from re.findall(rf"```{language}\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)


def test_the_documents_sql_gives_the_same() -> None:
    (sql,) = _blocks("sql")
    with duckdb.connect() as anywhere:
        anywhere.execute(sql)
        ask = "SELECT pseudonym(email_form(?), $key), pseudonym(phone_form(?), $key), pseudonym(name_form(?), $key)"
        given_as = [" Ana.Bell@Acme.example", "+1 (415) 555-0100", " Zoë  Bell "]
        for value in given_as:
            ask = ask.replace("?", "'" + value + "'", 1)
        assert anywhere.execute(ask, {"key": KEY}).fetchone() == (
            hashed("ana.bell@acme.example"),
            hashed("+14155550100"),
            hashed("zoë bell"),
        )


def test_the_documents_shell_line_gives_the_same() -> None:
    (line,) = _blocks("sh")
    done = subprocess.run(
        ["bash", "-c", line], capture_output=True, text=True, check=True, env={"PII_KEY": KEY, "PATH": "/usr/bin:/bin"}
    )
    assert done.stdout.split()[-1] == hashed("ana.bell@acme.example")
