"""Runs print and store no secret, successful or not, and their files are readable by the owner only."""

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
from tests.support.process.command import CommandResult
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
"""Where OAuth tokens are stored: the only location that may contain them."""


def encode_secret(secret: str) -> set[bytes]:
    """Return a secret in each encoding in which it may occur: plain, Base64 at any offset, URL, JSON, hex."""
    plain = secret.encode()
    return {
        plain,
        quote(secret).encode(),
        quote(secret, safe="").encode(),
        quote_plus(secret).encode(),
        secret.replace("/", "\\/").encode(),
        # One of three offsets matches any prefix; the last characters depend on what follows.
        *(base64.b64encode(bytes(offset) + plain)[4 if offset else 0 : -4] for offset in range(3)),
        base64.urlsafe_b64encode(plain)[:-4],
        plain.hex().encode(),
    }


BASIC = base64.b64encode(f"{ACCESS_KEY}:{ACCESS_KEY_SECRET}".encode())
NEEDLES = {spelling: secret for secret in SECRETS for spelling in encode_secret(secret)} | {BASIC: "the Basic header"}


@dataclass(slots=True)
class SecretSearch:
    """Searches everything that commands print and store."""

    workspace: Workspace
    gong: SimulatedGong
    found: set[tuple[str, str]] = field(default_factory=set)
    files: int = 0

    def run(self, *arguments: str, code: int | tuple[int, ...] = 0, seconds: float = 240) -> CommandResult:
        """Run a command, assert its exit code, and search its output and all files."""
        result = self.workspace.run(*arguments, timeout_seconds=seconds)
        assert result.code in (code if isinstance(code, tuple) else (code,)), result.out + result.err
        assert "Traceback" not in result.err, f"{arguments}: {result.err}"
        self.search_content(f"{' '.join(arguments)}: stdout", result.out.encode())
        self.search_content(f"{' '.join(arguments)}: stderr", result.err.encode())
        self.search_all()
        return result

    def search_all(self) -> None:
        """Search each file of the workspace and each table of the warehouse."""
        needles = dict(NEEDLES)
        if self.gong.oauth.issued_secrets:
            tokens = [*self.gong.oauth.issued_secrets[1:], *_bearers(self.gong)]
            needles |= {spelling: "a token that Gong issued" for token in tokens for spelling in encode_secret(token)}
        for path in sorted(self.workspace.folder.rglob("*")):
            location = path.relative_to(self.workspace.folder)
            if (
                path.is_dir()
                or location == Path(".dlt", "secrets.toml")
                or (path.suffix == ".lock" and not path.exists())
            ):
                continue
            self.files += 1
            is_token_store = location.is_relative_to(TOKENS)
            self.search_content(str(location), str(location).encode(), needles)
            for content in _contents(path):
                self.search_content(str(location), content, NEEDLES if is_token_store else needles)
        for content in _warehouse(self.workspace.folder / "warehouse.duckdb"):
            self.search_content("warehouse", content, needles)

    def search_content(self, location: str, content: bytes, needles: Mapping[bytes, str] = NEEDLES) -> None:
        """Record the secrets in a content."""
        self.found |= {(location, needles[needle]) for needle in needles if needle in content}


def _bearers(gong: SimulatedGong) -> list[str]:
    return [header.removeprefix("Bearer ") for header in gong.oauth.list_valid_credentials(gong.clock())]


def _contents(path: Path) -> Iterator[bytes]:
    """Yield the bytes of a file and, if it is compressed, its decoded content."""
    content = path.read_bytes()
    yield content
    if content.startswith(b"\x1f\x8b"):
        yield gzip.decompress(content)
    if content.startswith(b"PAR1") and content.endswith(b"PAR1"):
        yield repr(pq.read_table(path).to_pylist()).encode()


def _warehouse(file: Path) -> Iterator[bytes]:
    """Yield each table as text, and each state of dlt decoded."""
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
def search(make_gong: MakeGong, workspace: Workspace) -> SecretSearch:
    """Serve a Gong that accepts each kind of credential, and return the search of a workspace without one."""
    gong = make_gong(calls=12)
    gong.settings.credentials = {f"Basic {BASIC.decode()}": None, f"Bearer {ACCESS_TOKEN}": None}
    gong.oauth.client_secret = CLIENT_SECRET
    gong.oauth.add_refresh_token(REFRESH_TOKEN)
    for name in ("ACCESS_KEY", "ACCESS_KEY_SECRET"):
        del workspace.settings[f"SOURCES__GONG__CREDENTIALS__{name}"]
    for name in ("tmp", "home"):
        (workspace.folder / name).mkdir()
    workspace.settings["TMPDIR"] = str(workspace.folder / "tmp")
    return SecretSearch(workspace, gong)


