"""Accounts that are found for calls without a link in the CRM, compared with the truth.

`python -m tests.benchmarks.measures.account_matching` prints the shares.
"""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime
from pathlib import Path

from pipelines.demo.company.company import build_company
from pipelines.demo.server.app import SimulatedGong
from tests.benchmarks.report import Row, print_table
from tests.support.account_links import blur_links, find_true_accounts
from tests.support.marts import build_models, sync_company
from tests.support.workspace import Workspace

_CALLS, _SENTENCES, _DAYS, _UNLINKED = 20_000, 4, 365, 0.4


def main() -> None:
    """Load a company, build the marts, and print the shares of calls with the right, a wrong and no account."""
    company = build_company(
        calls=_CALLS, days=_DAYS, seed=7, until=datetime.now(UTC), sentences=_SENTENCES, office_hours=False
    )
    gong = SimulatedGong(company)
    truth = find_true_accounts(gong)
    missing = [call for call in blur_links(gong, unlinked=_UNLINKED) if call in truth]
    with tempfile.TemporaryDirectory(prefix="gong-elt-accounts-") as folder:
        place = Workspace(Path(folder), settings={"SOURCES__GONG__REQUESTS_PER_SECOND": "1000"})
        with sync_company(place, gong):
            build_models(place)
            found = dict(place.rows("SELECT call_id, account_id FROM gong_analytics.calls_enriched"))
            rules = place.rows(
                "SELECT account_matched_by, count(*) FROM gong_analytics.calls_enriched WHERE is_external GROUP BY 1"
            )
    right = sum(found.get(call) == truth[call] for call in missing)
    separate = sum("." in (found.get(call) or "") for call in missing)
    wrong = sum(found.get(call) not in (None, truth[call]) for call in missing) - separate
    rows = [
        Row("calls without a link in the CRM", f"{len(missing):,} of {len(truth):,} external calls"),
        Row("with the right account", f"{right:,}, {right / len(missing):.2%}"),
        Row("with the account of another customer", f"{wrong:,}, {wrong / len(missing):.2%}"),
        Row("with an account named after the domain", f"{separate:,}"),
        Row("without an account", f"{len(missing) - right - wrong - separate:,}"),
        *(Row(f"matched by {rule or 'nothing'}", f"{count:,}") for rule, count in sorted(rules, key=str)),
    ]
    print_table(rows)


if __name__ == "__main__":
    main()
