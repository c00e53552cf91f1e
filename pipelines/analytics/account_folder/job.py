"""Job of `gong-elt export accounts`: write what changed since the last run, and delete what the marts lack."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import chain, islice
from pathlib import Path
from typing import Any

from state.runs import new_run_id

from ...runtime.atomic_file import replace_file
from ...runtime.connection import Connection
from ...runtime.display.text import format_count
from ...runtime.errors import UsageError
from ...runtime.result import Status
from ...runtime.target import Target
from ..calls.conversations import CHARACTERS_PER_BATCH, format_long_conversation, read_conversations
from ..calls.reader import NO_TRANSCRIPT, finish_turn, read_facts
from ..calls.selection import CallFilter, select_batches
from ..conversation_format import Markdown, format_conversation
from ..marts import DEFAULT_ANALYTICS, Marts, open_marts
from .manifest import FolderManifest
from .names import safe_name, unique_names
from .pages import account_page, index_page
from .reader import LAST_CALLS, Account, AccountCall, read_account_calls, read_account_names, read_accounts

INDEX = "index.md"
_ACCOUNTS_PER_BATCH, _CALLS_PER_BATCH = 500, 1000


@dataclass(frozen=True, slots=True)
class AccountFolderOptions:
    """Options of the command.

    Attributes:
        to: Folder to write into.
        analytics: Dataset of the marts.
    """

    to: Path
    analytics: str = DEFAULT_ANALYTICS


@dataclass(frozen=True, slots=True)
class AccountFolderResult:
    """Result of the command; the fields are the keys of `--json`.

    Attributes:
        folder: The folder.
        accounts: Number of accounts in it.
        calls: Number of files of calls in it. A call of two accounts has two.
        written: Number of files that were written.
        unchanged: Number of files that were up to date.
        deleted: Number of files that were deleted: of calls and accounts that the marts no longer have.
        duration_seconds: Duration of the command.
    """

    status: Status
    destination: str
    dataset: str
    analytics: str
    folder: str
    accounts: int
    calls: int
    written: int
    unchanged: int
    deleted: int
    duration_seconds: float

    def lines(self) -> Iterator[str]:
        """Yield what the folder has, and what was done."""
        yield f"{format_count(self.accounts, 'account')} and {format_count(self.calls, 'call')} in {self.folder}"
        yield (
            f"{format_count(self.written, 'file')} written, {self.unchanged:,} unchanged, {self.deleted:,} deleted;"
            f" open {self.folder}/{INDEX}"
        )


def export_accounts(connection: Connection, target: Target, options: AccountFolderOptions) -> AccountFolderResult:
    """Bring a folder of accounts up to date with the marts.

    Args:
        connection: The Gong account.
        target: The warehouse of the marts.
        options: The folder.

    Raises:
        UsageError: If the marts do not exist, or the folder cannot be written or has files that are not of gong-elt.
        LockHeldError: If another process is writing the folder for longer than the command waits.
    """
    clock = time.monotonic()
    source = f"{target.name} {options.analytics}"
    lock = target.folder / "exports" / f"{hashlib.sha256(str(options.to.resolve()).encode()).hexdigest()[:16]}.lock"
    with (
        target.waiting.hold_lock(lock, new_run_id(datetime.now(UTC)), "export accounts"),
        open_marts(connection, target, options.analytics) as marts,
    ):
        try:
            update = _FolderUpdate(marts, FolderManifest(options.to, source))
            update.run()
        except OSError as error:
            raise UsageError(f"--to {str(options.to)!r} cannot be written: {error.strerror or error}") from error
    return AccountFolderResult(
        status="done",
        destination=target.name,
        dataset=target.dataset,
        analytics=options.analytics,
        folder=str(options.to),
        accounts=len(update.folders),
        calls=sum(map(len, update.files.values())),
        written=update.written,
        unchanged=len(update.digests) - update.written,
        deleted=update.deleted,
        duration_seconds=round(time.monotonic() - clock, 3),
    )


@dataclass(slots=True)
class _FolderUpdate:
    """One run over a folder.

    Attributes:
        folders: Folder by id of account.
        files: File of each call, relative to the folder of the account, by id of account and id of call.
        digests: What the files that are up to date were written from.
    """

    marts: Marts
    manifest: FolderManifest
    folders: Mapping[str, str] = field(default_factory=dict)
    files: dict[str, dict[str, str]] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)
    written: int = 0
    deleted: int = 0

    def run(self) -> None:
        names = read_account_names(self.marts)
        self.folders = unique_names(names, reserved=[INDEX])
        for account_ids in _chunks(list(names), _ACCOUNTS_PER_BATCH):
            for account_id, calls in read_account_calls(self.marts, account_ids).items():
                self.files[account_id] = {call.call_id: _call_file(call) for call in calls}
        known = self.manifest.read()
        planned = {INDEX: None, **dict.fromkeys(self._planned_files())}
        self.manifest.refuse_foreign_files(planned, known)
        self.manifest.folder.mkdir(parents=True, exist_ok=True)
        # A run that is killed after this line writes all files again.
        self.manifest.write(dict.fromkeys([*known, *planned]))
        stale = [path for path in known if path not in planned]
        self.manifest.delete(stale)
        self.deleted = len(stale)
        try:
            self._write(known, list(names))
        finally:
            self.manifest.write({**planned, **self.digests})

    def _planned_files(self) -> Iterator[str]:
        for account_id, folder in self.folders.items():
            yield f"{folder}/{INDEX}"
            yield from (f"{folder}/{file}" for file in self.files.get(account_id, {}).values())

    def _write(self, known: Mapping[str, str | None], account_ids: Sequence[str]) -> None:
        listed: list[tuple[str, Account]] = []
        for batch in _chunks(account_ids, _ACCOUNTS_PER_BATCH):
            accounts = list(read_accounts(self.marts, batch))
            facts = self._write_pages(known, accounts)
            # A call that was loaded meanwhile is written by the next run.
            loaded = {
                call.call_id: call.facts["_synced_at"]
                for account in accounts
                for call in account.calls
                if call.call_id in self.files.get(account.facts["account_id"], {})
            }
            for call_ids in _chunks(list(loaded), _CALLS_PER_BATCH):
                self._write_calls(known, batch, {call_id: loaded[call_id] for call_id in call_ids}, facts)
            listed += [(self.folders[account.facts["account_id"]], Account(account.facts)) for account in accounts]
        self._write_text(known, INDEX, index_page(listed))

    def _write_pages(self, known: Mapping[str, str | None], accounts: Sequence[Account]) -> Mapping[str, Any]:
        """Write the pages of some accounts, and return the facts of their last calls by id."""
        last = {account.facts["account_id"]: self._last_calls(account) for account in accounts}
        call_ids = list(dict.fromkeys(call_id for calls in last.values() for call_id in calls))
        facts = {call["call_id"]: call for call in read_facts(self.marts, call_ids)}
        for account in accounts:
            account_id = account.facts["account_id"]
            files = self.files.get(account_id, {})
            last_calls = [facts[call_id] for call_id in last[account_id] if call_id in facts]
            self._write_text(known, f"{self.folders[account_id]}/{INDEX}", account_page(account, files, last_calls))
        return facts

    def _last_calls(self, account: Account) -> list[str]:
        files = self.files.get(account.facts["account_id"], {})
        calls = [call.call_id for call in account.calls if call.facts["is_external"] and call.call_id in files]
        return calls[:LAST_CALLS]

    def _write_calls(
        self,
        known: Mapping[str, str | None],
        account_ids: Sequence[str],
        loaded: Mapping[str, Any],
        read: Mapping[str, Any],
    ) -> None:
        """Write the files of some calls.

        Args:
            known: The files of the manifest.
            account_ids: The accounts for which the calls are written.
            loaded: When each call was loaded.
            read: Facts of calls that were read before.
        """
        texts, digests = dict[str, Iterable[str]](), dict[str, str]()
        paths = {call_id: [*self._paths(account_ids, call_id)] for call_id in loaded}
        unread = [call_id for call_id in loaded if call_id not in read]
        for facts in chain((read[call_id] for call_id in loaded if call_id in read), read_facts(self.marts, unread)):
            call_id, begin = facts["call_id"], Markdown().begin(facts)
            digest = _digest(f"{begin}{loaded[call_id]}{facts['has_transcript']}")
            if all(self._is_current(known, path, digest) for path in paths[call_id]):
                self.digests |= dict.fromkeys(paths[call_id], digest)
            else:
                digests[call_id], texts[call_id] = digest, [f"{begin}{NO_TRANSCRIPT}\n"]
        for batch, characters in select_batches(self.marts, CallFilter(call_ids=list(digests)), CHARACTERS_PER_BATCH):
            for call_id, pieces in self._read_texts(batch, is_long=characters > CHARACTERS_PER_BATCH):
                del texts[call_id]
                self._write_copies(paths[call_id], digests[call_id], pieces)
        for call_id, pieces in texts.items():
            self._write_copies(paths[call_id], digests[call_id], pieces)

    def _paths(self, account_ids: Sequence[str], call_id: str) -> Iterator[str]:
        for account_id in account_ids:
            if file := self.files.get(account_id, {}).get(call_id):
                yield f"{self.folders[account_id]}/{file}"

    def _read_texts(self, call_ids: Sequence[str], *, is_long: bool) -> Iterator[tuple[str, Iterable[str]]]:
        """Yield the pages of the calls that have turns."""
        if is_long:
            yield call_ids[0], format_long_conversation(self.marts, call_ids[0], None, Markdown(), None)
            return
        for facts, turns in read_conversations(self.marts, call_ids, None):
            finished = (finish_turn(turn, facts["url"]) for turn in turns)
            yield facts["call_id"], [format_conversation(Markdown(), facts, finished)]

    def _write_text(self, known: Mapping[str, str | None], path: str, text: str) -> None:
        digest = _digest(text)
        if self._is_current(known, path, digest):
            self.digests[path] = digest
        else:
            self._write_file(path, digest, [text])

    def _write_copies(self, paths: Sequence[str], digest: str, pieces: Iterable[str]) -> None:
        first, *others = paths
        self._write_file(first, digest, pieces)
        for path in others:
            with (self.manifest.folder / first).open(encoding="utf-8", newline="") as opened:
                self._write_file(path, digest, opened)

    def _is_current(self, known: Mapping[str, str | None], path: str, digest: str) -> bool:
        return known.get(path) == digest and (self.manifest.folder / path).is_file()

    def _write_file(self, path: str, digest: str, pieces: Iterable[str]) -> None:
        file = self.manifest.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        with replace_file(file) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as opened:
            opened.writelines(pieces)
        self.digests[path] = digest
        self.written += 1


def _call_file(call: AccountCall) -> str:
    """Return the file of a call in the folder of its account."""
    started = call.facts["started"]
    return f"calls/{f'{started:%Y-%m-%d}' if started else 'undated'} {safe_name(call.call_id)}.md"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:32]


def _chunks(items: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk
