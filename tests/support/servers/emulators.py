"""Emulators of cloud warehouses on loopback, each in an environment of its own: `make test-emulators` creates them."""

from __future__ import annotations

import json
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.paths import REPOSITORY
from tests.support.servers.ports import find_free_ports

ENVIRONMENTS = REPOSITORY / ".emulators"

_PROGRAMS = REPOSITORY / "tests" / "emulators" / "programs"
_START_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Emulator:
    """A running emulator.

    Attributes:
        ports: Its ports on the loopback interface; the first is that of the warehouse.
    """

    ports: tuple[int, ...]


@contextmanager
def run_emulator(name: str, port_count: int, variables: Mapping[str, str] | None = None) -> Iterator[Emulator]:
    """Run the program of an emulator while the context is open.

    Args:
        name: Name of its environment below `.emulators`, and of its program.
        port_count: Number of ports that the program takes as arguments.
        variables: Its environment variables besides PATH.
    """
    ports = find_free_ports(port_count)
    with tempfile.TemporaryDirectory(prefix=f"gong-elt-{name}-") as folder:
        log = Path(folder, "log")
        command = [ENVIRONMENTS / name / "bin" / "python", _PROGRAMS / f"{name}_server.py", *map(str, ports)]
        with (
            log.open("wb") as output,
            subprocess.Popen(
                list(map(str, command)),
                cwd=folder,
                env={"PATH": "/usr/bin:/bin", "HOME": folder, **(variables or {})},
                stdout=output,
                stderr=output,
            ) as process,
        ):
            try:
                _wait_until_listening(ports, process, log)
                yield Emulator(tuple(ports))
            finally:
                process.kill()


def create_service_account(project: str, token_port: int) -> str:
    """Return the key file of a service account whose token endpoint is on loopback."""
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - not in the environment of other tests
    from cryptography.hazmat.primitives.asymmetric import rsa  # noqa: PLC0415

    key = rsa.generate_private_key(65537, 2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    account = f"loader@{project}.iam.gserviceaccount.com"
    return json.dumps(
        {
            **{"type": "service_account", "project_id": project, "private_key_id": "1", "client_id": "1"},
            **{"private_key": key.decode(), "client_email": account},
            "token_uri": f"http://127.0.0.1:{token_port}/token",
        }
    )


def _wait_until_listening(ports: list[int], process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    waiting = list(ports)
    while waiting and process.poll() is None and time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", waiting[0]), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            waiting.pop(0)
    if waiting:
        raise RuntimeError(f"the emulator did not start: {log.read_text(errors='replace')[-2000:]}")
