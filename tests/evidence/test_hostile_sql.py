"""Statements that try to read more than the marts, or to do more than read, are refused and change nothing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gong_elt import Evidence, Policy, UsageError
from pipelines.evidence.access import session
from tests.support.workspace import Workspace

HOSTILE = {
    "file-function": "SELECT * FROM read_csv('/etc/passwd')",
    "file-text": "SELECT content FROM read_text('/etc/passwd')",
    "file-as-table": "SELECT * FROM '/etc/passwd'",
    "file-quoted-table": 'SELECT * FROM "/etc/passwd"',
    "files": "SELECT * FROM glob('/etc/*')",
    "postgres-file": "SELECT pg_read_file('/etc/passwd')",
    "postgres-folder": "SELECT * FROM pg_ls_dir('.')",
    "large-object": "SELECT lo_import('/etc/passwd')",
    "program": "COPY calls_enriched TO PROGRAM 'cat'",
    "copy": "COPY calls_enriched TO '/tmp/calls.csv'",
    "attach": "ATTACH '/tmp/other.duckdb' AS other",
    "install": "INSTALL httpfs",
    "load": "LOAD httpfs",
    "setting": "SET enable_external_access = true",
    "pragma": "PRAGMA database_list",
    "read-setting": "SELECT current_setting('data_directory')",
    "environment": "SELECT getenv('HOME')",
    "user": "SELECT current_user",
    "session-user": "SELECT session_user",
    "secrets": "SELECT * FROM duckdb_secrets()",
    "settings": "SELECT * FROM duckdb_settings",
    "passwords": "SELECT * FROM pg_shadow",
    "catalog": "SELECT * FROM pg_catalog.pg_class",
    "schema": "SELECT * FROM information_schema.tables",
    "loaded-tables": "SELECT * FROM gong.calls",
    "staging-models": "SELECT * FROM gong_analytics_staging.stg_calls",
    "origin": "SELECT * FROM gong_analytics._marts",
    "runs": "SELECT * FROM gong._gong_elt_runs",
    "other-catalog": "SELECT * FROM other.gong_analytics.calls_enriched",
    "insert": "INSERT INTO accounts SELECT * FROM accounts",
    "update": "UPDATE accounts SET account_name = 'x'",
    "delete": "DELETE FROM accounts",
    "delete-in-with": "WITH gone AS (DELETE FROM gong_analytics.accounts RETURNING *) SELECT * FROM gone",
    "drop": "DROP TABLE accounts",
    "create": "CREATE TABLE x AS SELECT * FROM accounts",
    "into": "SELECT * INTO x FROM accounts",
    "lock": "SELECT * FROM accounts FOR UPDATE",
    "two-statements": "SELECT 1; DROP TABLE accounts",
    "comment-trick": "SELECT 1 /* */; DELETE FROM accounts --",
    "call": "CALL pragma_version()",
    "explain": "EXPLAIN ANALYZE DELETE FROM accounts",
    "execute": "EXECUTE x",
    "prepare": "PREPARE x AS SELECT 1",
    "do": "DO $$ BEGIN DELETE FROM accounts; END $$",
    "sleep": "SELECT pg_sleep(60)",
    "lock-function": "SELECT pg_advisory_lock(1)",
    "end-of-backend": "SELECT pg_terminate_backend(1)",
    "query-in-text": "SELECT query_to_xml('SELECT * FROM gong.calls', true, true, '')",
    "table-in-text": "SELECT table_to_xml('gong.calls'::regclass, true, true, '')",
    "query-function": "SELECT * FROM query('SELECT * FROM gong.calls')",
    "query-table-function": "SELECT * FROM query_table('gong.calls')",
    "regclass": "SELECT 'pg_shadow'::regclass",
    "remote": "SELECT * FROM dblink('host=127.0.0.1', 'SELECT 1') AS t(x int)",
    "sequence": "SELECT nextval('x')",
    "set-config": "SELECT set_config('search_path', 'gong', false)",
    "shadow-mart": "WITH accounts AS (SELECT 1) SELECT * FROM accounts",
    "cte-out-of-scope": "SELECT * FROM (WITH pg_shadow AS (SELECT 1) SELECT * FROM pg_shadow) AS x, pg_shadow",
    "cte-of-later-sibling": "WITH a AS (SELECT * FROM pg_shadow), pg_shadow AS (SELECT 1) SELECT * FROM a",
    "inner-table": "SELECT _limited_calls_enriched FROM _limited_calls_enriched",
    "function-with-schema": "SELECT pg_catalog.pg_read_file('/etc/passwd')",
    "recursion": "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT count(*) FROM t",
    "limit-as-query": "SELECT 1 LIMIT (SELECT count(*) FROM gong.calls)",
    "unparsable": "SELEC 1 FRM x",
    "empty": "  ",
    "values": "VALUES (1)",
    "placeholder": "SELECT * FROM accounts WHERE account_id = $1",
    "nested": "SELECT " + "(" * 3_000 + "1" + ")" * 3_000,
    "long": "SELECT '" + "x" * 30_000 + "'",
}
"""Statements by what they try."""

ALLOWED = {
    "cte": "WITH busy AS (SELECT account_id, count(*) AS calls FROM calls_enriched GROUP BY account_id) "
    "SELECT accounts.account_name, busy.calls FROM busy JOIN accounts ON accounts.account_id = busy.account_id",
    "subquery": "SELECT account_name FROM gong_analytics.accounts"
    " WHERE account_id IN (SELECT account_id FROM account_calls)",
    "window": "SELECT host_name, row_number() OVER (PARTITION BY host_name ORDER BY started) AS place"
    " FROM calls_enriched",
    "union": "SELECT account_name FROM accounts UNION SELECT opportunity_name FROM deal_activity",
    "lateral-names": "SELECT c.call_id, calls_enriched.call_id FROM calls_enriched AS c"
    " JOIN calls_enriched ON calls_enriched.call_id = c.call_id",
    "dates": "SELECT date_trunc('month', started) AS month, count(*) FROM calls_enriched GROUP BY 1 ORDER BY 1",
    "texts": "SELECT upper(account_name), length(account_name), replace(account_name, '%', '%%') FROM accounts"
    " WHERE account_name LIKE '%a%'",
    "case": "SELECT sum(CASE WHEN is_external THEN 1 ELSE 0 END), coalesce(max(title), '-') FROM calls_enriched",
    "fetch": "SELECT account_name FROM accounts ORDER BY account_name LIMIT 3 OFFSET 1",
    "percentile": "SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY duration_seconds) FROM calls_enriched",
}
"""Statements that an analyst writes."""


@pytest.fixture(scope="module", autouse=True)
def unchanged_marts(place: Workspace) -> Iterator[None]:
    """Assert that no statement has changed the marts, or created a table."""
    sql = (
        "SELECT (SELECT count(*) FROM gong_analytics.accounts), (SELECT count(*) FROM gong_analytics.calls_enriched),"
        " (SELECT count(*) FROM information_schema.tables WHERE table_schema LIKE 'gong%')"
    )
    before = place.rows(sql)
    yield
    assert place.rows(sql) == before


@pytest.mark.parametrize("attempt", HOSTILE)
def test_hostile_statement_is_refused(
    evidence: Evidence, attempt: str, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """Each attempt gets one line that neither quotes the statement at length nor names tables; nothing is printed."""
    with pytest.raises(UsageError) as raised:
        evidence.query(HOSTILE[attempt])
    message = str(raised.value)
    assert message.isprintable()
    assert len(message) < 500
    assert "Did you mean" not in message
    assert capfd.readouterr() == ("", "")
    assert caplog.records == []


@pytest.mark.parametrize("statement", ALLOWED)
def test_statement_of_an_analyst_runs(evidence: Evidence, place: Workspace, statement: str) -> None:
    """The guard lets these through: rows are those that the warehouse itself returns."""
    rows = evidence.query(ALLOWED[statement], limit=1_000)["rows"]
    sql = ALLOWED[statement].replace("gong_analytics.", "")
    place_rows = place.rows(f"SELECT count(*) FROM ({_with_dataset(sql)}) AS answer")
    assert [(len(rows),)] == place_rows


def test_long_statement_is_cancelled(evidence: Evidence, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cross join ends after the time limit, and the next question is answered."""
    monkeypatch.setattr(session, "MAX_QUERY_SECONDS", 1.0)
    tables = ", ".join(f"transcript_lines AS lines_{number}" for number in range(5))
    with pytest.raises(UsageError, match="the query took more than 1 s"):
        evidence.query(f"SELECT count(*), max(lines_4.text) FROM {tables} WHERE lines_0.text <> lines_3.text")
    assert evidence.query("SELECT count(*) FROM accounts")["rows"]