def configure_environment(workspace: Workspace, kind: str) -> None:
    """Set a kind of credential by environment variables."""
    for name, value in KINDS[kind].items():
        workspace.settings[f"SOURCES__GONG__CREDENTIALS__{name.upper()}"] = value
    workspace.configure(pii="hash", pii_key=PII_KEY)


def write_secrets_file(workspace: Workspace, kind: str) -> None:
    """Set a kind of credential in `.dlt/secrets.toml`."""
    lines = [f'{name} = "{value}"' for name, value in KINDS[kind].items()]
    (workspace.folder / ".dlt").mkdir()
    (workspace.folder / ".dlt" / "secrets.toml").write_text(
        "\n".join(["[sources.gong]", f'pii = "hash"\npii_key = "{PII_KEY}"', "[sources.gong.credentials]", *lines])
    )


Configure = Callable[[Workspace, str], None]
CASES = [
    pytest.param("api key", write_secrets_file, "DEBUG", id="api key, file, debug log"),
    pytest.param("access token", write_secrets_file, "WARNING", id="access token, file", marks=pytest.mark.slow),
    pytest.param("oauth", configure_environment, "DEBUG", id="oauth, environment, debug log", marks=pytest.mark.slow),
]


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "configure", "log_level"), CASES)
def test_successful_runs_leave_no_secret(search: SecretSearch, kind: str, configure: Configure, log_level: str) -> None:
    """Files, warehouse, dlt state and output contain no secret, also with a debug log."""
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
def test_failed_runs_leave_no_secret(search: SecretSearch, kind: str, configure: Configure, log_level: str) -> None:
    """Tracebacks, load packages and messages of failed and killed runs contain no secret."""
    gong, workspace = search.gong, search.workspace
    configure(workspace, kind)
    workspace.settings["RUNTIME__LOG_LEVEL"] = log_level
    _fail_during_load(search)
    gong.faults[:] = [Fault(redirect(f"https://us-1.api.gong.example/v2?token={ACCESS_TOKEN}"))]

    search.run("sync", code=1)
    search.run("check", code=1)
    gong.faults[:] = [Fault(respond(500), path="/v2/users"), Fault(corrupt_json(), path="/v2/calls/extensive")]

    search.run("sync", code=1)
    gong.faults[:] = [Fault(hang(30), path="/v2/calls/extensive")]
    _kill_during_extract(search)
    gong.faults.clear()
    gong.settings.credentials = {}
    gong.oauth.client_secret = "another"
    gong.oauth.expire_access_tokens()

    search.run("sync", code=1)
    search.run("check", code=1)
    assert search.found == set()


