"""Refresh OAuth tokens as httpx auth: one refresh at a time, stored on disk before the new token is used.

Gong's OAuth (contract, sections 2 and 7.13): `POST /oauth2/generate-customer-token` with
Basic(client_id:client_secret) and a form. The response has `access_token`, `refresh_token`, `expires_in` (86,400
seconds) and `api_base_url_for_customer`. Refresh tokens are single-use.
"""

from __future__ import annotations

import asyncio
import math
import threading
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from urllib.parse import quote_plus, urlsplit

import httpx
import msgspec

from ..api.client import REACQUIRE
from ..api.responses import missing_scope, parse_request_id
from ..api.retry import (
    RETRYABLE_ERRORS,
    TOKEN_FAILURE_PAUSE_SECONDS,
    TOKEN_REQUESTS,
    RetryableResponseError,
    is_retryable_status,
)
from ..api.urls import is_loopback, validate_base_url
from ..errors import AuthenticationError, GongError, ServiceUnavailableError, UnexpectedRedirectError
from ..settings import DEFAULT_BASE_URL
from .token_store import Grant, TokenStore

TOKEN_PATH = "/oauth2/generate-customer-token"
TOKEN_URL = f"https://app.gong.io{TOKEN_PATH}"
AUTHORIZE_PATH = "/oauth2/authorize"
AUTHORIZE_URL = f"https://app.gong.io{AUTHORIZE_PATH}"

_DEFAULT_LIFETIME_SECONDS = 86_400.0
_REFRESH_EARLY_SECONDS = 300.0
_TIMEOUT = httpx.Timeout(connect=5.0, read=30.0, write=30.0, pool=None)
_SECRET_FIELDS = ("refresh_token", "code", "code_verifier")
# The request was not sent, so the refresh token has not been used.
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError)
# Held from the request for tokens until they are stored.
_EXCHANGE = threading.Lock()


class _TokenResponse(msgspec.Struct):
    """The fields of a token response that are used."""

    access_token: str
    refresh_token: str | None = None
    expires_in: float | None = None
    api_base_url_for_customer: str | None = None
    scope: str | None = None


_TOKEN_RESPONSE = msgspec.json.Decoder(_TokenResponse, strict=False)


