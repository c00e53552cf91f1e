"""No secret in anything a run prints or leaves behind, however it ends; and what it leaves is for its owner only."""

from __future__ import annotations

import base64
import gzip
import stat
import subprocess
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import duckdb
import pyarrow.parquet as pq
import pytest

from pipelines.demo.server.app import SimulatedGong
from pipelines.demo.server.faults import Fault, corrupt_json, hang, redirect, respond
from tests.conftest import MakeGong
from tests.support.process import CommandResult
from tests.support.workspace import COMMAND, Workspace

ACCESS_KEY = "ACCESSKEY/7f3a+c81=e"
ACCESS_KEY_SECRET = "key-secret/9b1d+44&02=c"
ACCESS_TOKEN = "bearer-token/5e7c+13&77=a"
CLIENT_SECRET = "client-secret/2c6f+90&31=d"
REFRESH_TOKEN = "refresh-token/8d4b+62&18=f"
PII_KEY = "pii-key/3a9e+57&64=b-long-enough"
PASSWORD = "password-6e2d91f0"

KINDS: dict[str, dict[str, str]] = {
    "api key": {"access_key": ACCESS_KEY, "access_key_secret": ACCESS_KEY_SECRET},
    "access token": {"access_token": ACCESS_TOKEN},
    "oauth": {"client_id": "demo-client", "client_secret": CLIENT_SECRET, "refresh_token": REFRESH_TOKEN},
}
SECRETS = (ACCESS_KEY, ACCESS_KEY_SECRET, ACCESS_TOKEN, CLIENT_SECRET, REFRESH_TOKEN, PII_KEY, PASSWORD)
TOKENS = Path("working", "gong-elt", "tokens")
"""Where OAuth keeps the tokens it was given; they have to stand there, and nowhere else."""


def spellings(secret: str) -> set[bytes]:
    """A secret as it might turn up: in clear, in Base64 at any offset, in a URL, in JSON."""
    plain = secret.encode()
    return {
        plain,
        quote(secret).encode(),
        quote(secret, safe="").encode(),
        quote_plus(secret).encode(),
        secret.replace("/", "\\/").encode(),
        # Of three offsets one fits, whatever stands before; the last characters depend on what follows.
        *(base64.b64encode(bytes(offset) + plain)[4 if offset else 0 : -4] for offset in range(3)),
        base64.urlsafe_b64encode(plain)[:-4],
        plain.hex().encode(),
    }


BASIC = base64.b64encode(f"{ACCESS_KEY}:{ACCESS_KEY_SECRET}".encode())
NEEDLES = {spelling: secret for secret in SECRETS for spelling in spellings(secret)} | {BASIC: "the Basic header"}


@dataclass(slots=True)
class Search:
    """Looks through what commands print and leave behind."""

    workspace: Workspace
    gong: SimulatedGong
    found: set[tuple[str, str]] = field(default_factory=set)
    files: int = 0

    def run(self, *arguments: str, code: int | tuple[int, ...] = 0, seconds: float = 240) -> CommandResult:
        """Runs a command, which has to end with that code, and looks through everything."""
        ended = self.workspace.run(*arguments, timeout_seconds=seconds)
        assert ended.code in (code if isinstance(code, tuple) else (code,)), ended.out + ended.err
        assert "Traceback" not in ended.err, f"{arguments}: {ended.err}"
        self.look_through(f"{' '.join(arguments)}: stdout", ended.out.encode())
        self.look_through(f"{' '.join(arguments)}: stderr", ended.err.encode())
        self.look_around()
        return ended

    def look_around(self) -> None:
        """Looks through every file below the workspace, and through the warehouse as SQL sees it."""
        needles = dict(NEEDLES)
        if self.gong.oauth.issued_secrets:
            tokens = [*self.gong.oauth.issued_secrets[1:], *_bearers(self.gong)]
            needles |= {spelling: "a token that Gong gave" for token in tokens for spelling in spellings(token)}
        for path in sorted(self.workspace.folder.rglob("*")):
            place = path.relative_to(self.workspace.folder)
            if path.is_dir() or place == Path(".dlt", "secrets.toml") or (path.suffix == ".lock" and not path.exists()):
                continue
            self.files += 1
            configured = place.is_relative_to(TOKENS)
            self.look_through(str(place), str(place).encode(), needles)
            for content in _contents(path):
                self.look_through(str(place), content, NEEDLES if configured else needles)
        for content in _warehouse(self.workspace.folder / "warehouse.duckdb"):
            self.look_through("warehouse", content, needles)

    def look_through(self, place: str, content: bytes, needles: Mapping[bytes, str] = NEEDLES) -> None:
        """Notes the secrets in some content."""
        self.found |= {(place, needles[needle]) for needle in needles if needle in content}


