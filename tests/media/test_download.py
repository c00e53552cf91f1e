"""`gong-elt download-media`: downloads, resumes, failures and removals."""

from __future__ import annotations

import asyncio
import stat
import time
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from destinations.recording_store import RecordingStore
from pipelines.demo.server.app import SimulatedGong
from pipelines.demo.server.media_host import MediaHost
from pipelines.demo.server.serving import serve
from pipelines.media.downloader import Downloader, DownloadError, media_client
from tests.conftest import MakeGong
from tests.support.companies import public_calls
from tests.support.gong_api import EXTENSIVE
from tests.support.servers.s3 import read_bucket, s3_server
from tests.support.workspace import Workspace


@pytest.fixture
def host() -> MediaHost:
    """Return the media host that the links point to; `sync_calls` serves it."""
    return MediaHost()


@pytest.fixture
def gong(make_gong: MakeGong) -> SimulatedGong:
    """Serve a company with ten calls over ten days."""
    return make_gong(calls=10, days=10)


@pytest.fixture(autouse=True)
def sync_calls(host: MediaHost, gong: SimulatedGong, workspace: Workspace) -> Iterator[None]:
    """Serve the media host and load the calls."""
    with serve(host.app) as gong.settings.media_host:
        workspace.sync("--select", "calls")
        gong.requests.clear()
        yield


def expected_files(gong: SimulatedGong, host: MediaHost) -> dict[str, bytes]:
    """Return the expected recordings by relative file name."""
    links = {(call.id, kind): path for call in public_calls(gong) for kind, path in call.record["media"].items()}
    return {
        f"{call_id}/{kind.removesuffix('Url')}{Path(path).suffix}": host.read_recording(path)
        for (call_id, kind), path in links.items()
    }


def read_files(folder: Path) -> dict[str, bytes]:
    """Return all files below a folder by relative name."""
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_each_recording_is_downloaded_once_without_credentials(
    gong: SimulatedGong, host: MediaHost, workspace: Workspace
) -> None:
    """Files, `_media` and run log match, and the media host never receives the API key."""
    expected = expected_files(gong, host)
    first = workspace.run("download-media", "--json")
    assert (first.code, first.json["files"], first.json["bytes"]) == (0, len(expected), 200_000 * len(expected)), (
        first.err
    )
    assert read_files(workspace.folder / "recordings") == expected
    assert {stat.S_IMODE(f.stat().st_mode) for f in (workspace.folder / "recordings").rglob("*.mp3")} == {0o600}

    rows = workspace.rows("SELECT call_id, kind, uri, bytes, sha256 FROM _media")
    root = workspace.folder / "recordings"
    assert {str(Path(uri).relative_to(root)): (size, digest) for _, _, uri, size, digest in rows} == {
        name: (len(content), sha256(content).hexdigest()) for name, content in expected.items()
    }
    assert not [request for request in host.requests if {"authorization", "cookie"} & request.headers.keys()]
    assert [request.path for request in gong.requests] == [EXTENSIVE]

    again = workspace.run("download-media", "--json")
    assert (again.code, again.json["files"], again.json["already_there"]) == (0, 0, len(expected))
    assert (again.json["requests"], len(host.requests)) == (0, len(expected))

    audio = next(name for name in expected if "/audio" in name)
    (root / audio).unlink()
    assert workspace.run("download-media", "--kind", "audio", "--json").json["files"] == 1
    assert read_files(root) == expected
    assert [run[0] for run in workspace.rows("SELECT DISTINCT command FROM _runs ORDER BY 1")] == [
        "download-media",
        "sync",
    ]


def test_an_interrupted_download_is_resumed(gong: SimulatedGong, host: MediaHost, workspace: Workspace) -> None:
    """After a broken connection only the missing bytes are requested."""
    host.abort_after_bytes = [70_000, 50_000]
    result = workspace.run("download-media", "--json")
    assert result.code == 0, result.err
    assert read_files(workspace.folder / "recordings") == expected_files(gong, host)
    assert [request.status for request in host.requests].count(206) >= 1
    assert result.json["bytes"] <= 200_000 * result.json["files"] + 120_000


