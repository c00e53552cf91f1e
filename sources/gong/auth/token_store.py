"""Where OAuth tokens stay between runs: a file for its owner's eyes, locked while it changes, written whole or not."""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec
from dlt.common.runtime.run_context import active

from ..errors import AuthenticationError, ConfigurationError

# More than the tokens of any file take: so much room is there before a token is asked for.
_ROOM = 64 * 1024


class Grant(msgspec.Struct, frozen=True):
    """What Gong gave in exchange for a refresh token.

    Attributes:
        access_token: What requests carry.
        refresh_token: Good for one exchange, the next one.
        refresh_at: From then on the access token is not used again, in seconds of Unix time.
        api_base_url_for_customer: The host that Gong named for this company, if it did.
        scope: The scopes that Gong named, separated by spaces, if it did.
    """

    access_token: str
    refresh_token: str
    refresh_at: float
    api_base_url_for_customer: str | None = None
    scope: str | None = None

    def __repr__(self) -> str:
        return "Grant(...)"


class _Kept(msgspec.Struct):
    grants: dict[str, Grant]


class TokenStore:
    """The newest grant that grew from a configured refresh token.

    The file keeps grants by the hash of the client and of the configured token. So a token newly pasted into the
    configuration finds nothing and is used itself, the one used up long ago finds its descendant, and accounts
    that share a file do not overwrite each other.

    Args:
        client_id: The OAuth client.
        configured: The refresh token of the configuration; where there is none, a name for who has logged in.
        file: The file; by default one for this client and token below dlt's data folder.

    Raises:
        ConfigurationError: No file can be written there.
    """

    def __init__(self, client_id: str, configured: str, file: str | None) -> None:
        self._origin = hashlib.sha256(f"{client_id}\0{configured}".encode()).hexdigest()
        folder = Path(active().data_dir) / "gong-elt" / "tokens"
        # Through a link, as the file that it stands for: replacing the link would leave that one behind.
        self._path = (Path(file).expanduser() if file else folder / f"{self._origin[:32]}.json").resolve()
        at = next(parent for parent in self._path.parents if parent.exists())
        if self._path.is_dir() or not at.is_dir() or not os.access(at, os.W_OK | os.X_OK):
            raise ConfigurationError(f"credentials.token_file: {self._path} cannot be written: name a file that can be")

    @property
    def path(self) -> Path:
        """The file."""
        return self._path

    def latest(self) -> Grant | None:
        """The newest grant; None before the configured token was ever used.

        Raises:
            ConfigurationError: The file is something else.
        """
        return self._kept().grants.get(self._origin)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Holds the file against other threads and processes; waits for them, so it is no place for an event loop.

        Raises:
            ConfigurationError: The file cannot be written.
        """
        with self._writable():
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle = os.open(self._path.with_name(f"{self._path.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    @contextmanager
    def prepare_write(self) -> Iterator[Callable[[Grant], None]]:
        """Makes ready what keeping a grant takes, room on the disk too; then gives the function that keeps it.

        It is for whoever holds the lock. A token is exchanged in between: once it is, there has to be a place for
        what came.

        Raises:
            ConfigurationError: The file cannot be written; before the exchange.
            AuthenticationError: It could not be written after all; after the exchange.
        """
        spare = self._path.with_name(f"{self._path.name}.new")
        with self._writable():
            # One name for all: whoever holds the lock is alone, and what a kill left behind is written over.
            handle = os.open(spare, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
        try:
            with os.fdopen(handle, "r+b") as file:
                with self._writable():
                    os.fchmod(handle, 0o600)
                    file.write(bytes(_ROOM))
                    file.flush()
                    os.fsync(file.fileno())

                def keep(grant: Grant) -> None:
                    try:
                        file.seek(0)
                        file.write(msgspec.json.encode(_Kept({**self._kept().grants, self._origin: grant})))
                        file.truncate()
                        file.flush()
                        os.fsync(file.fileno())
                        spare.replace(self._path)
                        _write_out_folder(self._path.parent)
                    except OSError as failure:
                        raise AuthenticationError(
                            f"the new refresh token could not be kept in {self._path} ({failure.strerror}) and is lost:"
                            " mend that, authorise again in Gong and set the new credentials.refresh_token"
                        ) from failure

                yield keep
        finally:
            spare.unlink(missing_ok=True)

    def _kept(self) -> _Kept:
        try:
            content = self._path.read_bytes()
            return msgspec.json.decode(content, type=_Kept) if content else _Kept({})
        except FileNotFoundError:
            return _Kept({})
        except (OSError, msgspec.DecodeError, UnicodeDecodeError):
            # Not the error's own text, which may quote what stands in the file.
            raise ConfigurationError(
                f"credentials.token_file: {self._path} cannot be read as a file of tokens: name another, or remove it"
                " and authorise again in Gong"
            ) from None

    @contextmanager
    def _writable(self) -> Iterator[None]:
        try:
            yield
        except OSError as failure:
            raise ConfigurationError(
                f"credentials.token_file: {self._path} cannot be written ({failure.strerror}); no token was used"
            ) from failure


def _write_out_folder(folder: Path) -> None:
    """A new name in a folder is on the disk only when the folder is; where file systems let us, that is now."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):
            os.fsync(handle)
    finally:
        os.close(handle)
