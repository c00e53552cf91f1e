"""Credentials of the source: an API key, OAuth or a bearer token, as dlt configuration and as httpx auth."""

from __future__ import annotations

import re
from collections.abc import Generator
from typing import Any, ClassVar

import httpx
from dlt.common.configuration import configspec
from dlt.common.configuration.const import TYPE_EXAMPLES
from dlt.common.configuration.specs import CredentialsConfiguration
from dlt.common.typing import TSecretStrValue

from ..errors import ConfigurationError
from .oauth import OAuth
from .token_store import TokenStore

_VISIBLE_ASCII = re.compile(r"[\x21-\x7e]+")


@configspec
class GongApiKey(CredentialsConfiguration):
    """An API key, created by a technical administrator under Company settings > Ecosystem > API.

    Attributes:
        access_key: Name of the key.
        access_key_secret: Its secret, which Gong shows only once.
    """

    # `dlt init` writes these into secrets.toml with their defaults, not with a placeholder that could be sent to Gong.
    __config_gen_annotations__: ClassVar[list[str]] = ["access_key", "access_key_secret"]

    # Both are secrets: dlt writes plain strings into its trace.
    access_key: TSecretStrValue = ""
    access_key_secret: TSecretStrValue = ""

    @classmethod
    def is_field_resolved(cls, value: Any, hint: Any) -> bool:
        """Return whether the field has a value. If it is empty, dlt tries the next kind of credentials."""
        return bool(super().is_field_resolved(value, hint) and is_filled_in(value))

    def auth(self, _base_url: str) -> httpx.Auth:
        """Return auth that sends `Authorization: Basic base64(access_key:access_key_secret)`.

        Raises:
            ConfigurationError: If a value is empty.
        """
        access_key, secret = _strip(self.access_key), _strip(self.access_key_secret)
        if not access_key or not secret:
            raise ConfigurationError("credentials.access_key or credentials.access_key_secret is empty: set both")
        return httpx.BasicAuth(access_key, secret)


@configspec
class GongAccessToken(CredentialsConfiguration):
    """A bearer token that another service refreshes.

    Attributes:
        access_token: The token, without the word Bearer.
    """

    access_token: TSecretStrValue = None  # type: ignore[assignment]  # dlt's mark for "required"

    def auth(self, _base_url: str) -> httpx.Auth:
        """Return auth that sends `Authorization: Bearer <access_token>`.

        Raises:
            ConfigurationError: If the token is empty or contains characters that are not allowed in a header.
        """
        token = _strip(self.access_token)
        if not token:
            raise ConfigurationError("credentials.access_token is empty: set it")
        if not _VISIBLE_ASCII.fullmatch(token):
            # httpx would reject the header with an error message that contains it.
            raise ConfigurationError(
                "credentials.access_token contains a space, a line break or another invalid character: copy it again"
            )
        return BearerAuth(token)


@configspec
class GongOAuth(CredentialsConfiguration):
    """An OAuth client and the refresh token of a company that authorised it.

    Refresh tokens are single-use. The latest one is stored in a file, which has to be kept as long as the
    authorisation: if the default folder is not persistent, set `token_file`.

    Attributes:
        client_id: Client id from the integration's page in Gong.
        client_secret: Client secret from the same page.
        refresh_token: Refresh token from the authorisation. A new value replaces the stored token. None after
            `gong-elt login`.
        token_url: Token endpoint. Default: Gong's, or below `base_url` if that is a loopback address.
        authorize_url: Consent page. Default: Gong's, or below `base_url` if that is a loopback address.
        token_file: File that stores the latest tokens. Default: a file in dlt's data folder.
        account: Name of the connection, which separates the logins of several companies with one client.
    """

    client_id: str = None  # type: ignore[assignment]  # dlt's mark for "required"
    client_secret: TSecretStrValue = None  # type: ignore[assignment]  # dlt's mark for "required"
    refresh_token: TSecretStrValue | None = None
    token_url: str | None = None
    authorize_url: str | None = None
    token_file: str | None = None
    account: str = "gong"

    def auth(self, base_url: str) -> httpx.Auth:
        """Return auth that sends `Authorization: Bearer <latest access token>`.

        Args:
            base_url: URL of the API. If it is the default, requests go to the host that Gong returns with the token.

        Raises:
            ConfigurationError: If a value is empty, `token_url` is neither https nor loopback, `token_file` cannot be
                written, or there is neither a refresh token nor a login.
        """
        oauth, store = self.client(base_url)
        if not self.refresh_token and store.latest() is None:
            raise ConfigurationError(
                f"connection {self.account!r} has no login: run gong-elt login, or set credentials.refresh_token"
            )
        return oauth

    def client(self, base_url: str) -> tuple[OAuth, TokenStore]:
        """Return the OAuth client and its token store, which may be empty.

        Args:
            base_url: URL of the API.

        Raises:
            ConfigurationError: As for `auth`, except that there may be no login.
        """
        values = {name: _strip(getattr(self, name)) for name in ("client_id", "client_secret")}
        refresh_token = _strip(self.refresh_token)
        if empty := [name for name, value in values.items() if not value]:
            raise ConfigurationError(f"credentials.{' and credentials.'.join(empty)} is empty: set it")
        if self.refresh_token is not None and not refresh_token:
            raise ConfigurationError("credentials.refresh_token is empty: set it, or remove it and run gong-elt login")
        # A refresh token contains no space, so the name of a login cannot be one.
        store = TokenStore(values["client_id"], refresh_token or f"login {self.account}", self.token_file)
        oauth = OAuth(
            **values,
            refresh_token=refresh_token,
            base_url=base_url,
            token_url=self.token_url,
            store=store,
        )
        return oauth, store


GongCredentials = GongApiKey | GongOAuth | GongAccessToken


def is_filled_in(value: Any) -> bool:
    """Return whether a setting is neither empty nor the placeholder that `dlt init` writes for required values."""
    return _strip(value) not in ("", TYPE_EXAMPLES["text"])


def _strip(value: str | None) -> str:
    """Return the value without white space around it: secrets from files usually end with a line break."""
    return (value or "").strip()


class BearerAuth(httpx.Auth):
    """Auth that sends a fixed bearer token.

    Args:
        token: The token, without the word Bearer.
    """

    def __init__(self, token: str) -> None:
        self._header = f"Bearer {token}"

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Add the header to the request."""
        request.headers["Authorization"] = self._header
        yield request
