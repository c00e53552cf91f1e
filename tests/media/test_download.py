"""`gong-elt download-media` through the real command: what comes, what is gone on with, what leaves again."""

from __future__ import annotations

import stat
import time
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from pipelines.demo.server.app import SimulatedGong
from pipelines.demo.server.media_host import MediaHost
from pipelines.demo.server.serving import serve
from tests.conftest import MakeGong
from tests.support.companies import public_calls
from tests.support.gong_api import EXTENSIVE
from tests.support.servers.s3 import read_bucket, s3_server
from tests.support.workspace import Workspace


@pytest.fixture
def host() -> MediaHost:
    """The host that links lead to; the fixtures below serve it."""
    return MediaHost()


@pytest.fixture
def gong(make_gong: MakeGong) -> SimulatedGong:
    """A company of ten calls over ten days."""
    return make_gong(calls=10, days=10)


@pytest.fixture(autouse=True)
def synced(host: MediaHost, gong: SimulatedGong, workspace: Workspace) -> Iterator[None]:
    """Its calls are in the warehouse."""
    with serve(host.app) as gong.settings.media_host:
        workspace.sync("--select", "calls")
        gong.requests.clear()
        yield


def expected(gong: SimulatedGong, host: MediaHost) -> dict[str, bytes]:
    """What has to be in the place, by name."""
    links = {(call.id, kind): path for call in public_calls(gong) for kind, path in call.record["media"].items()}
    return {
        f"{call_id}/{kind.removesuffix('Url')}{Path(path).suffix}": host.read_recording(path)
        for (call_id, kind), path in links.items()
    }


