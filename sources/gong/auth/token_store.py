"""Store OAuth tokens between runs: a private file that is locked while it changes and replaced atomically."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec
from dlt.common.runtime.run_context import active
from filelock import FileLock

from ..errors import AuthenticationError, ConfigurationError

# More than any file of tokens. Reserved on the disk before a refresh token is used.
_RESERVED_BYTES = 64 * 1024


class Grant(msgspec.Struct, frozen=True):
    """Tokens that Gong issued for a refresh token or an authorisation code.

    Attributes:
        access_token: The token that requests send.
        refresh_token: The token for the next refresh. It is single-use.
        refresh_at: Unix time in seconds from which the access token is no longer used.
        api_base_url_for_customer: The company's API host, if Gong returned one.
        scope: Scopes that Gong granted, separated by spaces, if it returned them.
    """

    access_token: str
    refresh_token: str
    refresh_at: float
    api_base_url_for_customer: str | None = None
    scope: str | None = None

    def __repr__(self) -> str:
        return "Grant(...)"


class _TokenFile(msgspec.Struct):
    grants: dict[str, Grant]


class TokenStore:
    """The latest grant that descends from a configured refresh token.

    The file stores grants by a hash of the client and the configured token. A newly configured token therefore has
    no stored grant and is used itself, an old one leads to its latest descendant, and accounts that share a file do
    not overwrite each other.

    Args:
        client_id: Id of the OAuth client.
        origin: The configured refresh token, or the name of a login.
        file: Path of the file. Default: a file for this client and token in dlt's data folder.

    Raises:
        ConfigurationError: If the file cannot be written.
    """

    def __init__(self, client_id: str, origin: str, file: str | None) -> None:
        self._key = hashlib.sha256(f"{client_id}\0{origin}".encode()).hexdigest()
        default_folder = Path(active().data_dir) / "gong-elt" / "tokens"
        # Links are resolved: replacing a link would leave its target unchanged.
        self._path = (Path(file).expanduser() if file else default_folder / f"{self._key[:32]}.json").resolve()
        folder = next(parent for parent in self._path.parents if parent.exists())
        if self._path.is_dir() or not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
            raise ConfigurationError(f"credentials.token_file: {self._path} cannot be written: set another path")

    @property
    def path(self) -> Path:
        """Path of the file."""
        return self._path

    def latest(self) -> Grant | None:
        """Return the latest grant; None if nothing is stored.

        Raises:
            ConfigurationError: If the file is not a token file.
        """
        return self._read().grants.get(self._key)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Lock the file against other threads and processes. Blocks, so do not use it in an event loop.

        Raises:
            ConfigurationError: If the file cannot be written.
        """
        lock = FileLock(self._path.with_name(f"{self._path.name}.lock"), mode=0o600)
        with self._reporting_write_errors():
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock.acquire()
        try:
            yield
        finally:
            lock.release()

    @contextmanager
    def prepare_write(self) -> Iterator[Callable[[Grant], None]]:
        """Reserve disk space for a grant and yield the function that stores it. Requires the lock.

        A refresh token is used inside the `with` block. Once it is used, the new one must not get lost.

        Raises:
            ConfigurationError: If the file cannot be written, before the token is used.
            AuthenticationError: If the grant cannot be stored, after the token is used.
        """
        new_path = self._path.with_name(f"{self._path.name}.new")
        with self._reporting_write_errors():
            # The name is fixed, so that a file left by a killed process is overwritten.
            handle = os.open(new_path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | getattr(os, "O_NOFOLLOW", 0), 0o600)
        try:
            with os.fdopen(handle, "r+b") as file:
                with self._reporting_write_errors():
                    # The mode above does not apply to an existing file.
                    new_path.chmod(0o600)
                    file.write(bytes(_RESERVED_BYTES))
                    file.flush()
                    os.fsync(file.fileno())

                def store(grant: Grant) -> None:
                    try:
                        file.seek(0)
                        file.write(msgspec.json.encode(_TokenFile({**self._read().grants, self._key: grant})))
                        file.truncate()
                        file.flush()
                        os.fsync(file.fileno())
                        # Windows does not replace an open file.
                        file.close()
                        new_path.replace(self._path)
                        _flush_directory(self._path.parent)
                    except OSError as error:
                        raise AuthenticationError(
                            f"the new refresh token could not be stored in {self._path} ({error.strerror}) and is lost:"
                            " fix the cause, authorise again in Gong and set the new credentials.refresh_token"
                        ) from error

                yield store
        finally:
            new_path.unlink(missing_ok=True)

    def _read(self) -> _TokenFile:
        try:
            content = self._path.read_bytes()
            return msgspec.json.decode(content, type=_TokenFile) if content else _TokenFile({})
        except FileNotFoundError:
            return _TokenFile({})
        except (OSError, msgspec.DecodeError, UnicodeDecodeError):
            # Without the error's own text, which may quote the file.
            raise ConfigurationError(
                f"credentials.token_file: {self._path} is not a readable token file: set another path, or remove it and"
                " authorise again in Gong"
            ) from None

    @contextmanager
    def _reporting_write_errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise ConfigurationError(
                f"credentials.token_file: {self._path} cannot be written ({error.strerror}); no token was used"
            ) from error


def _flush_directory(folder: Path) -> None:
    """Flush the directory entry to disk, where the file system supports it."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
