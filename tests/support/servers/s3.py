"""A real S3 server for tests: SeaweedFS, from a pinned wheel, on loopback."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pyarrow.fs import FileSelector, S3FileSystem

from tests.support.servers.ports import find_free_ports

_WEED = Path(sys.executable).parent / "weed"
_START_SECONDS = 120.0
_ACCOUNT = "000000000000"
ACCESS_KEY, SECRET_KEY = "test", "test-secret"


@contextmanager
def s3_server(folder: Path, bucket: str, table_bucket: str | None = None) -> Iterator[dict[str, str]]:
    """Run a server with one empty bucket; yield the environment variables of its clients.

    Args:
        folder: Folder of the server's files.
        bucket: Name of the bucket.
        table_bucket: Name of a bucket of Iceberg tables; then `ICEBERG_REST_URL` is the URL of its REST catalog.
    """
    identity = {
        "name": "test",
        "credentials": [{"accessKey": ACCESS_KEY, "secretKey": SECRET_KEY}],
        "actions": ["Admin", "Read", "Write", "List"],
    }
    (folder / "s3.json").write_text(json.dumps({"identities": [identity]}))
    s3, iceberg, master, volume, filer, *grpc_ports = find_free_ports(9)
    command = [
        *(str(_WEED), "server", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", f"-dir={folder}", "-s3", f"-s3.port={s3}"),
        *(f"-s3.port.iceberg={iceberg}", "-s3.port.lance=0", f"-s3.config={folder / 's3.json'}"),
        *("-master.telemetry=false", f"-master.port={master}", f"-volume.port={volume}", "-volume.max=20"),
        *("-filer", f"-filer.port={filer}", "-master.volumeSizeLimitMB=64"),
    ]
    # By default, each gRPC port is 10,000 above the HTTP port, which may be out of range.
    command += [
        f"-{name}.port.grpc={port}" for name, port in zip(("master", "volume", "filer", "s3"), grpc_ports, strict=True)
    ]
    endpoint = f"http://127.0.0.1:{s3}"
    with (folder / "log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            _create_bucket(endpoint, bucket, folder / "log")
            environment = {
                "AWS_ACCESS_KEY_ID": ACCESS_KEY,
                "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
                "AWS_ENDPOINT_URL": endpoint,
            }
            if table_bucket is not None:
                _create_table_bucket(f"127.0.0.1:{master}.{grpc_ports[0]}", table_bucket)
                environment["ICEBERG_REST_URL"] = f"http://127.0.0.1:{iceberg}"
            yield environment
        finally:
            # A regular shutdown takes twenty seconds, and the files are not needed.
            process.kill()


def read_bucket(environment: dict[str, str], bucket: str) -> dict[str, bytes]:
    """Return every object of a bucket by key."""
    files = _file_system(environment["AWS_ENDPOINT_URL"])
    entries = files.get_file_info(FileSelector(bucket, recursive=True))
    return {
        entry.path.partition("/")[2]: files.open_input_stream(entry.path).read() for entry in entries if entry.is_file
    }


def _create_bucket(endpoint: str, bucket: str, log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            _file_system(endpoint).create_dir(bucket)
        except OSError as error:
            if time.monotonic() > deadline:
                raise RuntimeError(f"the S3 server did not start: {error}\n{log.read_text()[-2000:]}") from error
            time.sleep(0.3)
        else:
            return


def _create_table_bucket(master: str, bucket: str) -> None:
    command = f"s3tables.bucket -create -name {bucket} -account {_ACCOUNT}\nexit\n"
    shell = [str(_WEED), "shell", f"-master={master}"]
    output = subprocess.run(shell, input=command, capture_output=True, text=True, timeout=60, check=True).stdout
    if bucket not in output:
        raise RuntimeError(f"the bucket of Iceberg tables was not created: {output[-2000:]}")


def _file_system(endpoint: str) -> S3FileSystem:
    return S3FileSystem(
        access_key=ACCESS_KEY, secret_key=SECRET_KEY, endpoint_override=endpoint, allow_bucket_creation=True
    )