def test_a_killed_download_is_resumed_unless_the_recording_changed(
    gong: SimulatedGong, host: MediaHost, workspace: Workspace
) -> None:
    """A partial file is continued only if the host still has the same version."""
    host.size = 30_000_000
    process = workspace.start("download-media", "--kind", "audio")
    folder = workspace.folder / "recordings"
    while not any(part.stat().st_size for part in folder.rglob("*.part")):
        assert process.poll() is None
        time.sleep(0.002)
    process.kill()
    process.wait()

    host.requests.clear()
    result = workspace.run("download-media", "--kind", "audio", "--json")
    assert result.code == 0, result.err
    assert 206 in [request.status for request in host.requests]

    audio = {name: content for name, content in expected_files(gong, host).items() if "/audio" in name}
    assert read_files(folder) == audio

    for file in folder.rglob("*.mp3"):
        file.rename(f"{file}.part")
        Path(f"{file}.version").write_text('"0-0"')
    host.version = 2
    assert workspace.run("download-media", "--kind", "audio").code == 0
    assert read_files(folder) == {
        name: content for name, content in expected_files(gong, host).items() if "/audio" in name
    }


def test_an_expired_link_is_requested_again(gong: SimulatedGong, host: MediaHost, workspace: Workspace) -> None:
    """Media URLs expire after eight hours."""
    host.expired_link_count = 1
    result = workspace.run("download-media", "--json")
    assert (result.code, result.json["requests"]) == (0, 2), result.err
    assert read_files(workspace.folder / "recordings") == expected_files(gong, host)


def test_a_failed_recording_does_not_stop_the_others(
    gong: SimulatedGong, host: MediaHost, workspace: Workspace
) -> None:
    """Missing files and links without https are reported with exit code 1."""
    missing = public_calls(gong)[3]
    host.missing_paths.add(missing.record["media"]["audioUrl"])
    result = workspace.run("download-media", "--kind", "audio", "--json")
    assert (result.code, [failed["call_id"] for failed in result.json["failed"]]) == (1, [missing.id])
    assert "HTTP 404" in result.json["failed"][0]["reason"]
    assert len(read_files(workspace.folder / "recordings")) == len(public_calls(gong)) - 1

    gong.settings.media_host = "http://media.gong.example"
    for file in (workspace.folder / "recordings").rglob("*.mp3"):
        file.unlink()
    result = workspace.run("download-media", "--kind", "audio", "--json")
    assert result.code == 1
    assert {failed["reason"] for failed in result.json["failed"]} == {
        "the link was not followed: it is http, not https"
    }


def test_recordings_of_deleted_and_private_calls_are_removed(
    gong: SimulatedGong, host: MediaHost, workspace: Workspace
) -> None:
    """Erasure includes files, `_media` rows and empty folders."""
    assert workspace.run("download-media").code == 0

    deleted, private = public_calls(gong)[:2]
    gong.delete_call(deleted.id)
    gong.edit_call(private.id, isPrivate=True)
    assert workspace.run("reconcile", "--force").code == 0

    result = workspace.run("download-media", "--json")
    assert (result.code, result.json["removed"] >= 2, result.json["files"]) == (0, True, 0), result.out

    names = {name.partition("/")[0] for name in read_files(workspace.folder / "recordings")}
    assert not {deleted.id, private.id} & names
    assert not [row for row in workspace.rows("SELECT call_id FROM _media") if row[0] in (deleted.id, private.id)]
    assert not (workspace.folder / "recordings" / deleted.id).exists()


