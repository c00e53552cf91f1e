"""What is read only when it is named: the warehouse holds what Gong's administration and statistics hold."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest

from pipelines.demo.company.calls import Call
from pipelines.demo.identifiers import TIME_ZONE
from pipelines.demo.server.app import SimulatedGong
from sources.gong import OPT_IN_RESOURCES, table_names
from sources.gong.resources.audit import LOG_TYPES
from tests.conftest import MakeGong
from tests.support.companies import public_calls
from tests.support.workspace import Workspace, days_ago


@pytest.fixture
def short(workspace: Workspace) -> Workspace:
    """Return a workspace whose first sync starts twenty-five days ago, with the company's first calls."""
    workspace.configure(start_date=(datetime.now(UTC) - timedelta(days=25)).date().isoformat())
    return workspace


def _local_day(moment: str) -> date:
    return datetime.fromisoformat(moment).astimezone(TIME_ZONE).date()


def test_opt_in_resources_are_loaded_only_if_selected(gong: SimulatedGong, short: Workspace) -> None:
    """Every opt-in resource has rows after it was selected, and none changes in a second run."""
    assert not set(short.sync()["resources"]) & set(OPT_IN_RESOURCES)
    loaded = short.sync("--select", ",".join(OPT_IN_RESOURCES))
    assert {name: one["status"] for name, one in loaded["resources"].items()} == dict.fromkeys(
        OPT_IN_RESOURCES, "loaded"
    )
    assert not [table for name in OPT_IN_RESOURCES for table in table_names(name) if not short.count(table)]
    again = short.sync("--select", ",".join(OPT_IN_RESOURCES))
    assert {name: one["rows"] for name, one in again["resources"].items()} == dict.fromkeys(OPT_IN_RESOURCES, 0)


def test_activity_is_stored_by_the_days_of_the_company(gong: SimulatedGong, short: Workspace) -> None:
    """Days are in the company's time zone, and no request reaches beyond its today, which Gong rejects."""
    short.sync("--select", "user_activity_daily,user_interaction_stats")
    hosted: Counter[tuple[date, str]] = Counter()
    for call in gong.list_calls():
        meta = call.record["metaData"]
        hosted[_local_day(meta["started"]), meta["primaryUserId"]] += 1
    held = short.rows(
        "SELECT from_date, user_id, calls_as_host_count FROM user_activity_daily WHERE calls_as_host_count > 0"
    )
    # The day that is over in every zone is the last one.
    until = (datetime.now(UTC) - timedelta(hours=12)).date()
    assert {(day, user): count for day, user, count in held} == {
        (day, user): count for (day, user), count in hosted.items() if day < until
    }
    today = datetime.now(UTC).astimezone(TIME_ZONE).date()
    asked = [request.body["filter"]["toDate"] for request in gong.requests if request.path.startswith("/v2/stats/")]
    assert asked
    assert all(date.fromisoformat(day) <= today for day in asked)
    assert {request.status for request in gong.requests if request.path.startswith("/v2/stats/")} <= {200, 404}


def test_a_day_that_was_forgotten_and_is_empty_now_is_emptied(make_gong: MakeGong, workspace: Workspace) -> None:
    """Rows of a day whose hash was pruned are deleted once the day has no records."""
    gong = make_gong(calls=30, days=80)
    # Of days before this month no hash is kept then.
    workspace.configure(lookback="1d / 1d / 1d")
    select, since = ("--select", "user_activity_daily"), days_ago(90)
    workspace.sync(*select, "--since", since)
    workspace.sync(*select)
    assert workspace.count("user_activity_daily")
    for call in gong.list_calls():
        gong.delete_call(call.id)
    gong.company.settings.answered_scorecards.clear()
    workspace.sync(*select, "--since", since)
    assert workspace.count("user_activity_daily") == 0


def test_only_restated_days_are_written_again(gong: SimulatedGong, short: Workspace) -> None:
    """A changed day replaces its rows; unchanged days are not written."""
    short.configure(lookback="24d / 24d / 24d")
    short.sync("--select", "user_activity_daily")
    before = short.rows("SELECT from_date, user_id FROM user_activity_daily")
    # Of a day on which its host had another call: a day that is left empty is taken away, and no row is written.
    begun = [call for call in gong.list_calls() if _local_day(call.record["metaData"]["started"]) < _two_days_ago()]
    days = Counter(_host_and_day(call) for call in begun)
    victim = max(
        (call for call in begun if days[_host_and_day(call)] > 1), key=lambda call: call.record["metaData"]["started"]
    )
    gong.delete_call(victim.id)
    again = short.sync("--select", "user_activity_daily")
    assert short.rows("SELECT count(*) FROM user_activity_daily WHERE calls_as_host LIKE ?", [f"%{victim.id}%"]) == [
        (0,)
    ]
    assert 0 < again["resources"]["user_activity_daily"]["rows"] < len(before)