def there(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_every_recording_comes_once_is_written_down_and_no_credential_goes_with_it(
    gong: SimulatedGong, host: MediaHost, workspace: Workspace
) -> None:
    wanted = expected(gong, host)
    first = workspace.run("download-media", "--json")
    assert (first.code, first.json["files"], first.json["bytes"]) == (0, len(wanted), 200_000 * len(wanted)), first.err
    assert there(workspace.folder / "recordings") == wanted
    assert {stat.S_IMODE(f.stat().st_mode) for f in (workspace.folder / "recordings").rglob("*.mp3")} == {0o600}
    rows = workspace.rows("SELECT call_id, kind, uri, bytes, sha256 FROM _media")
    root = workspace.folder / "recordings"
    assert {str(Path(uri).relative_to(root)): (size, digest) for _, _, uri, size, digest in rows} == {
        name: (len(content), sha256(content).hexdigest()) for name, content in wanted.items()
    }
    assert not [fetched for fetched in host.requests if {"authorization", "cookie"} & fetched.headers.keys()]
    assert [request.path for request in gong.requests] == [EXTENSIVE]
    again = workspace.run("download-media", "--json")
    assert (again.code, again.json["files"], again.json["already_there"]) == (0, 0, len(wanted))
    assert (again.json["requests"], len(host.requests)) == (0, len(wanted))
    audio = next(name for name in wanted if "/audio" in name)
    (root / audio).unlink()
    assert workspace.run("download-media", "--kind", "audio", "--json").json["files"] == 1
    assert there(root) == wanted
    assert [run[0] for run in workspace.rows("SELECT DISTINCT command FROM _runs ORDER BY 1")] == [
        "download-media",
        "sync",
    ]


def test_what_breaks_off_is_gone_on_with(gong: SimulatedGong, host: MediaHost, workspace: Workspace) -> None:
    host.abort_after_bytes = [70_000, 50_000]
    ended = workspace.run("download-media", "--json")
    assert ended.code == 0, ended.err
    assert there(workspace.folder / "recordings") == expected(gong, host)
    assert [fetched.status for fetched in host.requests].count(206) >= 1
    assert ended.json["bytes"] <= 200_000 * ended.json["files"] + 120_000


def test_a_killed_download_is_gone_on_with_and_another_edition_begins_anew(
    gong: SimulatedGong, host: MediaHost, workspace: Workspace
) -> None:
    host.size = 30_000_000
    process = workspace.start("download-media", "--kind", "audio")
    folder = workspace.folder / "recordings"
    while not any(part.stat().st_size for part in folder.rglob("*.part")):
        assert process.poll() is None
        time.sleep(0.002)
    process.kill()
    process.wait()
    host.requests.clear()
    ended = workspace.run("download-media", "--kind", "audio", "--json")
    assert ended.code == 0, ended.err
    assert 206 in [fetched.status for fetched in host.requests]
    audio = {name: content for name, content in expected(gong, host).items() if "/audio" in name}
    assert there(folder) == audio
    for file in folder.rglob("*.mp3"):
        file.rename(f"{file}.part")
        Path(f"{file}.version").write_text('"0-0"')
    host.version = 2
    assert workspace.run("download-media", "--kind", "audio").code == 0
    assert there(folder) == {name: content for name, content in expected(gong, host).items() if "/audio" in name}


def test_a_link_that_ended_is_asked_for_again(gong: SimulatedGong, host: MediaHost, workspace: Workspace) -> None:
    host.expired_link_count = 1
    ended = workspace.run("download-media", "--json")
    assert (ended.code, ended.json["requests"]) == (0, 2), ended.err
    assert there(workspace.folder / "recordings") == expected(gong, host)


def test_what_does_not_come_is_named_and_stops_no_other(
    gong: SimulatedGong, host: MediaHost, workspace: Workspace
) -> None:
    missing = public_calls(gong)[3]
    host.missing_paths.add(missing.record["media"]["audioUrl"])
    ended = workspace.run("download-media", "--kind", "audio", "--json")
    assert (ended.code, [failed["call_id"] for failed in ended.json["failed"]]) == (1, [missing.id])
    assert "HTTP 404" in ended.json["failed"][0]["reason"]
    assert len(there(workspace.folder / "recordings")) == len(public_calls(gong)) - 1
    gong.settings.media_host = "http://media.gong.example"
    for file in (workspace.folder / "recordings").rglob("*.mp3"):
        file.unlink()
    ended = workspace.run("download-media", "--kind", "audio", "--json")
    assert ended.code == 1
    assert {failed["reason"] for failed in ended.json["failed"]} == {
        "its link is not https, but http: it was not followed"
    }


def test_recordings_of_deleted_and_private_calls_leave_again(
    gong: SimulatedGong, host: MediaHost, workspace: Workspace
) -> None:
    assert workspace.run("download-media").code == 0
    gone, private = public_calls(gong)[:2]
    gong.delete_call(gone.id)
    gong.edit_call(private.id, isPrivate=True)
    assert workspace.run("reconcile", "--force").code == 0
    ended = workspace.run("download-media", "--json")
    assert (ended.code, ended.json["removed"] >= 2, ended.json["files"]) == (0, True, 0), ended.out
    names = {name.partition("/")[0] for name in there(workspace.folder / "recordings")}
    assert not {gone.id, private.id} & names
    assert not [row for row in workspace.rows("SELECT call_id FROM _media") if row[0] in (gone.id, private.id)]
    assert not (workspace.folder / "recordings" / gone.id).exists()


def test_a_missing_scope_is_named_and_a_deadline_stops_in_good_order(
    gong: SimulatedGong, host: MediaHost, workspace: Workspace
) -> None:
    workspace.configure(requests_per_day=1)
    ended = workspace.run("download-media", "--json")
    assert (ended.code, ended.json["status"]) == (3, "stopped")
    workspace.configure(requests_per_day=1000)
    (header, _), *_ = gong.settings.credentials.items()
    gong.settings.credentials[header] = frozenset({"api:calls:read:extensive"})
    ended = workspace.run("download-media", "--json")
    assert ended.code == 1
    assert "api:calls:read:media-url" in ended.json["reason"]
    assert not host.requests


def test_mistakes_are_one_line(workspace: Workspace) -> None:
    for arguments, said in (
        (("--kind", "smell"), "--kind 'smell' is unknown: it is one of all, audio, video"),
        (("--since", "2026-02-01", "--until", "2026-01-01"), "the window is empty"),
        (("--dataset", "other"), "nothing loaded yet"),
    ):
        ended = workspace.run("download-media", *arguments)
        assert ended.code == 2, arguments
        (line,) = ended.err.strip().splitlines()
        assert said in line


def test_a_bucket_of_s3_is_a_place_like_any_other(
    gong: SimulatedGong, host: MediaHost, workspace: Workspace, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with s3_server(tmp_path_factory.mktemp("s3"), "calls") as environment:
        workspace.settings |= environment
        host.abort_after_bytes = [70_000]
        place = ("download-media", "--to", "s3://calls/gong", "--json")
        first, again = (workspace.run(*place) for _ in range(2))
        assert first.code == 0, first.err + first.out
        assert read_bucket(environment, "calls") == {
            f"gong/{name}": content for name, content in expected(gong, host).items()
        }
        assert (again.code, again.json["files"]) == (0, 0)
        gone = public_calls(gong)[0]
        gong.delete_call(gone.id)
        assert workspace.run("reconcile", "--force").code == 0
        assert workspace.run(*place).json["removed"] >= 1
        assert not [key for key in read_bucket(environment, "calls") if gone.id in key]