def test_a_missing_scope_fails_and_a_used_up_quota_stops(
    gong: SimulatedGong, host: MediaHost, workspace: Workspace
) -> None:
    """Exit codes 1 and 3, and no request to the media host."""
    workspace.configure(requests_per_day=1)
    result = workspace.run("download-media", "--json")
    assert (result.code, result.json["status"]) == (3, "stopped")

    workspace.configure(requests_per_day=1000)
    (header, _), *_ = gong.settings.credentials.items()
    gong.settings.credentials[header] = frozenset({"api:calls:read:extensive"})

    result = workspace.run("download-media", "--json")
    assert result.code == 1
    assert "api:calls:read:media-url" in result.json["reason"]
    assert not host.requests


def test_usage_errors_are_one_line(workspace: Workspace) -> None:
    """Invalid options end with exit code 2 and a message that names the option."""
    for arguments, message in (
        (("--kind", "smell"), "--kind 'smell' is unknown: use all, audio or video"),
        (("--since", "2026-02-01", "--until", "2026-01-01"), "the window is empty"),
        (("--dataset", "other"), "nothing loaded yet"),
    ):
        result = workspace.run("download-media", *arguments)
        assert result.code == 2, arguments
        (line,) = result.err.strip().splitlines()
        assert message in line


@pytest.mark.slow
def test_recordings_can_be_stored_in_an_s3_bucket(
    gong: SimulatedGong, host: MediaHost, workspace: Workspace, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Download, skip and removal work in S3 as in a folder."""
    with s3_server(tmp_path_factory.mktemp("s3"), "calls") as environment:
        workspace.settings |= environment
        host.abort_after_bytes = [70_000]
        command = ("download-media", "--to", "s3://calls/gong", "--json")
        first, again = (workspace.run(*command) for _ in range(2))
        assert first.code == 0, first.err + first.out
        assert read_bucket(environment, "calls") == {
            f"gong/{name}": content for name, content in expected_files(gong, host).items()
        }
        assert (again.code, again.json["files"]) == (0, 0)
        deleted = public_calls(gong)[0]
        gong.delete_call(deleted.id)
        assert workspace.run("reconcile", "--force").code == 0
        assert workspace.run(*command).json["removed"] >= 1
        assert not [key for key in read_bucket(environment, "calls") if deleted.id in key]


def test_a_media_host_that_cannot_be_reached_is_one_line(gong: SimulatedGong, workspace: Workspace) -> None:
    """Without a network to the media host, its first recordings are tried and all others fail for the same reason."""
    gong.settings.media_host = "https://127.0.0.1:1"
    ended = workspace.run("download-media")

    assert ended.code == 1
    (line,) = ended.err.splitlines()
    assert "127.0.0.1:1 cannot be reached (" in line
    assert " more: " in line


@pytest.mark.parametrize(
    "link",
    [
        "http://127.0.0.1:{port}/a.mp3",
        "https://127.0.0.1:{port}/a.mp3",
        "https://localhost:{port}/a.mp3",
        "https://media.localhost.:{port}/a.mp3",
        "https://127.1:{port}/a.mp3",
        "https://2130706433:{port}/a.mp3",
        "https://0.0.0.0:{port}/a.mp3",
        "https://[::1]:{port}/a.mp3",
        "https://[::ffff:127.0.0.1]:{port}/a.mp3",
    ],
)
def test_a_link_to_this_machine_is_not_followed(host: MediaHost, tmp_path: Path, link: str) -> None:
    """The real Gong has no recordings here, but this machine may serve something that only it can reach."""

    async def download(base_url: str) -> None:
        async with media_client() as http:
            downloader = Downloader(
                http,
                RecordingStore(str(tmp_path)),
                backoff_factor=0.0,
                allows_loopback=False,
                on_bytes=lambda _: None,
            )
            await downloader.download(link.format(port=urlsplit(base_url).port), "1/audio.mp3")

    with serve(host.app) as base_url, pytest.raises(DownloadError, match="it leads to this machine"):
        asyncio.run(download(base_url))
    assert host.requests == []