def _bearers(gong: SimulatedGong) -> list[str]:
    return [header.removeprefix("Bearer ") for header in gong.oauth.credentials(gong.clock())]


def _contents(path: Path) -> Iterator[bytes]:
    """What is in a file: its bytes, and what they stand for if they are compressed."""
    content = path.read_bytes()
    yield content
    if content.startswith(b"\x1f\x8b"):
        yield gzip.decompress(content)
    if content.startswith(b"PAR1") and content.endswith(b"PAR1"):
        yield repr(pq.read_table(path).to_pylist()).encode()


def _warehouse(file: Path) -> Iterator[bytes]:
    """Every table as text, and dlt's state of every load decoded."""
    if not file.exists():
        return
    with duckdb.connect(str(file), read_only=True) as warehouse:
        for schema, table in warehouse.execute("SELECT schema_name, table_name FROM duckdb_tables()").fetchall():
            rows = warehouse.execute(f'SELECT t::VARCHAR FROM "{schema}"."{table}" AS t').fetchall()
            yield "\n".join(row for (row,) in rows).encode()
            if table == "_dlt_pipeline_state":
                for (state,) in warehouse.execute(f'SELECT state FROM "{schema}"."{table}"').fetchall():
                    yield zlib.decompress(base64.b64decode(state))


@pytest.fixture
def search(make_gong: MakeGong, workspace: Workspace) -> Search:
    """A simulated Gong that takes each kind of credential, and a workspace that has none yet."""
    gong = make_gong(calls=12)
    gong.settings.credentials = {f"Basic {BASIC.decode()}": None, f"Bearer {ACCESS_TOKEN}": None}
    gong.oauth.client_secret = CLIENT_SECRET
    gong.oauth.add_refresh_token(REFRESH_TOKEN)
    for name in ("ACCESS_KEY", "ACCESS_KEY_SECRET"):
        del workspace.settings[f"SOURCES__GONG__CREDENTIALS__{name}"]
    for name in ("tmp", "home"):
        (workspace.folder / name).mkdir()
    workspace.settings["TMPDIR"] = str(workspace.folder / "tmp")
    return Search(workspace, gong)


def by_environment(workspace: Workspace, kind: str) -> None:
    for name, value in KINDS[kind].items():
        workspace.settings[f"SOURCES__GONG__CREDENTIALS__{name.upper()}"] = value
    workspace.configure(pii="hash", pii_key=PII_KEY)


def by_file(workspace: Workspace, kind: str) -> None:
    lines = [f'{name} = "{value}"' for name, value in KINDS[kind].items()]
    (workspace.folder / ".dlt").mkdir()
    (workspace.folder / ".dlt" / "secrets.toml").write_text(
        "\n".join(["[sources.gong]", f'pii = "hash"\npii_key = "{PII_KEY}"', "[sources.gong.credentials]", *lines])
    )


Configure = Callable[[Workspace, str], None]
CASES = [
    pytest.param("api key", by_file, "DEBUG", id="api key, file, debug log"),
    pytest.param("access token", by_file, "WARNING", id="access token, file"),
    pytest.param("oauth", by_environment, "DEBUG", id="oauth, environment, debug log"),
]


@pytest.mark.parametrize(("kind", "configure", "log_level"), CASES)
def test_runs_that_work_leave_no_secret(search: Search, kind: str, configure: Configure, log_level: str) -> None:
    configure(search.workspace, kind)
    search.workspace.settings["RUNTIME__LOG_LEVEL"] = log_level
    search.run("sync", "--json")
    search.run("sync", "--since", "2020-01-01")
    search.run("status")
    search.run("check")
    search.run("reconcile", "--dry-run")
    assert search.files > 10
    assert search.found == set()


