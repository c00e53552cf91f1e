"""A running `gong-elt notebook`, its address and how it ends."""

from __future__ import annotations

import re
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.request import HTTPCookieProcessor, build_opener

from tests.support.servers.ports import find_free_ports

# A group of processes has a second to end, and several times as long on a busy machine.
_END_TIMEOUT_SECONDS = 15


@dataclass(slots=True)
class RunningNotebook:
    """A notebook that is served.

    Attributes:
        url: Its address with the token.
        port: Its port.
    """

    url: str
    port: int
    _process: subprocess.Popen[str]

    def read_page(self) -> str:
        """Return the HTML of the page, as a browser gets it: with the cookie for the token."""
        opener = build_opener(HTTPCookieProcessor())
        with opener.open(self.url, timeout=30) as response:
            return str(response.read().decode())

    def end(self, number: signal.Signals) -> tuple[int, str, str]:
        """Send a signal to the command and return exit code and the rest of stdout and stderr."""
        self._process.send_signal(number)
        out, err = self._process.communicate(timeout=_END_TIMEOUT_SECONDS)
        return self._process.returncode, out, err


@contextmanager
def run_notebook(
    command: str | Sequence[str | Path], folder: Path, environment: Mapping[str, str]
) -> Iterator[RunningNotebook]:
    """Start the command without a browser on a free port; yield it as soon as it has printed its address.

    Args:
        command: The command with its arguments, or a text for a shell.
        folder: Its working folder.
        environment: Its environment variables.
    """
    (port,) = find_free_ports(1)
    options = ["--no-browser", "--port", str(port)]
    is_text = isinstance(command, str)
    process = subprocess.Popen(
        f"exec {command} {' '.join(options)}" if is_text else [*map(str, command), *options],
        shell=is_text,
        cwd=folder,
        env=dict(environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:\d+/\S*[^;\s]", line)
        assert found, (line, process.communicate(timeout=_END_TIMEOUT_SECONDS))
        yield RunningNotebook(found[0], port, process)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=_END_TIMEOUT_SECONDS)
