"""Record which addresses a Python program and its children contact or look up."""

from __future__ import annotations

import ipaddress
import os
from dataclasses import dataclass
from pathlib import Path

_LOG_VARIABLE = "TEST_CONNECTION_LOG"
# Python imports `sitecustomize` at the start of each process. Audit hooks see every socket of Python code.
_SITECUSTOMIZE = f"""
import os, sys

def record(event, arguments):
    if event in ("socket.connect", "socket.sendto"):
        target = arguments[1]
        address = str(target[0]) if isinstance(target, tuple) else ""
    elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
        address = arguments[0] or ""
    else:
        return
    address = address.decode() if isinstance(address, bytes) else str(address)
    if address:
        file = os.open(os.environ["{_LOG_VARIABLE}"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(file, (address + "\\n").encode())
        os.close(file)

sys.addaudithook(record)
"""


@dataclass(frozen=True, slots=True)
class ConnectionLog:
    """The addresses and names that observed programs have used, without Unix sockets."""

    folder: Path

    @classmethod
    def create(cls, folder: Path) -> ConnectionLog:
        """Write the hook into a new folder."""
        folder.mkdir(parents=True)
        (folder / "sitecustomize.py").write_text(_SITECUSTOMIZE, encoding="utf-8")
        return cls(folder)

    @property
    def variables(self) -> dict[str, str]:
        """Environment variables of a program to observe."""
        return {"PYTHONPATH": str(self.folder), _LOG_VARIABLE: str(self._file)}

    @property
    def is_empty(self) -> bool:
        """Whether nothing was recorded, which also means that a program with requests was not observed."""
        return not self._file.exists()

    def clear(self) -> None:
        """Forget what was recorded."""
        self._file.unlink(missing_ok=True)

    def remote_addresses(self) -> set[str]:
        """Return the addresses and names that are not of this machine."""
        lines = set() if self.is_empty else set(self._file.read_text("utf-8").splitlines())
        return {line for line in lines if not _is_loopback(line)}

    @property
    def _file(self) -> Path:
        return self.folder / "connections.log"


def _is_loopback(address: str) -> bool:
    if address in ("localhost", os.uname().nodename):
        return True
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
