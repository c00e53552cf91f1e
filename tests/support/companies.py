"""Companies of a test: the same at whatever hour the suite runs, only their present is now."""

from datetime import UTC, datetime

from pipelines.demo.company.company import Company, build_company
from pipelines.demo.server.app import SimulatedGong


def present_company(*, calls: int = 60, days: int = 20, seed: int = 7) -> Company:
    """A company of so many calls over the days until now.

    People talk at any hour, since with office hours the weekday of a run would decide who is on which call, which
    one is private and which has no transcript: a test that such a choice breaks would fail on some days only.
    """
    return build_company(calls=calls, days=days, seed=seed, until=datetime.now(UTC), office_hours=False)


def present_gong(*, calls: int = 60, days: int = 20, seed: int = 7) -> SimulatedGong:
    """A simulated Gong with such a company."""
    return SimulatedGong(present_company(calls=calls, days=days, seed=seed))