def test_policy_applies_to_every_way_to_name_a_mart(evidence: Evidence) -> None:
    """Upper case, quotes, the dataset, an alias and a subquery read the same limited rows."""
    limited = evidence.with_policy(Policy(accounts=()))
    for sql in (
        "SELECT count(*) FROM CALLS_ENRICHED",
        'SELECT count(*) FROM "calls_enriched"',
        "SELECT count(*) FROM gong_analytics.calls_enriched",
        'SELECT count(*) FROM "gong_analytics"."calls_enriched" AS x',
        "SELECT count(*) FROM (SELECT * FROM calls_enriched) AS x",
        "SELECT (SELECT count(*) FROM calls_enriched)",
        "WITH x AS (SELECT * FROM calls_enriched) SELECT count(*) FROM x",
        "SELECT count(*) FROM stages AS s LEFT JOIN calls_enriched AS c ON true WHERE c.call_id IS NOT NULL",
        "SELECT sum(n) FROM (SELECT count(*) AS n FROM calls_enriched UNION SELECT count(*) FROM accounts) AS x",
    ):
        assert limited.query(sql)["rows"] == [[0]], sql


def _with_dataset(sql: str) -> str:
    """Return a statement of `ALLOWED` with the dataset before each mart."""
    for mart in ("calls_enriched", "deal_activity", "account_calls", "accounts"):
        for word in ("FROM", "JOIN"):
            sql = sql.replace(f"{word} {mart}", f"{word} gong_analytics.{mart}")
    return sql
