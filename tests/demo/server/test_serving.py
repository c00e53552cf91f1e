"""The HTTP server below the simulated Gong: connections, bodies, mistakes of clients and of the application."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest

from pipelines.demo.server.asgi import Receive, Request, Response, Scope, Send, read_body
from pipelines.demo.server.serving import serve


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Respond with the length of the body; `/early` responds without reading it, `/fail` and `/late` fail."""
    request = Request(scope)
    if request.path == "/early":
        await Response(b"early", 413)(scope, receive, send)
        return
    if request.path == "/late":
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"9")]})
        await send({"type": "http.response.body", "body": b"half", "more_body": True})
    if request.path in ("/fail", "/late"):
        raise ValueError(request.path)
    body = await read_body(receive)
    text = f"{request.method} {request.path} {request.query} {len(body)}"
    await Response(text.encode(), headers={"Content-Type": "text/plain"})(scope, receive, send)


@pytest.fixture(scope="module")
def base_url() -> Iterator[str]:
    """Serve the application."""
    with serve(echo) as url:
        yield url


def test_a_connection_serves_many_requests(base_url: str) -> None:
    """Clients keep connections open, also after a large body and after one that was not read."""
    with httpx.Client(base_url=base_url, limits=httpx.Limits(max_connections=1)) as client:
        assert client.get("/a%20b?x=1&x=2&y=").text == "GET /a b {'x': '2', 'y': ''} 0"
        assert client.post("/p", content=b"1" * 3_000_000).text == "POST /p {} 3000000"
        assert client.put("/p", content=(b"22" for _ in range(3))).text == "PUT /p {} 6"
        assert client.post("/early", content=b"3" * 2_000_000).status_code == 413
        response = client.get("/q")
        assert response.text == "GET /q {} 0"
        assert "connection" not in response.headers


def test_a_client_that_asks_for_permission_may_send_its_body(base_url: str) -> None:
    """Clients such as curl send large uploads with `Expect: 100-continue` and wait for the answer."""
    with _connect(base_url) as connection:
        connection.sendall(b"POST /p HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
        assert connection.recv(1000).startswith(b"HTTP/1.1 100 ")
        connection.sendall(b"ab")
        received = b""
        while not received.endswith(b"POST /p {} 2"):
            part = connection.recv(1000)
            assert part, received
            received += part


def test_a_request_that_is_not_http_is_refused(base_url: str) -> None:
    """A wrong client gets a 400, one that breaks off gets nothing, and the server keeps serving others."""
    with _connect(base_url) as connection:
        connection.sendall(b"\x16\x03\x01 no http\r\n\r\n")
        assert connection.recv(1000).startswith(b"HTTP/1.1 400 ")
    with _connect(base_url) as connection:
        connection.sendall(b"POST /p HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nab")
    assert httpx.get(f"{base_url}/q").status_code == 200


def test_a_failure_of_the_application_is_a_server_error(base_url: str) -> None:
    """A mistake in the simulated Gong looks like one of any server: a 500, or a response that breaks off."""
    assert httpx.get(f"{base_url}/fail").status_code == 500
    with pytest.raises(httpx.RemoteProtocolError):
        httpx.get(f"{base_url}/late")


def test_only_loopback_addresses_are_served() -> None:
    """A simulated Gong must not be reachable from other machines."""
    with pytest.raises(ValueError, match="not a loopback address"), serve(echo, host="0.0.0.0"):
        pass


def _connect(base_url: str) -> socket.socket:
    url = urlsplit(base_url)
    assert url.hostname is not None
    assert url.port is not None
    return socket.create_connection((url.hostname, url.port), timeout=20)