@pytest.mark.parametrize(("kind", "configure", "log_level"), CASES)
def test_runs_that_fail_leave_no_secret(search: Search, kind: str, configure: Configure, log_level: str) -> None:
    gong, workspace = search.gong, search.workspace
    configure(workspace, kind)
    workspace.settings["RUNTIME__LOG_LEVEL"] = log_level
    _fails_while_loading(search)
    gong.faults[:] = [Fault(redirect(f"https://us-1.api.gong.example/v2?token={ACCESS_TOKEN}"))]
    search.run("sync", code=1)
    search.run("check", code=1)
    gong.faults[:] = [Fault(respond(500), path="/v2/users"), Fault(corrupt_json(), path="/v2/calls/extensive")]
    search.run("sync", code=1)
    gong.faults[:] = [Fault(hang(30), path="/v2/calls/extensive")]
    _killed(search)
    gong.faults.clear()
    gong.settings.credentials = {}
    gong.oauth.client_secret = "another"
    gong.oauth.expire_access_tokens()
    search.run("sync", code=1)
    search.run("check", code=1)
    assert search.found == set()


def _fails_while_loading(search: Search) -> None:
    """Somebody opens the warehouse while the run reads: dlt's load ends with an exception and leaves its package."""
    seen, opened = threading.Event(), threading.Event()

    async def act(app: Any, scope: Any, receive: Any, send: Any) -> None:
        seen.set()
        while not opened.is_set():
            await hang(0.05)(_nothing, scope, receive, send)
        await app(scope, receive, send)

    async def _nothing(*_: Any) -> None:
        return None

    search.gong.faults[:] = [Fault(act, path="/v2/users", count=1)]
    process = subprocess.Popen(
        [str(COMMAND), "sync"],
        cwd=search.workspace.folder,
        env=search.workspace.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert seen.wait(120)
    holder = duckdb.connect(str(search.workspace.folder / "warehouse.duckdb"))
    opened.set()
    out, err = process.communicate(timeout=120)
    holder.close()
    assert process.returncode == 1, out + err
    assert b"lock" in out + err
    search.look_through("failed load: stdout", out)
    search.look_through("failed load: stderr", err)
    assert list((search.workspace.folder / "working").rglob("*.parquet")), "the load left its package"
    search.look_around()


def _killed(search: Search) -> None:
    search.gong.requests.clear()
    process = search.workspace.start("sync", "--since", "2020-01-01")
    deadline = time.monotonic() + 60
    while not [request for request in search.gong.requests if request.path == "/v2/calls/extensive"]:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.kill()
    process.wait()
    search.look_around()


@pytest.mark.parametrize(
    "credentials",
    [
        f"postgresql://loader:{PASSWORD}@127.0.0.1:1/gong",
        f"postgresql://loader:{PASSWORD}@127.0.0.1:port/gong",
        f"postgres//loader:{PASSWORD}@127.0.0.1/gong",
        f"postgresql://loader:a@{PASSWORD}@127.0.0.1:1/gong",
        f"loader:{PASSWORD}",
    ],
)
@pytest.mark.parametrize("command", ["sync", "status", "check"])
def test_the_password_of_a_warehouse_is_never_said(search: Search, credentials: str, command: str) -> None:
    by_environment(search.workspace, "api key")
    search.workspace.settings["DESTINATION__POSTGRES__CREDENTIALS"] = credentials
    search.run(command, "--destination", "postgres", code=(1, 2))
    assert search.found == set()


@pytest.mark.parametrize(
    "wrong",
    [
        {"SOURCES__GONG__CREDENTIALS": f"{ACCESS_KEY}:{ACCESS_KEY_SECRET}"},
        {"SOURCES__GONG__CREDENTIALS": f'["{ACCESS_KEY_SECRET}"]'},
        {"SOURCES__GONG__CREDENTIALS__ACCESS_KEY": ACCESS_KEY},
        {"SOURCES__GONG__CREDENTIALS__ACCESS_KEY_SECRET": ACCESS_KEY_SECRET},
        {"SOURCES__GONG__CREDENTIALS__REFRESH_TOKEN": REFRESH_TOKEN},
        {"SOURCES__GONG__CREDENTIALS__ACCESS_TOKEN": f"{ACCESS_TOKEN}\n"},
        {"SOURCES__GONG__CREDENTIALS__ACCESS_TOKEN": f"{ACCESS_TOKEN}ä"},
        {"SOURCES__GONG__PII_KEY": PII_KEY[:12]},
    ],
    ids=["one text", "a list", "half a key", "the other half", "half of OAuth", "a line break", "an umlaut", "short"],
)
@pytest.mark.parametrize("command", ["sync", "check"])
def test_credentials_that_are_badly_written_are_not_repeated(
    search: Search, wrong: Mapping[str, str], command: str
) -> None:
    if "SOURCES__GONG__PII_KEY" in wrong:
        by_environment(search.workspace, "api key")
    search.workspace.settings |= wrong
    ended = search.run(command, code=(0, 1, 2) if "PII" in str(wrong) else (1, 2))
    assert PII_KEY[:12] not in ended.out + ended.err
    assert search.found == set()


def test_a_secret_in_the_base_url_is_not_repeated(search: Search) -> None:
    """Whoever writes user and password into the URL has put them at risk; we do not spread them."""
    by_environment(search.workspace, "api key")
    search.workspace.configure(base_url=f"https://loader:{PASSWORD}@127.0.0.1:1")
    # Nobody listens there: the waits between tries are all that this would take.
    search.workspace.settings["RUNTIME__REQUEST_BACKOFF_FACTOR"] = "0.001"
    search.run("sync", code=(1, 2))
    search.run("check", code=(1, 2))
    assert search.found == set()


def _made(folder: Path, but: Sequence[Path]) -> Iterator[tuple[Path, int]]:
    for path in folder.rglob("*"):
        if path not in but:
            yield path.relative_to(folder), stat.S_IMODE(path.lstat().st_mode)


def test_what_a_run_makes_is_for_its_owner_only_whatever_the_callers_umask(search: Search) -> None:
    workspace = search.workspace
    # It keeps tokens, which the other kinds of credentials do not.
    by_environment(workspace, "oauth")
    before = list(workspace.folder.rglob("*"))
    for arguments in (["sync"], ["status"], ["check"], ["reconcile", "--dry-run"], ["demo", "--calls", "3"]):
        done = subprocess.run(
            [str(COMMAND), *arguments],
            cwd=workspace.folder,
            env=workspace.environment,
            umask=0,
            capture_output=True,
            timeout=240,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    made = dict(_made(workspace.folder, before))
    # What dbt has parsed too: not in the package, though the demo's folder is a relative one.
    demo = {Path("demo", *parts) for parts in (("warehouse.duckdb",), ("gong-report.html",), ("working", "gong-dbt"))}
    assert {Path("warehouse.duckdb"), Path("working"), *demo} <= made.keys()
    assert {str(path): oct(mode) for path, mode in made.items() if mode & 0o077} == {}


def test_the_search_finds_what_is_there(search: Search, tmp_path: Path) -> None:
    """A search that finds nothing proves nothing until it has found something."""
    hidden = search.workspace.folder / "hidden"
    for number, content in enumerate(
        (
            ACCESS_KEY_SECRET.encode(),
            b"Basic " + BASIC,
            base64.b64encode(f"xy{ACCESS_TOKEN}".encode()),
            base64.b64encode(f"abcd:{CLIENT_SECRET}:more".encode()),
            f"https://gong.example/?t={quote_plus(REFRESH_TOKEN)}".encode(),
            gzip.compress(PII_KEY.encode()),
        )
    ):
        hidden.write_bytes(content)
        search.found.clear()
        search.look_around()
        assert {place for place, _ in search.found} == {"hidden"}, number
    hidden.unlink()
    (search.workspace.folder / PASSWORD).mkdir()
    (search.workspace.folder / PASSWORD / "x").touch()
    with duckdb.connect(str(search.workspace.folder / "warehouse.duckdb")) as warehouse:
        state = base64.b64encode(zlib.compress(ACCESS_TOKEN.encode())).decode()
        warehouse.execute("CREATE TABLE _dlt_pipeline_state AS SELECT ? AS state", [state])
    search.found.clear()
    search.look_around()
    assert search.found == {("warehouse", ACCESS_TOKEN), (f"{PASSWORD}/x", PASSWORD)}
