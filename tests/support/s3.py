"""A real S3 server for tests: SeaweedFS, in a folder of its own, on loopback."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from pyarrow.fs import FileSelector, S3FileSystem

_WEED = Path(sys.executable).parent / "weed"
_SECONDS_TO_START = 120.0
ACCESS_KEY, SECRET_KEY = "test", "test-secret"


@contextmanager
def s3_server(folder: Path, bucket: str) -> Iterator[dict[str, str]]:
    """Runs the server while the context lasts; yields the environment of who uses it. The bucket is there."""
    identity = {
        "name": "test",
        "credentials": [{"accessKey": ACCESS_KEY, "secretKey": SECRET_KEY}],
        "actions": ["Admin", "Read", "Write", "List"],
    }
    (folder / "s3.json").write_text(json.dumps({"identities": [identity]}))
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(5)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        s3, iceberg, master, volume, filer = (one.getsockname()[1] for one in sockets)
    command = [
        *(str(_WEED), "server", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", f"-dir={folder}", "-s3", f"-s3.port={s3}"),
        *(f"-s3.port.iceberg={iceberg}", "-s3.port.lance=0", f"-s3.config={folder / 's3.json'}"),
        *("-master.telemetry=false", f"-master.port={master}", f"-volume.port={volume}", "-volume.max=20"),
        *("-filer", f"-filer.port={filer}", "-master.volumeSizeLimitMB=64"),
    ]
    # Each of its ports has a second one for gRPC, 10,000 further.
    command += [f"-{name}.port.grpc={_free_port()}" for name in ("master", "volume", "filer", "s3")]
    endpoint = f"http://127.0.0.1:{s3}"
    with (folder / "log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            _make_bucket(endpoint, bucket, folder / "log")
            yield {"AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY, "AWS_ENDPOINT_URL": endpoint}
        finally:
            # Asked to end, it takes twenty seconds for it, and nobody needs its files.
            process.kill()


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def _make_bucket(endpoint: str, bucket: str, log: Path) -> None:
    until = time.monotonic() + _SECONDS_TO_START
    while True:
        try:
            _files(endpoint).create_dir(bucket)
        except OSError as failure:
            if time.monotonic() > until:
                raise RuntimeError(f"the S3 server did not start: {failure}\n{log.read_text()[-2000:]}") from failure
            time.sleep(0.3)
        else:
            return


def _files(endpoint: str) -> S3FileSystem:
    return S3FileSystem(
        access_key=ACCESS_KEY, secret_key=SECRET_KEY, endpoint_override=endpoint, allow_bucket_creation=True
    )


def objects(environment: dict[str, str], bucket: str) -> dict[str, bytes]:
    """Everything in a bucket, by key."""
    files = _files(environment["AWS_ENDPOINT_URL"])
    found = files.get_file_info(FileSelector(bucket, recursive=True))
    return {info.path.partition("/")[2]: files.open_input_stream(info.path).read() for info in found if info.is_file}
