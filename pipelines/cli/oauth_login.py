"""OAuth's first half: an administrator consents in a browser, and Gong sends a code to this machine's loopback."""

from __future__ import annotations

import hmac
import html
import secrets
import time
import webbrowser
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

from sources.gong import GongOAuth
from sources.gong.api.endpoint import ENDPOINTS
from sources.gong.api.urls import DEFAULT_BASE_URL, is_loopback, validate_base_url
from sources.gong.auth.oauth import AUTHORIZE_PATH, AUTHORIZE_URL
from sources.gong.resources.list_resources import RESOURCES

from ..runtime.connection import Connection
from ..runtime.errors import UsageError

CALLBACK_PATH = "/callback"
# A browser, or whatever else knocks, that opens a connection and says nothing.
_SECONDS_TO_SPEAK = 5.0


class LoginError(Exception):
    """No consent came; says why. Nothing was kept, and what was kept before stays."""


@dataclass(frozen=True, slots=True)
class LoginResult:
    """A consent that was given, and kept.

    Attributes:
        file: Where its tokens are.
        host: Where requests go from now on; None where Gong named no host.
        granted: Scopes that Gong named.
        missing: Scopes that were asked for and not given; empty where Gong named none at all.
    """

    file: Path
    host: str | None
    granted: Sequence[str]
    missing: Sequence[str]


def wanted_scopes() -> list[str]:
    """The scopes that a plain sync needs."""
    return sorted({endpoint.scope for endpoint in ENDPOINTS if endpoint.scope and endpoint.resource in RESOURCES})


def login(
    connection: Connection,
    tell: Callable[[str], None],
    *,
    port: int,
    scopes: Sequence[str],
    patience: timedelta,
    browser: bool = True,
) -> LoginResult:
    """Has an administrator of the company consent, and keeps the tokens that Gong gives for it.

    Args:
        connection: Its `credentials.client_id` and `credentials.client_secret` say which client asks.
        tell: Takes the address that has to be opened.
        port: Port on 127.0.0.1 that Gong sends the code to; the client's page in Gong has to name the same.
        scopes: What is asked for.
        patience: How long a consent is waited for.
        browser: Whether the address is opened at once.

    Raises:
        UsageError: The client is not configured, has a refresh token already, or the port is taken.
        ConfigurationError: A setting cannot be used as it is written.
        LoginError: Nobody consented.
        GongError: Gong gives no token for the code.
    """
    credentials = _client_of(connection)
    base_url = str(connection.setting("base_url", DEFAULT_BASE_URL))
    beside = f"{validate_base_url(base_url)}{AUTHORIZE_PATH}" if is_loopback(base_url) else AUTHORIZE_URL
    given = credentials.authorize_url
    page = validate_base_url(given, "credentials.authorize_url") if given else beside
    oauth, store = credentials.client(base_url)
    with _listening(port) as server:
        redirect_uri = f"http://127.0.0.1:{server.server_port}{CALLBACK_PATH}"
        server.state = secrets.token_urlsafe(32)
        asked = {
            "client_id": credentials.client_id,
            "response_type": "code",
            "scope": " ".join(scopes),
            "redirect_uri": redirect_uri,
            "state": server.state,
        }
        address = f"{page}?{urlencode(asked)}"
        tell(f"an administrator of the company consents here:\n{address}\nwaiting for the answer on {redirect_uri} …")
        if browser:
            webbrowser.open(address)
        code = server.code(patience)
    grant = oauth.exchange_code(code, redirect_uri)
    if grant.api_base_url_for_customer:
        validate_base_url(grant.api_base_url_for_customer, "api_base_url_for_customer")
    granted = (grant.scope or "").replace(",", " ").split()
    missing = [scope for scope in scopes if scope not in granted] if granted else []
    return LoginResult(store.path, grant.api_base_url_for_customer, granted, missing)


def _client_of(connection: Connection) -> GongOAuth:
    credentials = connection.credentials
    if not isinstance(credentials, GongOAuth):
        raise UsageError(
            f"connection {connection.name!r} has no OAuth client: set credentials.client_id and"
            " credentials.client_secret, from the page of the integration in Gong"
        )
    if credentials.refresh_token:
        raise UsageError(
            f"connection {connection.name!r} has a credentials.refresh_token, which goes before a login: take it out"
        )
    return credentials


def _listening(port: int) -> _Server:
    try:
        return _Server(port)
    except OSError as failure:
        raise UsageError(
            f"port {port} on 127.0.0.1 cannot be listened on ({failure.strerror}): choose another with --port, and"
            " name it in the client's redirect address in Gong"
        ) from failure


class _Server(HTTPServer):
    """Waits for the one answer that carries the state that was sent."""

    def __init__(self, port: int) -> None:
        super().__init__(("127.0.0.1", port), _Callback)
        self.state = ""
        self.came: str | None = None
        self.refused: str | None = None

    def code(self, patience: timedelta) -> str:
        """The code, once it came; raises `LoginError`."""
        until = time.monotonic() + patience.total_seconds()
        while self.came is None and self.refused is None:
            if (left := until - time.monotonic()) <= 0:
                raise LoginError(f"nobody consented within {patience.total_seconds():.0f} s: run gong-elt login again")
            self.timeout = left
            self.handle_request()
        if self.came is None:
            raise LoginError(f"Gong gave no consent: {self.refused}")
        return self.came

    def handle_error(self, request: object, client_address: object) -> None:
        """A connection that breaks off is no answer; the wait goes on."""


class _Callback(BaseHTTPRequestHandler):
    server: _Server
    timeout = _SECONDS_TO_SPEAK

    def do_GET(self) -> None:
        """Takes the code, or why there is none; anything else is told so and changes nothing."""
        parts = urlsplit(self.path)
        if parts.path != CALLBACK_PATH:
            self._say(404, "There is nothing here.")
            return
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if not hmac.compare_digest(query.get("state", "").encode(), self.server.state.encode()):
            self._say(400, "This answer belongs to another login. The one under way goes on.")
        elif query.get("code"):
            self.server.came = query["code"]
            self._say(200, "gong-elt has Gong's answer. This page can be closed; the terminal says the rest.")
        else:
            why = " ".join(f"{query.get('error', 'no code')} {query.get('error_description', '')}".split())[:200]
            self.server.refused = why
            self._say(200, f"Gong gave no consent: {why}")

    def _say(self, status: int, text: str) -> None:
        page = f"<!doctype html><meta charset='utf-8'><title>gong-elt</title><p>{html.escape(text)}</p>".encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(page)))
        self.send_header("Content-Security-Policy", "default-src 'none'")
        self.send_header("Referrer-Policy", "no-referrer")
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name in the standard library
        """Nothing is logged: addresses carry the code."""
