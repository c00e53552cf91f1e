"""The simulated Gong's OAuth: refresh tokens that are good once, access tokens that end or are revoked.

gong.oauth.add_refresh_token("refresh-1")
...
gong.oauth.revoke_access_tokens()
assert gong.oauth.reused_tokens == []
"""

import base64
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode

TOKEN_PATH = "/oauth2/generate-customer-token"
AUTHORIZE_PATH = "/oauth2/authorize"

_CODE_LIVES = timedelta(minutes=10)


class TokenRefused(Exception):
    """An answer other than 200. The members are those of RFC 6749; Gong's own texts are not known."""

    def __init__(self, status: int, error: str, description: str) -> None:
        super().__init__(f"{status}: {error}")
        self.status = status
        self.members = {"error": error, "error_description": description}


@dataclass
class _AccessToken:
    until: datetime
    scopes: frozenset[str] | None


@dataclass
class TokenEndpoint:
    """The OAuth endpoints for one client: consent page, token exchange and refresh.

    Attributes:
        access_token_lifetime: Lifetime of access tokens issued from now on.
        scopes: Scopes of access tokens issued from now on; None grants all.
        host: Host returned as the company's API host; None returns the host of the request.
        grants_consent: Whether the administrator accepts on the consent page.
        redirect_uris: Redirect addresses registered for the client.
        exchanged_tokens: Refresh tokens in the order they were used.
        reused_tokens: Refresh tokens sent after they were used or revoked.
        issued_secrets: Every authorization code, access token and refresh token issued.
    """

    client_id: str = "demo-client"
    client_secret: str = "demo-client-secret"
    access_token_lifetime: timedelta = timedelta(days=1)
    scopes: frozenset[str] | None = None
    host: str | None = None
    grants_consent: bool = True
    redirect_uris: set[str] = field(default_factory=set)
    exchanged_tokens: list[str] = field(default_factory=list)
    reused_tokens: list[str] = field(default_factory=list)
    issued_secrets: list[str] = field(default_factory=list)
    _codes: dict[str, tuple[str, datetime]] = field(default_factory=dict)
    _refresh_tokens: set[str] = field(default_factory=set)
    _access_tokens: dict[str, _AccessToken] = field(default_factory=dict)

    def add_refresh_token(self, refresh_token: str) -> None:
        """What an administrator's consent gives: a first refresh token."""
        self._refresh_tokens.add(refresh_token)
        self.issued_secrets.append(refresh_token)

    def authorised(self, query: Mapping[str, str], now: datetime) -> str:
        """Where the page of consent sends the browser; raises `TokenRefused` for a client it does not know."""
        redirect_uri = query.get("redirect_uri", "")
        if query.get("client_id") != self.client_id or redirect_uri not in self.redirect_uris:
            raise TokenRefused(400, "invalid_request", "Unknown client or redirect_uri")
        if query.get("response_type") != "code" or not query.get("scope"):
            raise TokenRefused(400, "invalid_request", "response_type or scope is missing or wrong")
        told = {"error": "access_denied", "error_description": "<b>The administrator</b> said no"}
        if self.grants_consent:
            code = f"code-{secrets.token_hex(16)}"
            self._codes[code] = redirect_uri, now + _CODE_LIVES
            self.issued_secrets.append(code)
            told = {"code": code}
        return f"{redirect_uri}?{urlencode({**told, 'state': query.get('state', '')})}"

    def expire_access_tokens(self) -> None:
        """Ends all access tokens, as time would."""
        self._access_tokens.clear()

    def revoke_refresh_tokens(self) -> None:
        """Makes all refresh tokens worthless, as when the administrator takes the consent back."""
        self._refresh_tokens.clear()

    def credentials(self, now: datetime) -> dict[str, frozenset[str] | None]:
        """The Authorization headers that are good now, with their scopes."""
        return {f"Bearer {token}": given.scopes for token, given in self._access_tokens.items() if now < given.until}

    def exchange(
        self, method: str, headers: Mapping[str, str], raw: bytes, *, now: datetime, host: str
    ) -> dict[str, Any]:
        """Takes a refresh token and gives the members of the answer; raises `TokenRefused`."""
        if method != "POST":
            raise TokenRefused(405, "invalid_request", "Method Not Allowed")
        basic = base64.b64encode(f"{self.client_id}:{self.client_secret}".encode()).decode()
        if headers.get("authorization") != f"Basic {basic}":
            raise TokenRefused(401, "invalid_client", "Unknown client")
        form = dict(parse_qsl(raw.decode()))
        kind = form.get("grant_type")
        if kind not in ("refresh_token", "authorization_code") or form.get("client_id") != self.client_id:
            raise TokenRefused(400, "invalid_request", "grant_type or client_id is missing or wrong")
        if kind == "authorization_code":
            code = form.get("code", "")
            redirect_uri, until = self._codes.pop(code, ("", now))
            if not redirect_uri or now >= until or redirect_uri != form.get("redirect_uri"):
                raise TokenRefused(400, "invalid_grant", f"Code {code} is invalid or was used")
            return self._tokens(now, host)
        token = form.get("refresh_token", "")
        if token not in self._refresh_tokens:
            self.reused_tokens.append(token)
            # A server that is careless enough to repeat what it was sent: clients must not print it.
            raise TokenRefused(400, "invalid_grant", f"Refresh token {token} is invalid or was used")
        self._refresh_tokens.remove(token)
        self.exchanged_tokens.append(token)
        return self._tokens(now, host)

    def _tokens(self, now: datetime, host: str) -> dict[str, Any]:
        access_token, refresh_token = f"access-{secrets.token_hex(16)}", f"refresh-{secrets.token_hex(16)}"
        self._access_tokens[access_token] = _AccessToken(now + self.access_token_lifetime, self.scopes)
        self._refresh_tokens.add(refresh_token)
        self.issued_secrets += [access_token, refresh_token]
        return {
            "access_token": access_token,
            "refresh_token": refresh_token,
            "token_type": "Bearer",
            "expires_in": int(self.access_token_lifetime.total_seconds()),
            "scope": " ".join(sorted(self.scopes or ())),
            "api_base_url_for_customer": self.host or host,
        }
