"""A company in a warehouse with its models built: by the real commands, for tests of all that stands on the marts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pipelines.demo.server.app import SimulatedGong
from pipelines.demo.server.serving import serve
from tests.support.companies import present_company
from tests.support.workspace import Workspace

Json = dict[str, Any]

HOSTILE = "</script><script>struck = 1</script><img src=x onerror='struck = 1'> \"' %s {marts} 'ok"
"""A text that is dangerous in HTML, in JavaScript, in SQL and in Python's formats."""


@contextmanager
def loaded(place: Workspace, gong: SimulatedGong) -> Iterator[Workspace]:
    """The workspace after a sync of that company, which goes on answering."""
    place.configure(
        credentials__access_key="demo", credentials__access_key_secret="demo-secret", requests_per_second=1000
    )
    with serve(gong.app) as base_url:
        place.configure(base_url=base_url)
        place.sync()
        yield place


def built(place: Workspace, *arguments: str, code: int = 0) -> Json:
    """What `gong-elt models --json` prints."""
    ended = place.run("models", "--json", *arguments)
    assert ended.code == code, f"{ended.out}\n{ended.err}"[:3_000]
    printed: Json = ended.json
    return printed


def rounded(figure: float) -> float:
    """To six digits, just past the half: a mean may end in one, which one warehouse rounds up and the other down."""
    return round(figure + 1e-9, 6)


def exported(place: Workspace, *arguments: str) -> list[Json]:
    """What `gong-elt export transcripts` prints."""
    ended = place.run("export", "transcripts", *arguments)
    assert ended.code == 0, ended.err
    return [json.loads(line) for line in ended.out.splitlines()]


def company_of_eighty() -> SimulatedGong:
    """A company of eighty calls, in which a manager, a title in the library and a deal have hostile names."""
    company = present_company(calls=80, days=40)
    reports_to = [user["managerId"] for user in company.users if user["managerId"]]
    manager = next(user for user in company.users if user["id"] == max(set(reports_to), key=reports_to.count))
    manager["lastName"] = HOSTILE
    shelf = next(folder for folder in company.folders if folder.calls)
    shelf.calls[0]["title"] = HOSTILE
    for call in company.calls:
        for system in call.record.get("context") or ():
            for crm in system["objects"]:
                for field in crm["fields"]:
                    if crm["objectType"] == "Opportunity" and field["name"] == "Name":
                        field["value"] = f"{field['value']} {HOSTILE}"
    return SimulatedGong(company)
