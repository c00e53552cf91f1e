"""OAuth authorisation: consent in a browser, a callback on the loopback interface, and tokens in return."""

from __future__ import annotations

import hmac
import html
import secrets
import time
import webbrowser
from base64 import urlsafe_b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

from sources.gong import GongOAuth
from sources.gong.api.urls import is_loopback, validate_base_url
from sources.gong.auth.oauth import AUTHORIZE_PATH, AUTHORIZE_URL
from sources.gong.resources import ENDPOINTS_BY_RESOURCE, RESOURCES

from ..runtime.connection import Connection
from ..runtime.errors import UsageError

CALLBACK_PATH = "/callback"
# A client that connects and sends nothing must not block the callback.
_REQUEST_TIMEOUT_SECONDS = 5.0


class LoginError(Exception):
    """No consent was received. No token was stored, and earlier ones are kept."""


@dataclass(frozen=True, slots=True)
class LoginResult:
    """A consent whose tokens are stored.

    Attributes:
        file: File with the tokens.
        host: Base URL of the customer; None if Gong did not send one.
        granted: Scopes that Gong granted; empty if Gong did not send them.
        missing: Scopes that were requested and not granted; empty if Gong did not send the granted ones.
    """

    file: Path
    host: str | None
    granted: Sequence[str]
    missing: Sequence[str]


def default_scopes() -> list[str]:
    """Return the scopes that a default sync needs."""
    return sorted({endpoint.scope for name in RESOURCES for endpoint in ENDPOINTS_BY_RESOURCE[name] if endpoint.scope})


def login(
    connection: Connection,
    notify: Callable[[str], None],
    *,
    port: int,
    scopes: Sequence[str],
    timeout: timedelta,
    browser: bool = True,
) -> LoginResult:
    """Wait for the consent of an administrator, exchange its code for tokens, and store them.

    Args:
        connection: A connection with `credentials.client_id` and `credentials.client_secret`.
        notify: Receives the URL of the consent page.
        port: Port on 127.0.0.1 for the callback; it must be in the redirect URI of the client in Gong.
        scopes: Scopes to request.
        timeout: How long to wait for the consent.
        browser: Open the consent page in a browser.

    Raises:
        UsageError: If the client is not configured or has a refresh token, or the port is in use.
        ConfigurationError: If a setting has an invalid value.
        LoginError: If the consent was denied or not given in time.
        GongError: If Gong does not exchange the code for tokens.
    """
    credentials = _client_credentials(connection)
    base_url = connection.settings.base_url
    consent_page = _consent_page(credentials.authorize_url, base_url)
    oauth, store = credentials.client(base_url)
    with _listen(port) as server:
        redirect_uri = f"http://127.0.0.1:{server.server_port}{CALLBACK_PATH}"
        server.state, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(64)
        parameters = {
            "client_id": credentials.client_id,
            "response_type": "code",
            "scope": " ".join(scopes),
            "redirect_uri": redirect_uri,
            "state": server.state,
            # RFC 7636: an intercepted code is worthless without the verifier.
            "code_challenge": urlsafe_b64encode(sha256(verifier.encode()).digest()).decode().rstrip("="),
            "code_challenge_method": "S256",
        }
        url = f"{consent_page}?{urlencode(parameters)}"
        notify(f"open this page as an administrator and consent:\n{url}\nwaiting for the response on {redirect_uri} …")
        if browser:
            webbrowser.open(url)
        code = server.wait_for_code(timeout)
    grant = oauth.exchange_code(code, redirect_uri, verifier)
    if grant.api_base_url_for_customer:
        validate_base_url(grant.api_base_url_for_customer, "api_base_url_for_customer")
    granted = (grant.scope or "").replace(",", " ").split()
    missing = [scope for scope in scopes if scope not in granted] if granted else []
    return LoginResult(store.path, grant.api_base_url_for_customer, granted, missing)


def _consent_page(authorize_url: str | None, base_url: str) -> str:
    if authorize_url:
        return validate_base_url(authorize_url, "credentials.authorize_url")
    return f"{validate_base_url(base_url)}{AUTHORIZE_PATH}" if is_loopback(base_url) else AUTHORIZE_URL


def _client_credentials(connection: Connection) -> GongOAuth:
    credentials = connection.credentials
    if not isinstance(credentials, GongOAuth):
        raise UsageError(
            f"connection {connection.name!r} has no OAuth client: set credentials.client_id and"
            " credentials.client_secret, from the page of the integration in Gong"
        )
    if credentials.refresh_token:
        raise UsageError(
            f"connection {connection.name!r} has a credentials.refresh_token, which takes precedence over a login:"
            " remove it"
        )
    return credentials


def _listen(port: int) -> _Server:
    try:
        return _Server(port)
    except OSError as error:
        raise UsageError(
            f"port {port} on 127.0.0.1 is not available ({error.strerror}): choose another with --port, and add it to"
            " the redirect URIs of the client in Gong"
        ) from error


class _Server(HTTPServer):
    """Waits for the callback that carries the expected state."""

    def __init__(self, port: int) -> None:
        super().__init__(("127.0.0.1", port), _Callback)
        self.state = ""
        self.received_code: str | None = None
        self.denial: str | None = None

    def wait_for_code(self, timeout: timedelta) -> str:
        """Return the authorisation code.

        Raises:
            LoginError: If the consent was denied or not given in time.
        """
        give_up_at = time.monotonic() + timeout.total_seconds()
        while self.received_code is None and self.denial is None:
            if (remaining := give_up_at - time.monotonic()) <= 0:
                raise LoginError(f"no consent within {timeout.total_seconds():.0f} s: run gong-elt login again")
            self.timeout = remaining
            self.handle_request()
        if self.received_code is None:
            raise LoginError(f"the consent was denied: {self.denial}")
        return self.received_code

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore a broken connection and keep waiting."""


class _Callback(BaseHTTPRequestHandler):
    server: _Server
    timeout = _REQUEST_TIMEOUT_SECONDS

    def do_GET(self) -> None:
        """Accept the code or the denial of the expected state; answer other requests with an error."""
        parts = urlsplit(self.path)
        if parts.path != CALLBACK_PATH:
            self._respond(404, "This page does not exist.")
            return
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if not hmac.compare_digest(query.get("state", "").encode(), self.server.state.encode()):
            self._respond(400, "This response belongs to another login. The current one is still waiting.")
        elif query.get("code"):
            self.server.received_code = query["code"]
            self._respond(200, "gong-elt has received the consent. This page can be closed; see the terminal.")
        else:
            reason = " ".join(f"{query.get('error', 'no code')} {query.get('error_description', '')}".split())[:200]
            self.server.denial = reason
            self._respond(200, f"The consent was denied: {reason}")

    def _respond(self, status: int, text: str) -> None:
        page = f"<!doctype html><meta charset='utf-8'><title>gong-elt</title><p>{html.escape(text)}</p>".encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(page)))
        self.send_header("Content-Security-Policy", "default-src 'none'")
        self.send_header("Referrer-Policy", "no-referrer")
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the standard library's name
        """Log nothing, because URLs contain the code."""
