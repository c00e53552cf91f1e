"""Fixtures of the tests of the demo: a generated company, its simulated Gong, and an HTTP client."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from pipelines.demo.company.company import Company, build_company
from pipelines.demo.server.app import SimulatedGong
from tests.support.servers.gong_client import UNTIL, open_client


@pytest.fixture(scope="session")
def company() -> Company:
    """Return a company with 250 calls, which is three pages."""
    return build_company(calls=250, seed=3, until=UNTIL)


@pytest.fixture
def gong(company: Company) -> SimulatedGong:
    """Return a simulated Gong of the company; each test has its own lists, so that edits stay in the test."""
    return SimulatedGong(Company(**{**vars(company), "calls": list(company.calls), "recordings": {}}))


@pytest.fixture
def client(gong: SimulatedGong) -> Iterator[httpx.Client]:
    """Serve the simulated Gong and return an authorised client."""
    with open_client(gong) as client:
        yield client
