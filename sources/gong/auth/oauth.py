"""OAuth with single-use refresh tokens: one exchange at a time, its result on the disk before anybody uses it.

Facts of Gong's OAuth (contract, sections 2 and 7.13): `POST /oauth2/generate-customer-token` with
Basic(client_id:client_secret) and a form; the answer has `access_token`, `refresh_token`, `expires_in` (86,400
seconds) and `api_base_url_for_customer`. A refresh token is good once.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncGenerator, Mapping
from urllib.parse import quote_plus, urlsplit

import httpx
import msgspec
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential, wait_random

from ..api.client import REACQUIRE
from ..api.responses import RetryableResponse, missing_scope, request_id_of
from ..api.urls import DEFAULT_BASE_URL, checked_base_url, is_loopback
from ..errors import AuthenticationError, GongError, ServiceUnavailableError, UnexpectedRedirectError
from .token_store import Grant, TokenStore

TOKEN_PATH = "/oauth2/generate-customer-token"
TOKEN_URL = f"https://app.gong.io{TOKEN_PATH}"
AUTHORIZE_PATH = "/oauth2/authorize"
AUTHORIZE_URL = f"https://app.gong.io{AUTHORIZE_PATH}"

_LIFETIME = 86_400.0
_EARLY = 300.0
_TRIES = 4
_BACKOFF = wait_exponential(multiplier=0.5, max=10.0) + wait_random(0.0, 0.5)
_TIMEOUT = httpx.Timeout(connect=15.0, read=30.0, write=30.0, pool=None)
# All requests of a run ask for a token; where there was no answer just now, they do not each try again.
_PAUSE_AFTER_FAILURE = 60.0
# Nothing was sent: the refresh token is as good as before.
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError)


class _TokenAnswer(msgspec.Struct):
    """The members of the answer that are used."""

    access_token: str
    refresh_token: str | None = None
    expires_in: float | None = None
    api_base_url_for_customer: str | None = None
    scope: str | None = None


_TOKEN_ANSWER = msgspec.json.Decoder(_TokenAnswer, strict=False)


class OAuth(httpx.Auth):
    """Sends the newest access token; exchanges the refresh token when it nears its end or Gong rejects it.

    Exchanges run in a thread: waiting for another process blocks no request, and a request that is cancelled
    does not take along the refresh token that is just being exchanged. They are no requests to Gong's API and
    count neither as requests of a run nor against the company's limits. A request that is sent again after an
    exchange does; the client counts it (`REACQUIRE`).

    Args:
        client_id, client_secret: The OAuth client.
        refresh_token: The one of the configuration; empty where somebody has logged in instead.
        base_url: Where requests go. Left at its default, they go to the host that Gong names with the token.
        token_url: The token endpoint; by default Gong's, or the one of `base_url` when that is on loopback.
        store: What is kept between runs and shared between processes.

    Raises:
        ConfigurationError: `token_url` is neither https nor loopback.
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
        base_url = checked_base_url(base_url)
        beside = f"{base_url}{TOKEN_PATH}" if is_loopback(base_url) else TOKEN_URL
        self._token_url = checked_base_url(token_url, "credentials.token_url") if token_url else beside
        self._client_id, self._client_secret, self._configured = client_id, client_secret, refresh_token
        self._asks_for_host = base_url == DEFAULT_BASE_URL
        self._store = store
        self._grant: Grant | None = None
        self._failure: tuple[str, float, GongError] | None = None

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Puts the token on the request; after a 401 that names no scope, once more with a new one.

        Raises:
            AuthenticationError: Gong gives no new token for the refresh token.
            Unreachable: The token endpoint does not answer.
            ConfigurationError: The tokens cannot be kept, or Gong names a host that is not https.
        """
        grant = self._grant
        if grant is None or not _is_good(grant):
            grant = self._grant = await asyncio.to_thread(self._refresh, None)
        answer = yield self._signed(request, grant)
        if answer.status_code != 401:
            return
        await answer.aread()
        if missing_scope(answer) is not None:
            return
        grant = self._grant = await asyncio.to_thread(self._refresh, grant)
        if (reacquire := request.extensions.get(REACQUIRE)) is not None:
            await reacquire()
        yield self._signed(request, grant)

    def exchange_code(self, code: str, redirect_uri: str) -> Grant:
        """Exchanges what Gong gave for an administrator's consent, and keeps what comes.

        Args:
            code: Good once, for ten minutes.
            redirect_uri: Where the code was sent to.

        Raises:
            AuthenticationError: Gong takes the code no more, or gives no refresh token for it.
            Unreachable: The token endpoint does not answer.
            ConfigurationError: The tokens cannot be kept.
        """
        with self._store.locked(), self._store.prepare_write() as keep:
            grant = self._request_token(
                {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri}
            )
            if not grant.refresh_token:
                raise AuthenticationError(
                    f"{self._token_url} gave no refresh token: is the client allowed to have one?"
                )
            keep(grant)
        return grant

    def _signed(self, request: httpx.Request, grant: Grant) -> httpx.Request:
        if self._asks_for_host and grant.api_base_url_for_customer:
            host = httpx.URL(checked_base_url(grant.api_base_url_for_customer, "api_base_url_for_customer"))
            request.url = request.url.copy_with(scheme=host.scheme, host=host.host, port=host.port)
            request.headers["Host"] = host.netloc.decode("ascii")
        request.headers["Authorization"] = f"Bearer {grant.access_token}"
        return request

    def _refresh(self, refused: Grant | None) -> Grant:
        """A grant that is not `refused`: the one that somebody else got meanwhile, or a new one, kept already."""
        if (newest := self._store.latest()) is not None and _may_be_used(newest, refused):
            return newest
        with self._store.locked():
            newest = self._store.latest()
            if newest is not None and _may_be_used(newest, refused):
                return newest
            refresh_token = self._configured if newest is None else newest.refresh_token
            if self._failure is not None and self._failure[0] == refresh_token and time.monotonic() < self._failure[1]:
                raise self._failure[2]
            with self._store.prepare_write() as keep:
                try:
                    grant = self._request_token({"grant_type": "refresh_token", "refresh_token": refresh_token})
                    keep(grant)
                except GongError as failure:
                    final = isinstance(failure, AuthenticationError)
                    until = math.inf if final else time.monotonic() + _PAUSE_AFTER_FAILURE
                    self._failure = (refresh_token, until, failure)
                    raise
            return grant

    def _request_token(self, form: Mapping[str, str]) -> Grant:
        """What Gong gives for a refresh token or a code; asked for again where no usable answer comes.

        An answer can be lost on the way after Gong has used the token up. Asking again is then refused, which
        costs nothing more; the error says how it came about.
        """
        lost = False
        try:
            with httpx.Client(timeout=_TIMEOUT, trust_env=not is_loopback(self._token_url)) as http:
                for attempt in Retrying(
                    retry=retry_if_exception_type((httpx.TransportError, httpx.DecodingError, RetryableResponse)),
                    wait=_BACKOFF,
                    stop=stop_after_attempt(_TRIES),
                    reraise=True,
                ):
                    with attempt:
                        try:
                            return self._exchanged_at_once(http, form, lost=lost)
                        except (httpx.TransportError, httpx.DecodingError, RetryableResponse) as failure:
                            lost = lost or not isinstance(failure, _NOT_SENT)
                            raise
        except (httpx.TransportError, httpx.DecodingError, RetryableResponse) as failure:
            outcome = (
                "an answer may have been lost, and the new refresh token with it: run again, and authorise again in"
                " Gong if it is refused then"
                if lost
                else "nothing is lost, run again later"
            )
            raise ServiceUnavailableError(
                f"{self._token_url}: no usable answer, tried {_TRIES} times; last:"
                f" {str(failure) or type(failure).__name__}; {outcome}"
            ) from failure
        raise AssertionError("tenacity ends with an answer or an exception")

    def _exchanged_at_once(self, http: httpx.Client, form: Mapping[str, str], *, lost: bool) -> Grant:
        given_away = form.get("refresh_token") or form["code"]
        asked_at = time.time()
        # As a form, not as a query: addresses end up in the logs of everything on the way.
        answer = http.post(
            self._token_url,
            data={**form, "client_id": self._client_id},
            auth=httpx.BasicAuth(self._client_id, self._client_secret),
            headers={"Accept": "application/json", "User-Agent": "gong-elt"},
            follow_redirects=False,
        )
        status = answer.status_code
        if status >= 500 or status in (408, 429):
            raise RetryableResponse(f"HTTP {status}")
        if status >= 400:
            what = form["grant_type"].replace("_", " ").replace("authorization", "authorisation")
            cause = f"; an earlier answer was lost on the way, and the {what} with it" if lost else ""
            raise AuthenticationError(
                f"{self._token_url}: HTTP {status} ({self._texts(answer, given_away)}): the {what} was used"
                f" or revoked, or is not this client's{cause}: authorise again in Gong"
                + (" and set the new credentials.refresh_token" if self._configured else ": gong-elt login"),
                request_id=request_id_of(answer),
                status=status,
            )
        if status >= 300:
            target = urlsplit(answer.headers.get("location", ""))
            raise UnexpectedRedirectError(
                f"{self._token_url} redirects to {target.scheme}://{target.netloc}: set credentials.token_url",
                status=status,
            )
        try:
            given = _TOKEN_ANSWER.decode(answer.content)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise RetryableResponse(f"HTTP {status} with a body that holds no tokens") from None
        lifetime = given.expires_in or _LIFETIME
        return Grant(
            access_token=given.access_token,
            refresh_token=given.refresh_token or form.get("refresh_token", ""),
            # A token that lives shorter than that would never be used.
            refresh_at=asked_at + lifetime - min(_EARLY, lifetime / 2),
            api_base_url_for_customer=given.api_base_url_for_customer or None,
            scope=given.scope,
        )

    def _texts(self, answer: httpx.Response, given_away: str) -> str:
        """What the answer says, without what it may repeat of the request."""
        try:
            said = msgspec.json.decode(answer.content, type=dict[str, object])
            values = [said[key] for key in ("error", "error_description", "errors") if said.get(key)]
            text = "; ".join(str(each) for value in values for each in (value if isinstance(value, list) else [value]))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            text = answer.text
        for secret in filter(None, (given_away, self._client_secret, self._configured)):
            text = text.replace(secret, "...").replace(quote_plus(secret), "...")
        return " ".join(text.split())[:200] or "no text"


def _is_good(grant: Grant) -> bool:
    return time.time() < grant.refresh_at


def _may_be_used(grant: Grant, refused: Grant | None) -> bool:
    return _is_good(grant) and (refused is None or grant.access_token != refused.access_token)
