"""What an agent gets from `gong-elt mcp`: calls of accounts found and missed, and the time and size of each answer.

`python -m tests.benchmarks.measures.agents` prints one table. It loads two companies of 20,000 calls: one with 220
accounts whose names vary and whose calls lack links in the CRM, and one with six million sentences. It takes twenty
minutes and five gigabytes of disk.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from statistics import fmean, median, quantiles
from typing import Any

import httpx
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client

from gong_elt import Evidence
from pipelines.demo.company.company import build_company
from pipelines.demo.server.app import SimulatedGong
from pipelines.evidence.answers import CHARACTERS_PER_TOKEN, MAX_TOKENS
from tests.benchmarks.bench import UNTHROTTLED, WITH_PRIVATE_CALLS, Bench, open_bench, simulated_gong
from tests.benchmarks.report import Row, print_table
from tests.support.account_links import blur_links, find_true_accounts
from tests.support.marts import build_models, sync_company
from tests.support.readers.evidence import collect_pages, open_evidence
from tests.support.workspace import COMMAND, Workspace

_CALLS, _ACCOUNTS, _DAYS, _UNLINKED = 20_000, 220, 365, 0.4
_ASKED, _GOAL_SHARE = 200, 0.98
_COPIES, _SENTENCES, _GOAL_MS = 10, 300, 300
_QUESTIONS_PER_TOOL = 40
_REQUESTS_PER_SECOND = 3
_LEGAL_FORMS = (", Inc.", " GmbH", " Ltd", " Corp.")


def measure_accounts() -> Iterator[Row]:
    """Yield recall and precision of `find_calls` by account, and what a proxy of Gong's API finds."""
    company = build_company(
        calls=_CALLS,
        days=_DAYS,
        seed=7,
        until=datetime.now(UTC),
        sentences=4,
        office_hours=False,
        accounts=_ACCOUNTS,
    )
    gong = SimulatedGong(company)
    truth = find_true_accounts(gong)
    names = _vary_names(gong)
    missing = [call for call in blur_links(gong, unlinked=_UNLINKED) if call in truth]
    with tempfile.TemporaryDirectory(prefix="gong-elt-agents-") as folder:
        place = Workspace(Path(folder), settings={"SOURCES__GONG__REQUESTS_PER_SECOND": "1000"})
        with sync_company(place, gong):
            build_models(place)
            with open_evidence(place) as evidence:
                yield Row("external calls without a link in the CRM", f"{len(missing):,} of {len(truth):,}")
                yield from _compare_with_truth(evidence, place, truth, names)
            account, name = sorted(names.items())[0]
            yield from _ask_gong(place.settings["SOURCES__GONG__BASE_URL"], account, name, truth)


def measure_answers(bench: Bench) -> Iterator[Row]:
    """Yield the duration and the size of the answers of each tool, asked by the SDK's client."""
    with simulated_gong(calls=_CALLS // _COPIES, sentences=_SENTENCES, copies=_COPIES) as gong:
        folder = bench.empty_folder()
        bench.sync(gong, {**UNTHROTTLED, **WITH_PRIVATE_CALLS}, folder, select="")
        bench.build_models(folder)
    bench.search(folder, "price")
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "DLT_DATA_DIR": str(folder / "dlt"),
        "DESTINATION__DUCKDB__CREDENTIALS": str(folder / "warehouse.duckdb"),
    }
    server = StdioServerParameters(command=str(COMMAND), args=["mcp"], env=environment, cwd=folder)
    yield from asyncio.run(_ask_all_tools(server))


def _vary_names(gong: SimulatedGong) -> dict[str, str]:
    """Give a third of the accounts another name on half of their calls; return the name of each account by its id."""
    rng = random.Random(11)
    names: dict[str, str] = {}
    varied: dict[str, str | None] = {}
    for call in gong.company.calls:
        for context in call.record.get("context") or ():
            for each in context["objects"]:
                if each["objectType"] != "Account":
                    continue
                field = next(field for field in each["fields"] if field["name"] == "Name")
                names.setdefault(each["objectId"], field["value"])
                if each["objectId"] not in varied:
                    varied[each["objectId"]] = rng.choice(_LEGAL_FORMS) if rng.random() < 1 / 3 else None
                form = varied[each["objectId"]]
                if form is not None and rng.random() < 1 / 2:
                    field["value"] = f"{field['value'].upper()}{form}"
    return names


def _compare_with_truth(
    evidence: Evidence, place: Workspace, truth: Mapping[str, str], names: Mapping[str, str]
) -> Iterator[Row]:
    rng = random.Random(13)
    by_account: dict[str, set[str]] = {}
    for call, account in truth.items():
        by_account.setdefault(account, set()).add(call)
    asked = rng.sample(sorted(by_account.keys() & names.keys()), _ASKED)
    recalls, precisions = [], []
    for number, account in enumerate(asked):
        name = names[account]
        domain = f"{name.lower().replace(' ', '')}.example"
        texts = (name, name.upper(), f"{name} Inc", domain, f"https://www.{domain}/contact", account)
        rows = collect_pages(partial(evidence.find_calls, texts[number % len(texts)], limit=100), "calls")
        found = {row["call_id"] for row in rows if row["is_external"]}
        expected = by_account[account]
        recalls.append(len(found & expected) / len(expected))
        precisions.append(len(found & expected) / len(found) if found else 0.0)
    for measure, values in (("recall", recalls), ("precision", precisions)):
        yield Row(
            f"find_calls(account=...), {_ASKED} accounts, mean {measure}",
            f"{fmean(values):.4f}, lowest {min(values):.2f}",
            f"{_GOAL_SHARE}",
            fmean(values) >= _GOAL_SHARE,
        )
    ((calls,),) = place.rows("SELECT count(*) FROM gong_analytics.calls_enriched")
    yield Row("calls in the marts", f"{calls:,}")


