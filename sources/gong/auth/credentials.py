"""Who we are to Gong: an API key (Basic), OAuth or a bearer token, as dlt reads them and as httpx sends them."""

from __future__ import annotations

import re
from collections.abc import Generator

import httpx
from dlt.common.configuration import configspec
from dlt.common.configuration.specs import CredentialsConfiguration
from dlt.common.typing import TSecretStrValue

from ..errors import ConfigurationError
from .oauth import OAuth
from .token_store import TokenStore

_VISIBLE = re.compile(r"[\x21-\x7e]+")


@configspec
class GongApiKey(CredentialsConfiguration):
    """An API key, made by a technical administrator under Company settings > Ecosystem > API.

    Attributes:
        access_key: The key's name; Gong shows it again.
        access_key_secret: Its secret; Gong shows it once.
    """

    # Half of the credential: as plain text, dlt would write it into its trace.
    access_key: TSecretStrValue = None  # type: ignore[assignment]  # dlt's mark for "required"
    access_key_secret: TSecretStrValue = None  # type: ignore[assignment]  # likewise

    def auth(self, _base_url: str) -> httpx.Auth:
        """The header `Authorization: Basic base64(access_key:access_key_secret)`.

        Raises:
            ConfigurationError: One of them is empty.
        """
        if not self.access_key or not self.access_key_secret:
            raise ConfigurationError("credentials.access_key or credentials.access_key_secret is empty: fill in both")
        return httpx.BasicAuth(self.access_key, self.access_key_secret)


@configspec
class GongAccessToken(CredentialsConfiguration):
    """A bearer token as it is, for example one that another service keeps fresh.

    Attributes:
        access_token: The token, without the word Bearer.
    """

    access_token: TSecretStrValue = None  # type: ignore[assignment]  # dlt's mark for "required"

    def auth(self, _base_url: str) -> httpx.Auth:
        """The header `Authorization: Bearer <access_token>`.

        Raises:
            ConfigurationError: The token is empty, or has a character that no header takes.
        """
        if not self.access_token:
            raise ConfigurationError("credentials.access_token is empty: fill it in")
        if not _VISIBLE.fullmatch(self.access_token):
            # The HTTP library would refuse the header and quote it.
            raise ConfigurationError(
                "credentials.access_token has a space, a line break or a character that no token has: copy it anew"
            )
        return BearerAuth(self.access_token)


@configspec
class GongOAuth(CredentialsConfiguration):
    """An OAuth client and the refresh token that a company's administrator gave it.

    Refresh tokens are good once. The newest is kept in a file, which lives as long as the authorisation is to:
    where disks do not last, `token_file` names a place that does.

    Attributes:
        client_id: The client, from Gong's page of the integration.
        client_secret: Its secret.
        refresh_token: The one that came with the authorisation; a new one put here replaces what was kept. None where
            somebody logs in (`gong-elt login`).
        token_url: The token endpoint; by default Gong's, or that of a `base_url` on loopback.
        authorize_url: The page where an administrator consents; likewise.
        token_file: Where the newest tokens are kept; by default below dlt's data folder.
        account: Tells apart who has logged in with one client: the name of the connection.
    """

    client_id: str = None  # type: ignore[assignment]  # dlt's mark for "required"
    client_secret: TSecretStrValue = None  # type: ignore[assignment]  # likewise
    refresh_token: TSecretStrValue | None = None
    token_url: str | None = None
    authorize_url: str | None = None
    token_file: str | None = None
    account: str = "gong"

    def auth(self, base_url: str) -> httpx.Auth:
        """The header `Authorization: Bearer <the newest access token>`.

        Args:
            base_url: Where requests go; at its default, the host that Gong names with the token takes its place.

        Raises:
            ConfigurationError: One of them is empty, `token_url` is neither https nor loopback, no file can be written
            at
                `token_file`, or there is no refresh token and nobody has logged in.
        """
        oauth, store = self.client(base_url)
        if not self.refresh_token and store.latest() is None:
            raise ConfigurationError(
                f"nobody has logged in for connection {self.account!r}: run gong-elt login, or set"
                " credentials.refresh_token"
            )
        return oauth

    def client(self, base_url: str) -> tuple[OAuth, TokenStore]:
        """The OAuth client and what it keeps, whether or not it has been given a token yet; raises as `auth`."""
        parts = {name: getattr(self, name) for name in ("client_id", "client_secret")}
        if empty := [name for name, value in parts.items() if not value]:
            raise ConfigurationError(f"credentials.{' and credentials.'.join(empty)} is empty: fill it in")
        if self.refresh_token is not None and not self.refresh_token:
            raise ConfigurationError("credentials.refresh_token is empty: fill it in, or leave it out and log in")
        # No refresh token has a space.
        store = TokenStore(self.client_id, self.refresh_token or f"login {self.account}", self.token_file)
        configured = self.refresh_token or ""
        return OAuth(**parts, refresh_token=configured, base_url=base_url, token_url=self.token_url, store=store), store


GongCredentials = GongApiKey | GongOAuth | GongAccessToken


class BearerAuth(httpx.Auth):
    """Sends a token that is renewed elsewhere."""

    def __init__(self, token: str) -> None:
        self._header = f"Bearer {token}"

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Puts the header on the request."""
        request.headers["Authorization"] = self._header
        yield request
