"""What a reader may see of the marts, as conditions in SQL."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from sqlglot import exp

from ...analytics.accounts import normalize_name
from ...analytics.marts import Marts
from ...runtime.errors import UsageError


class Access(Enum):
    """By what a mart is limited to some calls."""

    CALL = "call"
    """Each row belongs to a call."""
    ACCOUNT = "account"
    """Each row is about an account or one of its deals, and names its last call."""
    REP = "rep"
    """Each row is about a user: limited by team, and withheld if calls are limited otherwise."""
    COMPANY = "company"
    """Figures of all calls of the company: withheld if calls are limited."""
    OPEN = "open"
    """Nothing about calls."""


MART_ACCESS: Mapping[str, Access] = {
    "account_calls": Access.CALL,
    "account_domains": Access.ACCOUNT,
    "accounts": Access.ACCOUNT,
    "all_days": Access.OPEN,
    "call_comments": Access.CALL,
    "call_insights": Access.CALL,
    "call_participants": Access.CALL,
    "calls_enriched": Access.CALL,
    "competitor_outcomes": Access.COMPANY,
    "customer_quotes": Access.CALL,
    "data_quality": Access.COMPANY,
    "deal_activity": Access.ACCOUNT,
    "deal_risks": Access.ACCOUNT,
    "library_shelf": Access.CALL,
    "next_steps": Access.CALL,
    "rep_month": Access.REP,
    "rep_week": Access.REP,
    "reps": Access.REP,
    "scorecard_results": Access.CALL,
    "speaker_turns": Access.CALL,
    "stages": Access.OPEN,
    "topic_time": Access.CALL,
    "tracker_mentions": Access.CALL,
    "tracker_share": Access.COMPANY,
    "transcript_chunks": Access.CALL,
    "transcript_lines": Access.CALL,
    "win_rate_by_behaviour": Access.COMPANY,
}
"""How each mart is limited."""

VERBATIM_MARTS = frozenset({"customer_quotes", "speaker_turns", "transcript_chunks", "transcript_lines"})
"""Marts whose rows are what people said."""

_VERBATIM_COLUMNS: Mapping[str, Sequence[str]] = {"tracker_mentions": ("phrase",)}
_CLOSEST_NAMES = 5
# Columns about the last call of an account or deal, which may be a call that the reader may not see.
_LAST_CALL_COLUMNS = ("last_call_id", "last_call_url", "last_host_name", "last_team")

_WORKSPACES = """
SELECT DISTINCT workspace_id, workspace_name FROM {marts}.calls_enriched WHERE workspace_id IS NOT NULL
ORDER BY workspace_id
"""
_TEAMS = "SELECT DISTINCT team FROM {marts}.calls_enriched WHERE team IS NOT NULL ORDER BY team"
_ACCOUNTS = "SELECT account_id, account_name, names FROM {marts}.accounts ORDER BY account_name, account_id"
_OWN_DOMAINS = "SELECT domain, account_id FROM {marts}.account_domains WHERE is_own_domain"


@dataclass(frozen=True, slots=True)
class Policy:
    """What a reader may see; by default everything in the marts, which have private calls only if a setting says so.

    Attributes:
        workspaces: Ids or names of Gong's workspaces; None for all.
        teams: Names of teams, which are those of managers; None for all.
        accounts: Names, domains or CRM ids of accounts; None for all.
        allow_query: Whether `query` may be used.
        allow_transcripts: Whether the reader may see what people said, and search it.
    """

    workspaces: tuple[str, ...] | None = None
    teams: tuple[str, ...] | None = None
    accounts: tuple[str, ...] | None = None
    allow_query: bool = True
    allow_transcripts: bool = True

    @property
    def limits_calls(self) -> bool:
        """Whether some calls may be hidden."""
        return not (self.workspaces is None and self.teams is None and self.accounts is None)


@dataclass(frozen=True, slots=True)
class ResolvedPolicy:
    """A policy whose names are ids of the marts.

    Attributes:
        policy: The policy.
        workspace_ids: Ids of its workspaces; None for all.
        account_ids: Ids of its accounts; None for all.
    """

    policy: Policy
    workspace_ids: tuple[str, ...] | None = None
    account_ids: tuple[str, ...] | None = None

    def withheld_reason(self, mart: str) -> str | None:
        """Return why the reader may not see any row of a mart; None if some rows may be seen."""
        policy = self.policy
        if mart in VERBATIM_MARTS and not policy.allow_transcripts:
            return "this token may not read transcripts"
        access = MART_ACCESS.get(mart)
        if access is Access.COMPANY and policy.limits_calls:
            return "it counts calls of the whole company, and this token is limited to some calls"
        if access is Access.REP and (policy.workspaces is not None or policy.accounts is not None):
            return "it counts all calls of a rep, and this token is limited to some of them"
        return None

    def is_limited(self, mart: str) -> bool:
        """Return whether rows or values of a mart may be hidden."""
        if mart in _VERBATIM_COLUMNS and not self.policy.allow_transcripts:
            return True
        return self.policy.limits_calls and MART_ACCESS.get(mart) is not Access.OPEN

    def select(self, mart: str, columns: Sequence[str], schema: str, dialect: str) -> str:
        """Return the SELECT statement of the rows and values of a mart that the reader may see.

        Args:
            mart: Name of the mart.
            columns: Names of its columns.
            schema: Name of the dataset of the marts, quoted.
            dialect: sqlglot's name of the warehouse's SQL.
        """
        calls = self._select_call_ids(schema, dialect)
        hidden: dict[str, str] = {}
        if not self.policy.allow_transcripts:
            hidden |= dict.fromkeys(_VERBATIM_COLUMNS.get(mart, ()), "1 = 0")
        if self.policy.limits_calls and "last_call_id" in columns:
            hidden |= {column: f"last_call_id IN ({calls})" for column in _LAST_CALL_COLUMNS if column in columns}
        selected = ", ".join(
            f"CASE WHEN {hidden[column]} THEN {column} END AS {column}" if column in hidden else column
            for column in columns
        )
        condition = self._condition(mart, calls, schema, dialect)
        return f"SELECT {selected} FROM {schema}.{mart}" + (f" WHERE {condition}" if condition else "")

    def _condition(self, mart: str, calls: str, schema: str, dialect: str) -> str | None:
        access = MART_ACCESS[mart]
        if access is Access.OPEN or not self.policy.limits_calls:
            return None
        if access is Access.CALL:
            return f"call_id IN ({calls})"
        if access is Access.ACCOUNT:
            of_calls = f"account_id IN (SELECT account_id FROM {schema}.account_calls WHERE call_id IN ({calls}))"
            only = _in("account_id", self.account_ids, dialect)
            return of_calls if only is None else f"{of_calls} AND {only}"
        return _in("team", self.policy.teams, dialect)

    def _select_call_ids(self, schema: str, dialect: str) -> str:
        limits = (_in("workspace_id", self.workspace_ids, dialect), _in("team", self.policy.teams, dialect))
        conditions = [limit for limit in limits if limit is not None]
        if (accounts := _in("account_id", self.account_ids, dialect)) is not None:
            conditions.append(f"call_id IN (SELECT call_id FROM {schema}.account_calls WHERE {accounts})")
        return f"SELECT call_id FROM {schema}.calls_enriched" + (
            f" WHERE {' AND '.join(conditions)}" if conditions else ""
        )


def resolve_policy(marts: Marts, policy: Policy) -> ResolvedPolicy:
    """Return a policy with the ids of its workspaces and accounts.

    Args:
        marts: All marts.
        policy: The policy.

    Raises:
        UsageError: If the marts do not have one of its workspaces, teams or accounts.
    """
    if policy.teams is not None:
        teams = [row["team"] for row in marts.rows(_TEAMS.format(marts=marts.schema))]
        for team in policy.teams:
            if team not in teams:
                raise _unknown("team", team, teams)
    return ResolvedPolicy(
        policy,
        None if policy.workspaces is None else tuple(_resolve_workspaces(marts, policy.workspaces)),
        None if policy.accounts is None else tuple(_resolve_accounts(marts, policy.accounts)),
    )


def _resolve_workspaces(marts: Marts, names: Sequence[str]) -> Iterator[str]:
    rows = [*marts.rows(_WORKSPACES.format(marts=marts.schema))]
    for name in names:
        ids = [row["workspace_id"] for row in rows if name in (row["workspace_id"], row["workspace_name"])]
        if not ids:
            raise _unknown("workspace", name, [row["workspace_name"] or row["workspace_id"] for row in rows])
        yield from ids


def _resolve_accounts(marts: Marts, names: Sequence[str]) -> Iterator[str]:
    """Yield the ids of accounts. A part of a name, which the resolver of accounts takes, would allow too much."""
    rows = [*marts.rows(_ACCOUNTS.format(marts=marts.schema))]
    ids: dict[str, set[str]] = {}
    for row in rows:
        ids.setdefault(row["account_id"], set()).add(row["account_id"])
        for name in (row["account_name"], *(row["names"] or "").split(" | ")):
            ids.setdefault(normalize_name(name or ""), set()).add(row["account_id"])
    for row in marts.rows(_OWN_DOMAINS.format(marts=marts.schema)):
        ids.setdefault(row["domain"], set()).add(row["account_id"])
    for name in names:
        found = ids.get(name) or ids.get(name.lower()) or ids.get(normalize_name(name))
        if not found or not normalize_name(name):
            raise _unknown("account", name, [row["account_name"] for row in rows])
        yield from sorted(found)


def _unknown(kind: str, name: str, known: Sequence[str]) -> UsageError:
    closest = difflib.get_close_matches(name, known, _CLOSEST_NAMES, cutoff=0.4)
    return UsageError(
        f"policy: {kind} {name!r} is not in the marts" + (f"; the closest are {', '.join(closest)}" if closest else "")
    )


def _in(column: str, values: Sequence[str] | None, dialect: str) -> str | None:
    """Return the condition that a column has one of some values; None if all are allowed."""
    if values is None:
        return None
    if not values:
        return "1 = 0"
    return f"{column} IN ({', '.join(_literal(value, dialect) for value in values)})"


def _literal(text: str, dialect: str) -> str:
    """Return a text in SQL without a percent sign, which would be a placeholder in a statement with parameters."""
    return " || chr(37) || ".join(exp.Literal.string(part).sql(dialect) for part in text.split("%"))