def _ask_gong(base_url: str, account: str, name: str, truth: Mapping[str, str]) -> Iterator[Row]:
    """Yield what a proxy of the API finds that reads the calls of a year to find those of an account."""
    since = datetime.now(UTC) - timedelta(days=_DAYS)
    body: dict[str, Any] = {
        "filter": {"fromDateTime": since.isoformat(), "toDateTime": datetime.now(UTC).isoformat()},
        "contentSelector": {"context": "Extended"},
    }
    found, requests, clock = set(), 0, time.monotonic()
    with httpx.Client(base_url=base_url, auth=("demo", "demo-secret"), timeout=60) as http:
        while True:
            time.sleep(max(0.0, clock + requests / _REQUESTS_PER_SECOND - time.monotonic()))
            answer = http.post("/v2/calls/extensive", json=body)
            answer.raise_for_status()
            requests += 1
            page = answer.json()
            found |= {call["metaData"]["id"] for call in page["calls"] if _is_linked(call, account)}
            if (cursor := page["records"].get("cursor")) is None:
                break
            body["cursor"] = cursor
    expected = {call for call, true_account in truth.items() if true_account == account}
    yield Row(
        f"a proxy of the API that pages for {name}",
        f"{requests} requests, {time.monotonic() - clock:.0f} s, {len(found & expected)} of {len(expected)} calls",
    )


def _is_linked(call: Mapping[str, Any], account: str) -> bool:
    return any(
        each["objectId"] == account for context in call.get("context") or () for each in context.get("objects") or ()
    )


async def _ask_all_tools(server: StdioServerParameters) -> list[Row]:
    async with Client(stdio_client(server)) as client:
        rows = await _read(client, "SELECT account_name FROM accounts ORDER BY account_id")
        accounts = [account for (account,) in rows]
        deals = [deal for (deal,) in await _read(client, "SELECT opportunity_id FROM deal_activity ORDER BY 1")]
        calls = [call for (call,) in await _read(client, "SELECT call_id FROM calls_enriched WHERE has_transcript")]
        words = ("pricing", "next steps", "security review", "integration with the ERP", "who decides", "a pilot")
        texts = [{"query": text} for text in words]
        questions: dict[str, tuple[str, Sequence[Mapping[str, Any]]]] = {
            "status": ("status", [{}]),
            "find_calls, account": ("find_calls", [{"account": account} for account in accounts]),
            "find_calls, filters": ("find_calls", [{"tracker": "pricing", "rep": name} for name in "aeiou"]),
            "search, words": ("search", [{**text, "mode": "words"} for text in texts]),
            "search, meaning": ("search", [{**text, "mode": "meaning"} for text in texts]),
            "search, both": ("search", [{**text, "mode": "both"} for text in texts]),
            "search, account": ("search", [{"query": "price", "account": account} for account in accounts]),
            "get_transcript": ("get_transcript", [{"call_id": call} for call in calls]),
            "account_brief": ("account_brief", [{"account": account} for account in accounts]),
            "deal_brief": ("deal_brief", [{"deal": deal} for deal in deals]),
            "describe_schema": ("describe_schema", [{}, {"table": "calls_enriched"}]),
            "query": ("query", [{"sql": "SELECT call_type, avg(host_talk_ratio) FROM calls_enriched GROUP BY 1"}]),
        }
        # Opens the index.
        await client.call_tool("search", {"query": "price"})
        return [await _measure_tool(client, name, *question) for name, question in questions.items()]


async def _measure_tool(client: Client, name: str, tool: str, arguments: Sequence[Mapping[str, Any]]) -> Row:
    durations, tokens = [], []
    for number in range(_QUESTIONS_PER_TOOL):
        clock = time.perf_counter()
        result = await client.call_tool(tool, dict(arguments[number % len(arguments)]))
        durations.append(1_000 * (time.perf_counter() - clock))
        if result.is_error:
            raise RuntimeError(f"{name}: {result.content}")
        tokens.append(len(json.dumps(result.structured_content)) / CHARACTERS_PER_TOKEN)
    last = quantiles(durations, n=20)[18]
    return Row(
        f"{name}, {_QUESTIONS_PER_TOOL} questions",
        f"median {median(durations):.0f} ms, 95th percentile {last:.0f} ms; at most {max(tokens):,.0f} tokens",
        f"{_GOAL_MS} ms, {MAX_TOKENS:,} tokens",
        last <= _GOAL_MS and max(tokens) <= MAX_TOKENS,
    )


async def _read(client: Client, sql: str) -> list[list[Any]]:
    result = await client.call_tool("query", {"sql": sql, "limit": 1_000})
    rows: list[list[Any]] = result.structured_content["rows"] if result.structured_content else []
    return rows


def main() -> None:
    """Measure, and print one table."""
    rows = [*measure_accounts()]
    with open_bench() as bench:
        rows += measure_answers(bench)
    print_table(rows)


if __name__ == "__main__":
    main()
