"""Find accounts by id, domain, e-mail address and variants of a name."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.analytics.accounts import normalize_name, resolve_accounts
from pipelines.analytics.marts import Marts, open_marts
from pipelines.runtime.connection import Connection
from pipelines.runtime.target import Target
from tests.support.marts import export_transcripts
from tests.support.workspace import Workspace

ACCOUNTS = {
    # id: name, other names, own domains
    "001A": ("Acme, Inc.", (), ("acme.com",)),
    "001B": ("Acme Labs GmbH & Co. KG", ("Labs of Acme",), ("acme-labs.de",)),
    "001C": ("Müller S.A.", (), ()),
    "001D": ("DataDog", (), ("datadoghq.com",)),
    "newco.io": ("newco.io", (), ("newco.io",)),
}


@pytest.fixture(scope="module")
def marts(duckdb_marts: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Marts]:
    """Open marts with the accounts above; a consultant was on calls of two of them."""
    folder = tmp_path_factory.mktemp("accounts")
    (folder / "warehouse.duckdb").write_bytes((duckdb_marts.folder / "warehouse.duckdb").read_bytes())
    place = Workspace(folder)
    for mart in ("accounts", "account_domains", "account_calls", "call_participants"):
        place.execute(f"DELETE FROM gong_analytics.{mart}")
    for account_id, (name, names, domains) in ACCOUNTS.items():
        place.execute(
            "INSERT INTO gong_analytics.accounts BY NAME"
            " SELECT ? AS account_id, ? AS account_name, ? AS names, ? AS is_in_crm",
            [account_id, name, " | ".join((name, *names)), "." not in account_id],
        )
        for domain in (*domains, *(["shared.org"] if account_id in ("001A", "001C") else [])):
            place.execute(
                "INSERT INTO gong_analytics.account_domains BY NAME"
                " SELECT ? AS account_id, ? AS domain, ? AS is_own_domain, 1 AS call_count",
                [account_id, domain, domain != "shared.org"],
            )
    people = {"call1": ("001A", "ann@acme.com"), "call2": ("001D", "ann@acme.com"), "call3": ("001C", "c@gmail.com")}
    for call_id, (account_id, address) in people.items():
        place.execute(
            "INSERT INTO gong_analytics.account_calls BY NAME SELECT ? AS account_id, ? AS call_id",
            [account_id, call_id],
        )
        place.execute(
            "INSERT INTO gong_analytics.call_participants BY NAME"
            " SELECT ? AS call_id, ? AS email_address, 'customer' AS side",
            [call_id, address],
        )
    target = Target.resolve("duckdb", "gong", file=folder / "warehouse.duckdb", folder=folder)
    with open_marts(Connection("gong"), target, "gong_analytics") as opened:
        yield opened


@pytest.mark.parametrize(
    ("text", "account_ids", "matched_by"),
    [
        ("001A", ["001A"], "CRM id"),
        ("newco.io", ["newco.io"], "domain"),
        ("acme.com", ["001A"], "domain"),
        ("https://www.Acme.com/about?x=1", ["001A"], "domain"),
        # A domain of several accounts.
        ("shared.org", ["001A", "001C"], "domain"),
        # A guest on another account's call.
        ("Ann@Acme.com", ["001A"], "e-mail"),
        ("c@gmail.com", ["001C"], "e-mail"),
        ("stranger@datadoghq.com", ["001D"], "e-mail"),
        ("ACME", ["001A"], "name"),
        ("Acme Incorporated", ["001A"], "name"),
        ("acme labs", ["001B"], "name"),
        ("Labs of Acme", ["001B"], "name"),
        ("Data Dog", ["001D"], "name"),
        ("muller sa", ["001C"], "name"),
        ("labs", ["001B"], "name"),
        ("cme", ["001A", "001B"], "name"),
    ],
)
def test_a_text_finds_accounts(marts: Marts, text: str, account_ids: list[str], matched_by: str) -> None:
    """People write an account as they know it."""
    found = resolve_accounts(marts, text)
    assert sorted(found.account_ids) == account_ids
    assert {match.matched_by for match in found.matches} == {matched_by}


def test_an_unknown_text_finds_names_that_are_spelled_alike(marts: Marts) -> None:
    """A typing error leads to the account, and a strange name to nothing."""
    found = resolve_accounts(marts, "Datadgo")
    assert (found.matches, found.closest_names) == ([], ["DataDog"])
    assert resolve_accounts(marts, "x@nowhere.example").matches == []
    assert resolve_accounts(marts, "!").matches == []
    assert resolve_accounts(marts, "Zeppelin Works").closest_names == []


@pytest.mark.parametrize(
    ("name", "normalized"),
    [
        ("Acme, Inc.", "acme"),
        ("ACME B.V.", "acme"),
        ("Müller GmbH & Co. KG", "muller"),
        ("Johnson & Johnson", "johnson and johnson"),
        ("O'Reilly Media plc", "oreilly media"),
        ("Co-op Bank", "co op bank"),
        ("Co", "co"),
    ],
)
def test_names_are_compared_by_their_words(name: str, normalized: str) -> None:
    """Legal forms at the end, punctuation, accents and upper case do not distinguish companies."""
    assert normalize_name(name) == normalized


def test_both_warehouses_find_the_same_accounts(
    duckdb_marts: Workspace, postgres_marts: Workspace, tmp_path: Path
) -> None:
    """The export takes an account by its id, domain and a contact's address."""
    ((account_id, domain),) = duckdb_marts.rows(
        "SELECT account_id, min(domain) FROM gong_analytics.account_domains WHERE is_own_domain"
        " GROUP BY account_id ORDER BY count(*) DESC, 1 LIMIT 1"
    )
    expected = {
        call
        for (call,) in duckdb_marts.rows(
            "SELECT call_id FROM gong_analytics.account_calls JOIN gong_analytics.calls_enriched USING (call_id)"
            " WHERE account_calls.account_id = ? AND has_transcript",
            [account_id],
        )
    }
    assert expected
    for text in (account_id, domain, f"nobody@{domain}"):
        for place in (duckdb_marts, postgres_marts):
            assert {c["call_id"] for c in export_transcripts(place, "--account", text)} == expected

    ended = duckdb_marts.run("export", "transcripts", "--account", "Zeppelin Works")
    assert (ended.code, ended.out) == (0, "")
    assert "no account matches --account 'Zeppelin Works'" in ended.err