def _fail_during_load(search: SecretSearch) -> None:
    """Lock the warehouse while the run reads, so that dlt's load raises and leaves its package."""
    request_received, warehouse_locked = threading.Event(), threading.Event()

    async def act(app: Any, scope: Any, receive: Any, send: Any) -> None:
        request_received.set()
        while not warehouse_locked.is_set():
            await hang(0.05)(_nothing, scope, receive, send)
        await app(scope, receive, send)

    async def _nothing(*_: Any) -> None:
        return None

    search.gong.faults[:] = [Fault(act, path="/v2/users", count=1)]
    process = subprocess.Popen(
        [str(COMMAND), "sync", "--wait", "1s"],
        cwd=search.workspace.folder,
        env=search.workspace.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert request_received.wait(120)
    holder = duckdb.connect(str(search.workspace.folder / "warehouse.duckdb"))
    warehouse_locked.set()
    out, err = process.communicate(timeout=120)
    holder.close()
    assert process.returncode == 1, out + err
    assert b"warehouse.duckdb open" in out + err
    search.search_content("failed load: stdout", out)
    search.search_content("failed load: stderr", err)
    assert list((search.workspace.folder / "working").rglob("*.parquet")), "the load left its package"
    search.search_all()


def _kill_during_extract(search: SecretSearch) -> None:
    search.gong.requests.clear()
    process = search.workspace.start("sync", "--since", "2020-01-01")
    deadline = time.monotonic() + 60
    while not [request for request in search.gong.requests if request.path == "/v2/calls/extensive"]:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.kill()
    process.wait()
    search.search_all()


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
def test_the_password_of_a_warehouse_is_never_printed(search: SecretSearch, credentials: str, command: str) -> None:
    """Also an invalid connection URL is reported without its password."""
    configure_environment(search.workspace, "api key")
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
        {"SOURCES__GONG__CREDENTIALS__ACCESS_TOKEN": f"{ACCESS_TOKEN[:5]}\n{ACCESS_TOKEN}"},
        {"SOURCES__GONG__CREDENTIALS__ACCESS_TOKEN": f"{ACCESS_TOKEN}ä"},
        {"SOURCES__GONG__PII_KEY": PII_KEY[:12]},
    ],
    ids=[
        "one text",
        "a list",
        "key without secret",
        "secret without key",
        "incomplete OAuth",
        "a line break",
        "an umlaut",
        "short",
    ],
)
@pytest.mark.parametrize("command", ["sync", "check"])
def test_invalid_credentials_are_not_printed(search: SecretSearch, wrong: Mapping[str, str], command: str) -> None:
    """Messages about invalid settings name the setting, not its value."""
    if "SOURCES__GONG__PII_KEY" in wrong:
        configure_environment(search.workspace, "api key")
    search.workspace.settings |= wrong
    result = search.run(command, code=(0, 1, 2) if "PII" in str(wrong) else (1, 2))
    assert PII_KEY[:12] not in result.out + result.err
    assert search.found == set()


def test_a_password_in_the_base_url_is_not_printed(search: SecretSearch) -> None:
    """A user who puts a password into `base_url` does not find it in logs."""
    configure_environment(search.workspace, "api key")
    search.workspace.configure(base_url=f"https://loader:{PASSWORD}@127.0.0.1:1")
    # The port is closed: shorten the waits between retries.
    search.workspace.settings["RUNTIME__REQUEST_BACKOFF_FACTOR"] = "0.001"
    search.run("sync", code=(1, 2))
    search.run("check", code=(1, 2))
    assert search.found == set()


def _list_modes(folder: Path, except_paths: Sequence[Path]) -> Iterator[tuple[Path, int]]:
    for path in folder.rglob("*"):
        if path not in except_paths:
            yield path.relative_to(folder), stat.S_IMODE(path.lstat().st_mode)


@pytest.mark.slow
def test_files_of_a_run_are_readable_by_their_owner_only(search: SecretSearch) -> None:
    """Warehouse, state, tokens and reports are private also with umask 0."""
    workspace = search.workspace
    # Only OAuth stores tokens.
    configure_environment(workspace, "oauth")
    before = list(workspace.folder.rglob("*"))
    for arguments in (["sync"], ["status"], ["check"], ["reconcile", "--dry-run"], ["demo", "--calls", "3"]):
        process = subprocess.run(
            [str(COMMAND), *arguments],
            cwd=workspace.folder,
            env=workspace.environment,
            umask=0,
            capture_output=True,
            timeout=240,
            check=False,
        )
        assert process.returncode == 0, process.stderr

    modes = dict(_list_modes(workspace.folder, before))
    # The parse cache of dbt must be in the working folder, not in the installed package.
    demo = {Path("demo", *parts) for parts in (("warehouse.duckdb",), ("gong-report.html",), ("working", "gong-dbt"))}
    assert {Path("warehouse.duckdb"), Path("working"), *demo} <= modes.keys()
    assert {str(path): oct(mode) for path, mode in modes.items() if mode & 0o077} == {}


def test_the_search_finds_hidden_secrets(search: SecretSearch, tmp_path: Path) -> None:
    """A search that cannot find anything would prove nothing."""
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
        search.search_all()
        assert {location for location, _ in search.found} == {"hidden"}, number

    hidden.unlink()
    (search.workspace.folder / PASSWORD).mkdir()
    (search.workspace.folder / PASSWORD / "x").touch()
    with duckdb.connect(str(search.workspace.folder / "warehouse.duckdb")) as warehouse:
        state = base64.b64encode(zlib.compress(ACCESS_TOKEN.encode())).decode()
        warehouse.execute("CREATE TABLE _dlt_pipeline_state AS SELECT ? AS state", [state])
    search.found.clear()
    search.search_all()
    assert search.found == {("warehouse", ACCESS_TOKEN), (f"{PASSWORD}/x", PASSWORD)}
