"""Faults of the simulated Gong: which requests they apply to, and what the client receives."""

from __future__ import annotations

import httpx
import pytest

from pipelines.demo.server.app import SimulatedGong
from pipelines.demo.server.faults import (
    Fault,
    FaultAction,
    corrupt_json,
    expired_cursor,
    hang,
    html_page,
    redirect,
    reset_connection,
    respond,
    revoked_token,
    rewrite,
    too_many_requests,
    truncate,
)
from tests.support.gong_api import EXTENSIVE, USERS, WORKSPACES
from tests.support.servers.gong_client import read_error


@pytest.mark.parametrize(
    ("action", "status"),
    [
        (respond(503), 503),
        (too_many_requests(7200), 429),
        (redirect("http://elsewhere.example/v2/calls"), 302),
        (revoked_token(), 401),
        (expired_cursor(), 400),
    ],
)
def test_a_fault_replaces_the_nth_response(
    gong: SimulatedGong, client: httpx.Client, action: FaultAction, status: int
) -> None:
    """The fault counts matching requests, and other requests are served as usual."""
    fault = Fault(action, path="/v2/work", nth=2)
    gong.faults.append(fault)
    responses = [client.get(WORKSPACES) for _ in range(3)]
    assert [response.status_code for response in responses] == [200, status, 200]
    assert client.get(USERS).status_code == 200
    assert (fault.match_count, fault.hit_count) == (3, 1)
    assert [request.status for request in gong.requests] == [200, status, 200, 200]


def test_too_many_requests_returns_the_seconds_to_wait(gong: SimulatedGong, client: httpx.Client) -> None:
    """`Retry-After` is the number given to the fault."""
    gong.faults.append(Fault(too_many_requests(7200)))
    assert client.get(WORKSPACES).headers["retry-after"] == "7200"


def test_a_fault_can_depend_on_cursor_and_method(gong: SimulatedGong, client: httpx.Client) -> None:
    """`when` sees the logged request."""
    gong.faults.append(Fault(expired_cursor(), method="POST", when=lambda request: bool(request.cursor), count=1))
    first = client.post(EXTENSIVE, json={"filter": {}})
    second = {"filter": {}, "cursor": first.json()["records"]["cursor"]}
    assert read_error(client.post(EXTENSIVE, json=second)) == (400, ["Cursor has expired"])
    assert client.post(EXTENSIVE, json=second).status_code == 200


@pytest.mark.parametrize("action", [html_page(), corrupt_json()])
def test_a_200_can_be_invalid_json(gong: SimulatedGong, client: httpx.Client, action: FaultAction) -> None:
    """A login page and broken JSON both arrive as a success."""
    gong.faults.append(Fault(action))
    response = client.get(WORKSPACES)
    assert response.status_code == 200
    with pytest.raises(ValueError, match="line 1"):
        response.json()


def test_a_reset_closes_the_socket(gong: SimulatedGong, client: httpx.Client) -> None:
    """The client sees a read error, and the request log has no status."""
    gong.faults.append(Fault(reset_connection(), count=1))
    with pytest.raises(httpx.ReadError):
        client.get(WORKSPACES)
    assert gong.requests[0].status is None
    assert client.get(WORKSPACES).status_code == 200


def test_a_truncated_body_ends_before_its_announced_length(gong: SimulatedGong, client: httpx.Client) -> None:
    """The client notices the missing bytes."""
    gong.faults.append(Fault(truncate(0.5), count=1))
    with pytest.raises(httpx.RemoteProtocolError, match="without sending complete"):
        client.post(EXTENSIVE, json={"filter": {}})
    assert client.post(EXTENSIVE, json={"filter": {}}).status_code == 200


def test_a_hang_outlasts_the_timeout(gong: SimulatedGong, client: httpx.Client) -> None:
    """The next request is served while the first one still hangs."""
    gong.faults.append(Fault(hang(0.4), count=1))
    with pytest.raises(httpx.ReadTimeout):
        client.get(WORKSPACES, timeout=0.1)
    assert client.get(WORKSPACES).status_code == 200


def test_a_rewrite_changes_the_body(gong: SimulatedGong, client: httpx.Client) -> None:
    """Tests add and change fields that the company does not have."""
    gong.faults.append(Fault(rewrite(lambda body: body["workspaces"][0].update(name="New field", extra=2**60))))
    workspace = client.get(WORKSPACES).json()["workspaces"][0]
    assert (workspace["name"], workspace["extra"]) == ("New field", 2**60)
