"""`gong_elt.Evidence`: bounded answers about calls, accounts and deals, each with its sources."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from ..analytics.calls.lookup import find_call_id, parse_call_id
from ..analytics.export import SIDES
from ..analytics.marts import validate_analytics
from ..analytics.marts_origin import default_analytics
from ..analytics.search.query import MODES, SearchQuery
from ..runtime.configuration.command_defaults import read_command_defaults
from ..runtime.connection import Connection
from ..runtime.errors import UsageError
from ..runtime.process.waiting import WaitPolicy
from ..runtime.run_options import parse_wait
from ..runtime.target import Target
from . import briefs, calls, schema, transcripts
from .access.policy import MART_ACCESS, Policy
from .access.session import MartsSession, run_select
from .answers import (
    MAX_TOKENS,
    Answer,
    count_characters,
    decode_next,
    encode_next,
    finish_answer,
    json_value,
    take_rows,
)
from .arguments import check_choice, check_limit, parse_period
from .sentences import SentenceSource
from .status import read_state

MAX_CALLS, MAX_HITS, MAX_ROWS = 100, 50, 1_000
"""Largest `limit` of `find_calls`, `search` and `query`."""


class Evidence:
    """Answers from the marts. Reads only, and never calls Gong.

    Each method returns an object for `json.dumps` of at most 20,000 tokens, counted as four characters each, with
    `truncated` (whether something was left out for its size), `next` (text with which the same question continues) and
    `reason` (why the answer is empty or incomplete). `origin` of a text is `said` for what people said, `generated` for
    what Gong's AI wrote. Times are in UTC. Threads may share the object.

    Args:
        connection: Name of the Gong account whose calls are in the warehouse.
        destination: Warehouse; by default that of the settings.
        dataset: Dataset of the loaded tables; by default that of the settings.
        analytics: Dataset of the marts; by default that of the settings, else the dataset's name with `_analytics`.
        policy: What the reader may see.
        wait: How long to wait for a DuckDB file that another process has open.

    Raises:
        UsageError: If a setting is invalid, nothing is loaded, or the marts lack what the policy names.
        InvalidWarehouseError: If the warehouse is unknown or its configuration is invalid.
        LockHeldError: If another process has the DuckDB file open for longer than `wait`; methods raise it, too.
    """

    def __init__(
        self,
        connection: str | None = None,
        *,
        destination: str | None = None,
        dataset: str | None = None,
        analytics: str | None = None,
        policy: Policy | None = None,
        wait: str = "10s",
    ) -> None:
        defaults = read_command_defaults()
        target = Target.resolve(
            destination or defaults.destination,
            dataset or defaults.dataset,
            waiting=WaitPolicy(parse_wait(wait).total_seconds()),
        )
        marts = analytics or defaults.analytics or default_analytics(target.dataset)
        validate_analytics(target, marts)
        self._open_session(Connection(connection or defaults.connection), target, marts, policy or Policy())

    @classmethod
    def open(cls, connection: Connection, target: Target, analytics: str, policy: Policy | None = None) -> Self:
        """Return the evidence in a warehouse that is resolved already. Raises as the class does."""
        evidence = cls.__new__(cls)
        evidence._open_session(connection, target, analytics, policy or Policy())
        return evidence

    def with_policy(self, policy: Policy) -> Self:
        """Return the same evidence for another reader; it ends with this object.

        Raises:
            UsageError: If the marts lack a workspace, team or account of the policy.
        """
        evidence = type(self).__new__(type(self))
        evidence._session, evidence._sentences, evidence._policy = self._session, self._sentences, policy
        with evidence._session.open(policy):
            return evidence

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the index and delete temporary files."""
        self._sentences.close()
        self._session.close()

    @property
    def policy(self) -> Policy:
        """What the reader may see."""
        return self._policy

    def prepare_search(self) -> None:
        """Bring the index of sentences up to date: minutes for the first time. Raises as `search` does."""
        self._sentences.prepare()

    def status(self) -> Answer:
        """Return how fresh and complete the data is, and what the reader may see."""
        with self._session.open(self._policy) as marts:
            return finish_answer(read_state(marts, self._session.target, self._sentences))

    def find_calls(
        self,
        account: str | None = None,
        domain: str | None = None,
        person: str | None = None,
        deal: str | None = None,
        rep: str | None = None,
        since: str | None = None,
        until: str | None = None,
        tracker: str | None = None,
        stage: str | None = None,
        call_type: str | None = None,
        limit: int = 20,
        next: str | None = None,  # noqa: A002 - the name of the tool's argument
    ) -> Answer:
        """Return calls, the newest first.

        Args:
            account: Name of the account or a part of it, its domain, CRM id, or a contact's e-mail address.
            domain: Domain of the account.
            person: E-mail address of a person on the call, or a part of the name.
            deal: Name of the deal or a part of it, or its CRM id.
            rep: Part of the host's name.
            since: Start of the period, such as `2026-01-31`.
            until: End of the period, exclusive.
            tracker: Part of the name of a tracker that was mentioned.
            stage: Stage of the deal at the time of the call.
            call_type: `meeting`, `dial`, `short_dial`, `internal` or `other`.
            limit: Number of calls, 1 to 100.
            next: `next` of the answer before.

        Returns:
            `calls`, `count` of all, `accounts`, and `matched_by`: what the text of the account is.

        Raises:
            UsageError: If an argument is invalid.
        """
        check_limit(limit, MAX_CALLS)
        check_choice("call_type", call_type, calls.CALL_TYPES)
        after = decode_next(next, "started", "call_id") if next else None
        question = calls.CallQuestion(
            account, domain, person, deal, rep, *parse_period(since, until), tracker, stage, call_type
        )
        with self._session.open(self._policy) as marts:
            found = calls.resolve_question(marts.allowed, question)
            rows = calls.read_calls(
                marts.allowed, found, limit + 1, None if after is None else (after["started"], after["call_id"])
            )
            count = calls.count_calls(marts.allowed, found)
            matches = [] if found.accounts is None else found.accounts.matches
            answer: Answer = {
                "count": count,
                "matched_by": matches[0].matched_by if matches else None,
                "accounts": [{"account_id": match.account_id, "account": match.account_name} for match in matches[:20]],
            }
            taken, all_fit = take_rows(rows[:limit], count_characters(answer))
            last = taken[-1] if len(taken) < len(rows) else None
            reason = found.reason or (None if count else "no call matches all of these arguments")
            return finish_answer(
                {
                    "calls": [
                        {key: value for key, value in call.items() if key != "started_epoch_ms"} for call in taken
                    ],
                    **answer,
                },
                truncated=not all_fit,
                next=None if last is None else encode_next(started=last["started_epoch_ms"], call_id=last["call_id"]),
                reason=reason,
                is_text=True,
            )

    def search(
        self,
        query: str,
        mode: str | None = None,
        side: str | None = None,
        account: str | None = None,
        rep: str | None = None,
        since: str | None = None,
        until: str | None = None,
        limit: int = 10,
        next: str | None = None,  # noqa: A002 - the name of the tool's argument
    ) -> Answer:
        """Return sentences that people said.

        Args:
            query: Words, "exact phrases", OR and -excluded words, or a question.
            mode: `words`, `meaning` or `both`; by default the best one that is installed.
            side: `company`, `customer` or `unknown`; by default all.
            account: Name of the account or a part of it, its domain, CRM id, or a contact's e-mail address.
            rep: Part of the host's name.
            since: Start of the period.
            until: End of the period, exclusive.
            limit: Number of sentences, 1 to 50.
            next: `next` of the answer before.

        Returns:
            `hits`, each with context and `moment_url`; `count`, `mode`, `match`, `suggestions`.

        Raises:
            UsageError: If an argument is invalid, a package is missing, or the policy excludes transcripts.
        """
        check_limit(limit, MAX_HITS)
        check_choice("side", side, SIDES)
        offset = int(decode_next(next, "offset")["offset"]) if next else 0
        check_choice("mode", mode, MODES)
        start, end = parse_period(since, until)
        answer = self._sentences.search(
            self._policy,
            calls.CallQuestion(account=account, rep=rep),
            # The check above is that of the type.
            SearchQuery(query, side, None, start, end, limit, offset=offset, mode=mode),  # type: ignore[arg-type]
        )
        found_hits, has_more, reason = answer.pop("hits"), answer.pop("has_more"), answer.pop("reason")
        hits, all_fit = take_rows(found_hits, count_characters(answer))
        return finish_answer(
            {"hits": hits, **answer},
            truncated=not all_fit,
            next=encode_next(offset=offset + len(hits)) if hits and (has_more or not all_fit) else None,
            reason=reason,
            is_text=True,
        )

    def get_transcript(
        self, call_id: str, side: str | None = None, from_sentence: int = 0, max_tokens: int | None = None
    ) -> Answer:
        """Return the sentences of a call in order.

        Args:
            call_id: Gong's id of the call, or its URL.
            side: `company`, `customer` or `unknown`; by default all.
            from_sentence: Index of the first sentence; `next` of the answer before.
            max_tokens: Number of tokens of the answer, up to 20,000; it has at least one sentence.

        Returns:
            `call`, and `lines`, each with `sentence_index`, `at` (`hh:mm:ss`), `speaker`, `side`, `text` and
            `moment_url`. `next` is the index of the next sentence.

        Raises:
            UsageError: If an argument is invalid, or the policy excludes transcripts.
        """
        check_choice("side", side, SIDES)
        tokens = MAX_TOKENS if max_tokens is None else max_tokens
        if not 1 <= tokens <= MAX_TOKENS:
            raise UsageError(f"max_tokens {tokens} is out of range: use 1 to {MAX_TOKENS:,}")
        if from_sentence < 0:
            raise UsageError(f"from_sentence {from_sentence} is negative")
        with self._session.open(self._policy) as marts:
            marts.allowed.require_transcripts()
            try:
                found_id = find_call_id(marts.allowed, call_id)
            except UsageError as error:
                return finish_answer(
                    {"call_id": parse_call_id(call_id), "call": None, "lines": []},
                    reason=self._hide_calls(call_id) or str(error),
                )
            call = transcripts.read_call(marts.allowed, found_id)
            rows = transcripts.read_lines(marts.allowed, found_id, call["url"], side, from_sentence)
            answer: Answer = {"call_id": found_id, "call": call, "origin": "said"}
            lines, all_fit = take_rows(rows, count_characters(answer), tokens, at_least=1)
            return finish_answer(
                {**answer, "lines": lines},
                truncated=not all_fit,
                next=None if all_fit else rows[len(lines)]["sentence_index"],
                reason=None if rows else transcripts.why_empty(call, side, from_sentence),
                is_text=True,
            )

    def account_brief(self, account: str, since: str | None = None) -> Answer:
        """Return what is known of an account.

        Args:
            account: Name of the account or a part of it, its domain, CRM id, or a contact's e-mail address.
            since: Only calls that started at this time or later.

        Returns:
            `account` (its row of the mart), `matched_by`, `other_matches`, `deals` with `risks`, `last_calls`,
            `next_steps`, `people` and `quotes`.

        Raises:
            UsageError: If an argument is invalid.
        """
        period, _ = parse_period(since, None)
        with self._session.open(self._policy) as marts:
            return briefs.brief_account(marts.allowed, account, period)

    def deal_brief(self, deal: str, since: str | None = None) -> Answer:
        """Return what is known of a deal.

        Args:
            deal: Name of the deal or a part of it, or its CRM id.
            since: Only calls that started at this time or later.

        Returns:
            `deal`, `account` (the row of its account), `other_matches`, `last_calls`, `next_steps`, `people`, `quotes`.

        Raises:
            UsageError: If an argument is invalid.
        """
        period, _ = parse_period(since, None)
        with self._session.open(self._policy) as marts:
            return briefs.brief_deal(marts.allowed, deal, period)

    def describe_schema(self, table: str | None = None) -> Answer:
        """Return the marts that the reader may see, or the columns of one.

        Args:
            table: Name of a mart; None for a list of all.

        Returns:
            `tables`, or `table`, `description`, `key`, `columns` and `examples`; `dialect` and `dataset`.

        Raises:
            UsageError: If there is no such mart, or the policy withholds it.
        """
        with self._session.open(self._policy) as marts:
            where = {"dialect": marts.allowed.dialect, "dataset": marts.allowed.dataset}
            if table is not None:
                name = table.lower().removeprefix(f"{marts.allowed.dataset.lower()}.")
                if name not in MART_ACCESS:
                    raise UsageError(f"{table!r} is not a mart: describe_schema without a table lists them")
                marts.allowed.select(name)
                return finish_answer({**schema.describe_mart(name), **where})
            tables = [
                {**mart, "withheld": marts.allowed.policy.withheld_reason(mart["table"])}
                for mart in schema.describe_marts()
            ]
        return finish_answer({"tables": tables, **where})

    def query(self, sql: str, limit: int = 100) -> Answer:
        """Return the rows of one SELECT statement over the marts.

        Args:
            sql: The statement; tables are marts, with or without their dataset.
            limit: Number of rows, 1 to 1,000.

        Returns:
            `columns`, `rows` (lists of values), `row_count` of the answer.

        Raises:
            UsageError: If the statement is not allowed, fails, or takes too long, or the policy excludes queries.
        """
        check_limit(limit, MAX_ROWS)
        if not self._policy.allow_query:
            raise UsageError("this token may not use query: use the other tools")
        with self._session.open(self._policy) as marts:
            selected = run_select(marts, sql, limit)
        answer: Answer = {"columns": list(selected.columns)}
        rows, all_fit = take_rows(
            [[json_value(value) for value in row] for row in selected.rows[:limit]], count_characters(answer)
        )
        is_limited = len(selected.rows) > limit
        reason = "no row matches" if not rows and all_fit else None
        if is_limited or not all_fit:
            reason = f"only the first {len(rows):,} rows: aggregate, or select fewer rows and columns"
        return finish_answer(
            {**answer, "rows": rows, "row_count": len(rows)},
            truncated=is_limited or not all_fit,
            reason=reason,
            is_text=True,
        )

    def _open_session(self, connection: Connection, target: Target, analytics: str, policy: Policy) -> None:
        self._session = MartsSession(connection, target, analytics)
        self._sentences = SentenceSource(connection, target, analytics)
        self._policy = policy
        with self._session.open(policy):
            pass

    def _hide_calls(self, call_id: str) -> str | None:
        """Return the reason for a missing call that does not tell whether it exists; None if the reader may know."""
        if not self._policy.limits_calls:
            return None
        return f"call {parse_call_id(call_id)} is not loaded, or this token may not read it"
