"""OAuth endpoints of the simulated Gong: consent page, code exchange and single-use refresh tokens.

gong.oauth.add_refresh_token("refresh-1")
...
gong.oauth.expire_access_tokens()
assert gong.oauth.reused_tokens == []
"""

import base64
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qsl, urlencode

TOKEN_PATH = "/oauth2/generate-customer-token"
AUTHORIZE_PATH = "/oauth2/authorize"

_CODE_LIFETIME = timedelta(minutes=10)


class OAuthError(Exception):
    """An error response of an OAuth endpoint. Its members are those of RFC 6749; Gong's own texts are unknown."""

    def __init__(self, status: int, error: str, description: str) -> None:
        super().__init__(f"{status}: {error}")
        self.status = status
        self.members = {"error": error, "error_description": description}


@dataclass
class _AccessToken:
    expires: datetime
    scopes: frozenset[str] | None


@dataclass
class OAuthEndpoints:
    """Consent page and token endpoint for one OAuth client.

    Attributes:
        client_id: Id of the client.
        client_secret: Secret of the client.
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
    _codes: dict[str, tuple[str, datetime, str | None]] = field(default_factory=dict)
    _refresh_tokens: set[str] = field(default_factory=set)
    _access_tokens: dict[str, _AccessToken] = field(default_factory=dict)

    def add_refresh_token(self, refresh_token: str) -> None:
        """Make a refresh token valid, as an administrator's consent does."""
        self._refresh_tokens.add(refresh_token)
        self.issued_secrets.append(refresh_token)

    def expire_access_tokens(self) -> None:
        """Make all access tokens invalid, as if their lifetime had passed."""
        self._access_tokens.clear()

    def revoke_refresh_tokens(self) -> None:
        """Make all refresh tokens invalid, as an administrator does by revoking the consent."""
        self._refresh_tokens.clear()

    def list_valid_credentials(self, now: datetime) -> dict[str, frozenset[str] | None]:
        """Return the scopes by Authorization header of the access tokens that are valid now."""
        return {f"Bearer {text}": token.scopes for text, token in self._access_tokens.items() if now < token.expires}

    def build_consent_redirect(self, query: Mapping[str, str], now: datetime) -> str:
        """Return the URL to which the consent page redirects the browser.

        Raises:
            OAuthError: 400 if the client, its redirect address, the response type or the scope is invalid.
        """
        redirect_uri = query.get("redirect_uri", "")
        if query.get("client_id") != self.client_id or redirect_uri not in self.redirect_uris:
            raise OAuthError(400, "invalid_request", "Unknown client or redirect_uri")
        if query.get("response_type") != "code" or not query.get("scope"):
            raise OAuthError(400, "invalid_request", "response_type or scope is missing or wrong")
        if "code_challenge" in query and query.get("code_challenge_method") != "S256":
            raise OAuthError(400, "invalid_request", "code_challenge_method is missing or wrong")
        # The markup tests that a client escapes the description before it shows it.
        parameters = {"error": "access_denied", "error_description": "<b>The administrator</b> said no"}
        if self.grants_consent:
            code = f"code-{secrets.token_hex(16)}"
            self._codes[code] = redirect_uri, now + _CODE_LIFETIME, query.get("code_challenge")
            self.issued_secrets.append(code)
            parameters = {"code": code}
        return f"{redirect_uri}?{urlencode({**parameters, 'state': query.get('state', '')})}"

    def exchange_grant(
        self, method: str, headers: Mapping[str, str], raw: bytes, *, now: datetime, host: str
    ) -> dict[str, Any]:
        """Exchange an authorization code or a refresh token for new tokens; return the members of the response.

        Raises:
            OAuthError: If the client is unknown, or the code or token is invalid, expired or already used.
        """
        if method != "POST":
            raise OAuthError(405, "invalid_request", "Method Not Allowed")
        basic = base64.b64encode(f"{self.client_id}:{self.client_secret}".encode()).decode()
        if headers.get("authorization") != f"Basic {basic}":
            raise OAuthError(401, "invalid_client", "Unknown client")
        form = dict(parse_qsl(raw.decode()))
        grant_type = form.get("grant_type")
        if grant_type not in ("refresh_token", "authorization_code") or form.get("client_id") != self.client_id:
            raise OAuthError(400, "invalid_request", "grant_type or client_id is missing or wrong")
        if grant_type == "authorization_code":
            code = form.get("code", "")
            redirect_uri, expires, challenge = self._codes.pop(code, ("", now, None))
            if not redirect_uri or now >= expires or redirect_uri != form.get("redirect_uri"):
                raise OAuthError(400, "invalid_grant", f"Code {code} is invalid or was used")
            if challenge is not None and challenge != _hash_verifier(form.get("code_verifier", "")):
                raise OAuthError(400, "invalid_grant", "code_verifier does not match the code_challenge")
            return self._issue_tokens(now, host)
        refresh_token = form.get("refresh_token", "")
        if refresh_token not in self._refresh_tokens:
            self.reused_tokens.append(refresh_token)
            # Repeats the token on purpose: clients must not print this text.
            raise OAuthError(400, "invalid_grant", f"Refresh token {refresh_token} is invalid or was used")
        self._refresh_tokens.remove(refresh_token)
        self.exchanged_tokens.append(refresh_token)
        return self._issue_tokens(now, host)

    def _issue_tokens(self, now: datetime, host: str) -> dict[str, Any]:
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


def _hash_verifier(verifier: str) -> str:
    return base64.urlsafe_b64encode(sha256(verifier.encode()).digest()).decode().rstrip("=")