class OAuth(httpx.Auth):
    """Auth that sends the latest access token and refreshes it before it expires or when Gong rejects it.

    Refreshes run in a thread. Waiting for another process then blocks no request, and a cancelled request does not
    lose the refresh token that is being used. Token requests are not API requests: they count neither in the
    metrics nor towards the company's limits. A request that is sent again after a refresh does (`REACQUIRE`).

    Args:
        client_id: Id of the OAuth client.
        client_secret: Its secret.
        refresh_token: The configured refresh token; empty after `gong-elt login`.
        base_url: URL of the API. If it is the default, requests go to the host that Gong returns with the token.
        token_url: Token endpoint. Default: Gong's, or below `base_url` if that is a loopback address.
        store: Stores the tokens between runs and shares them between processes.

    Raises:
        ConfigurationError: If `token_url` is neither https nor loopback.
    """

    def __init__(
        self,
        client_id: str,
        client_secret: str,
        refresh_token: str,
        *,
        base_url: str,
        token_url: str | None,
        store: TokenStore,
    ) -> None:
        base_url = validate_base_url(base_url)
        default_token_url = f"{base_url}{TOKEN_PATH}" if is_loopback(base_url) else TOKEN_URL
        self._token_url = validate_base_url(token_url, "credentials.token_url") if token_url else default_token_url
        self._client_id, self._client_secret, self._configured_token = client_id, client_secret, refresh_token
        self._uses_returned_host = base_url == DEFAULT_BASE_URL
        self._store = store
        self._grant: Grant | None = None
        # Refresh token, monotonic time until which it is not tried again, and the error.
        self._last_failure: tuple[str, float, GongError] | None = None

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Add the token to the request. After a 401 that names no scope, send it once more with a new token.

        Raises:
            AuthenticationError: If Gong issues no new token for the refresh token.
            ServiceUnavailableError: If the token endpoint does not respond.
            ConfigurationError: If the tokens cannot be stored, or Gong returns a host that is not https.
        """
        grant = self._grant
        if grant is None or not _is_fresh(grant):
            grant = self._grant = await asyncio.to_thread(self._refresh, None)
        response = yield self._authorise(request, grant)
        if response.status_code != 401:
            return
        await response.aread()
        if missing_scope(response) is not None:
            return
        grant = self._grant = await asyncio.to_thread(self._refresh, grant)
        if (reacquire := request.extensions.get(REACQUIRE)) is not None:
            await reacquire()
        yield self._authorise(request, grant)

    def exchange_code(self, code: str, redirect_uri: str, code_verifier: str) -> Grant:
        """Exchange an authorisation code for tokens, store and return them.

        Args:
            code: Authorisation code. It is single-use and valid for ten minutes.
            redirect_uri: URI that the code was sent to.
            code_verifier: Secret of the login, whose hash was sent with the request for consent (PKCE).

        Raises:
            AuthenticationError: If Gong rejects the code, or returns no refresh token.
            ServiceUnavailableError: If the token endpoint does not respond.
            ConfigurationError: If the tokens cannot be stored.
        """
        with self._store.locked(), _EXCHANGE, self._store.prepare_write() as store:
            grant = self._request_token(
                {
                    "grant_type": "authorization_code",
                    "code": code,
                    "redirect_uri": redirect_uri,
                    "code_verifier": code_verifier,
                }
            )
            if not grant.refresh_token:
                raise AuthenticationError(
                    f"{self._token_url} returned no refresh token: allow refresh tokens for the client in Gong"
                )
            store(grant)
        return grant

    def _authorise(self, request: httpx.Request, grant: Grant) -> httpx.Request:
        """Return the request with the grant's token and host."""
        if self._uses_returned_host and grant.api_base_url_for_customer:
            host = httpx.URL(validate_base_url(grant.api_base_url_for_customer, "api_base_url_for_customer"))
            request.url = request.url.copy_with(scheme=host.scheme, host=host.host, port=host.port)
            request.headers["Host"] = host.netloc.decode("ascii")
        request.headers["Authorization"] = f"Bearer {grant.access_token}"
        return request

    def _refresh(self, rejected: Grant | None) -> Grant:
        """Return a usable grant: one that another thread or process has stored, or a new one.

        Args:
            rejected: The grant that Gong does not accept; None if the present one has only expired.
        """
        if (latest := self._store.latest()) is not None and _is_usable(latest, rejected):
            return latest
        with self._store.locked():
            latest = self._store.latest()
            if latest is not None and _is_usable(latest, rejected):
                return latest
            refresh_token = self._configured_token if latest is None else latest.refresh_token
            if self._last_failure is not None:
                failed_token, retry_at, error = self._last_failure
                if failed_token == refresh_token and time.monotonic() < retry_at:
                    raise error
            with _EXCHANGE, self._store.prepare_write() as store:
                try:
                    grant = self._request_token({"grant_type": "refresh_token", "refresh_token": refresh_token})
                    store(grant)
                except GongError as error:
                    # Every request of a run needs a token; only the first one waits for a failing endpoint.
                    is_final = isinstance(error, AuthenticationError)
                    retry_at = math.inf if is_final else time.monotonic() + TOKEN_FAILURE_PAUSE_SECONDS
                    self._last_failure = (refresh_token, retry_at, error)
                    raise
            return grant

    def _request_token(self, form: Mapping[str, str]) -> Grant:
        """Return the grant for a refresh token or a code. Failures are retried as `TOKEN_REQUESTS` defines.

        A response can get lost after Gong has used the token. The next attempt is then rejected, and the error message
        mentions the lost response.
        """
        may_be_used = False
        try:
            with httpx.Client(timeout=_TIMEOUT, trust_env=not is_loopback(self._token_url)) as http:
                for attempt in TOKEN_REQUESTS.attempts():
                    with attempt:
                        try:
                            return self._request_token_once(http, form, may_be_used=may_be_used)
                        except RETRYABLE_ERRORS as error:
                            may_be_used = may_be_used or not isinstance(error, _NOT_SENT)
                            raise
        except RETRYABLE_ERRORS as error:
            remedy = (
                "a response with the new refresh token may have been lost: run again, and if the refresh token is"
                " rejected then, authorise again in Gong"
                if may_be_used
                else "no token was used, run again later"
            )
            raise ServiceUnavailableError(
                f"{self._token_url}: no usable response after {TOKEN_REQUESTS.max_attempts} attempts, the last one:"
                f" {str(error) or type(error).__name__}; {remedy}"
            ) from error
        raise AssertionError("the last attempt returns or raises")

    def _request_token_once(self, http: httpx.Client, form: Mapping[str, str], *, may_be_used: bool) -> Grant:
        requested_at = time.time()
        # The values are sent as a form: URLs appear in the logs of proxies.
        response = http.post(
            self._token_url,
            data={**form, "client_id": self._client_id},
            auth=httpx.BasicAuth(self._client_id, self._client_secret),
            headers={"Accept": "application/json", "User-Agent": "gong-elt"},
            follow_redirects=False,
        )
        status = response.status_code
        if is_retryable_status(status):
            raise RetryableResponseError(f"HTTP {status}")
        if status >= 400:
            raise self._rejection_error(response, form, may_be_used=may_be_used)
        if status >= 300:
            target = urlsplit(response.headers.get("location", ""))
            raise UnexpectedRedirectError(
                f"{self._token_url} redirects to {target.scheme}://{target.netloc}: set credentials.token_url",
                status=status,
            )
        try:
            tokens = _TOKEN_RESPONSE.decode(response.content)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise RetryableResponseError(f"HTTP {status} without tokens") from None
        lifetime = tokens.expires_in or _DEFAULT_LIFETIME_SECONDS
        return Grant(
            access_token=tokens.access_token,
            refresh_token=tokens.refresh_token or form.get("refresh_token", ""),
            # At most half of the lifetime early, so that short-lived tokens are used at all.
            refresh_at=requested_at + lifetime - min(_REFRESH_EARLY_SECONDS, lifetime / 2),
            api_base_url_for_customer=tokens.api_base_url_for_customer or None,
            scope=tokens.scope,
        )

    def _rejection_error(
        self, response: httpx.Response, form: Mapping[str, str], *, may_be_used: bool
    ) -> AuthenticationError:
        """Return the exception for a rejected refresh token or code."""
        name = "refresh token" if form["grant_type"] == "refresh_token" else "authorisation code"
        text = self._error_text(response, [form[name] for name in _SECRET_FIELDS if name in form])
        cause = f"; an earlier response was lost, and the {name} with it" if may_be_used else ""
        remedy = " and set the new credentials.refresh_token" if self._configured_token else " with gong-elt login"
        return AuthenticationError(
            f"{self._token_url}: HTTP {response.status_code} ({text}): the {name} was used or revoked, or belongs to"
            f" another client{cause}: authorise again in Gong{remedy}",
            request_id=parse_request_id(response),
            status=response.status_code,
        )

    def _error_text(self, response: httpx.Response, sent_secrets: Sequence[str]) -> str:
        """Return the response's error text without secrets that it may repeat."""
        try:
            content = msgspec.json.decode(response.content, type=dict[str, object])
            values = [content[key] for key in ("error", "error_description", "errors") if content.get(key)]
            text = "; ".join(str(item) for value in values for item in (value if isinstance(value, list) else [value]))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            text = response.text
        for secret in filter(None, (*sent_secrets, self._client_secret, self._configured_token)):
            text = text.replace(secret, "...").replace(quote_plus(secret), "...")
        return " ".join(text.split())[:200] or "no text"


def _is_fresh(grant: Grant) -> bool:
    return time.time() < grant.refresh_at


def _is_usable(grant: Grant, rejected: Grant | None) -> bool:
    return _is_fresh(grant) and (rejected is None or grant.access_token != rejected.access_token)


def wait_for_token_exchange(timeout_seconds: float) -> None:
    """Wait until this process has stored the tokens that it is requesting. Call it before the process is ended.

    Gong may have used the refresh token already: without the new one, a person has to log in again.
    """
    if _EXCHANGE.acquire(timeout=timeout_seconds):
        _EXCHANGE.release()