def _host_and_day(call: Call) -> tuple[str, date]:
    meta = call.record["metaData"]
    return meta["primaryUserId"], _local_day(meta["started"])


def _two_days_ago() -> date:
    return (datetime.now(UTC) - timedelta(days=2)).astimezone(TIME_ZONE).date()


def test_all_logs_are_read(gong: SimulatedGong, short: Workspace) -> None:
    """Each log type is requested, and its entries keep their type."""
    since = datetime.now(UTC) - timedelta(days=20)
    short.sync("--select", "audit_logs")
    wanted = Counter(
        (kind, entry["userId"])
        for kind, entries in gong.company.settings.logs.items()
        for entry in entries
        if datetime.fromisoformat(entry["eventTime"]) >= since
    )
    held = Counter(short.rows("SELECT log_type, user_id FROM audit_logs WHERE event_time >= ?", [since]))
    assert wanted
    assert held == wanted
    assert {request.query["logType"] for request in gong.requests if request.path == "/v2/logs"} == set(LOG_TYPES)


def test_revoked_access_is_deleted(gong: SimulatedGong, short: Workspace) -> None:
    """A call that Gong omits because no user has access any longer loses its rows."""
    short.sync("--select", "call_access")
    opened = {row[0] for row in short.rows("SELECT DISTINCT call_id FROM call_access")}
    # Private calls are left out here as everywhere.
    assert opened == {call.id for call in public_calls(gong) if int(call.id) % 5 == 0}
    gong.settings.revoked_access_call_ids |= opened
    short.sync("--select", "call_access", "--since", (datetime.now(UTC) - timedelta(days=25)).date().isoformat())
    assert short.count("call_access") == 0


def test_flows_of_all_owners_are_stored_once(gong: SimulatedGong, short: Workspace) -> None:
    """Company flows are in the list of each owner, and Gong sends an absent id as the text "null"."""
    short.sync("--select", "flows,flow_folders")
    ids = [row[0] for row in short.rows("SELECT id FROM flows")]
    owners = [user for user in gong.company.users if user["active"] and user["settings"]["gongConnectEnabled"]]
    assert len(ids) == len(set(ids)) == 2 + len(owners)
    assert short.rows(
        "SELECT count(*) FROM flow_folders WHERE parent_folder_id = 'null' OR created_by_id = 'null'"
    ) == [(0,)]


def test_profiles_histories_and_coaching_have_their_ids(gong: SimulatedGong, short: Workspace) -> None:
    """Rows that are read per workspace, user or manager contain its id."""
    short.sync("--select", "permission_profiles,user_settings_history,coaching_metrics")
    assert short.count("permission_profiles") == 2 * len(gong.company.workspaces)
    people = {user["id"] for user in gong.company.users}
    assert {row[0] for row in short.rows("SELECT DISTINCT user_id FROM user_settings_history")} == people
    assert {row[0] for row in short.rows("SELECT DISTINCT user_id FROM permission_profile_users")} == people
    managers = {user["managerId"] for user in gong.company.users if user["managerId"]}
    assert {row[0] for row in short.rows("SELECT DISTINCT manager_id FROM coaching_metrics")} == managers


def test_a_missing_scope_skips_only_its_resource(gong: SimulatedGong, short: Workspace) -> None:
    """The other selected resources are loaded, and the reason names the scope."""
    (header, _), *_ = gong.settings.credentials.items()
    gong.settings.credentials[header] = frozenset({"api:users:read", "api:workspaces:read", "api:flows:read"})
    loaded = short.sync("--select", "flows,audit_logs,coaching_metrics")["resources"]
    assert loaded["flows"]["status"] == "loaded"
    for name, scope in (("audit_logs", "api:logs:read"), ("coaching_metrics", "api:coaching:read")):
        assert loaded[name]["status"] == "skipped"
        assert scope in loaded[name]["reason"]


def test_pseudonyms_replace_addresses_in_opt_in_resources(gong: SimulatedGong, short: Workspace) -> None:
    """With `pii = "hash"`, no e-mail address of a user is in these tables."""
    short.configure(pii="hash", pii_key="a key for tests of sixteen")
    short.sync("--select", ",".join(name for name in OPT_IN_RESOURCES if name != "call_access"))
    emails = [user["emailAddress"] for user in gong.company.users]
    for table, column in (
        ("user_activity_daily", "user_email_address"),
        ("user_interaction_stats", "user_email_address"),
        ("audit_logs", "user_email_address"),
        ("permission_profile_users", "email_address"),
    ):
        found = {row[0] for row in short.rows(f"SELECT DISTINCT {column} FROM {table}")}
        assert found
        assert not found & set(emails), table
