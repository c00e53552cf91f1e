"""Answers of Gong decoded in several threads at once, as a sync does it."""

from __future__ import annotations

import subprocess
import sys

from tests.support.paths import REPOSITORY

# In a process of its own: what goes wrong here ends the process.
_THREADS = """
import importlib, sys, threading, httpx
from sources.gong.api import responses
from sources.gong.api.endpoint import TRANSCRIPTS

sys.setswitchinterval(1e-6)
answer = httpx.Response(
    200, content=b'{"requestId": "r", "records": {"totalRecords": 1}, "callTranscripts": [{"callId": "1"}]}'
)
came = []
for _ in range(1_000):
    # As in a new process: nothing has been decoded yet.
    importlib.reload(responses)
    begin = threading.Barrier(6)

    def read():
        begin.wait()
        came.append(len(responses.parse_page(TRANSCRIPTS, answer, is_first_page=True).records))

    threads = [threading.Thread(target=read) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
assert came == [1] * 6_000
"""


def test_first_answers_that_come_together_are_decoded_by_a_whole_decoder() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", _THREADS], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stderr) == (0, "")
