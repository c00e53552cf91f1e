"""Connections: their names, their own credentials, and their settings."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.demo.server.app import SimulatedGong
from tests.support.workspace import Workspace

RENAMED = "sources.gong.transcript_patience was renamed: set transcript_retry_period"


def write_config(workspace: Workspace, text: str, name: str = "config.toml") -> None:
    """Write one of dlt's configuration files of a workspace."""
    folder = workspace.folder / ".dlt"
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")


def refusal(workspace: Workspace, *arguments: str) -> str:
    """Run a command, assert that it is refused with one line, and return the line."""
    ended = workspace.run(*arguments)
    assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1), ended
    return ended.err


@pytest.mark.parametrize("command", ["sync", "status", "reconcile"])
def test_a_setting_under_an_earlier_name_is_refused(workspace: Workspace, command: str) -> None:
    """A setting that is silently ignored would change what is loaded."""
    write_config(workspace, '[sources.gong]\ntranscript_patience = "7d"\n')

    assert refusal(workspace, command) == f"gong-elt: {RENAMED}\n"


def test_the_refusal_names_the_section_of_a_named_connection(workspace: Workspace) -> None:
    """The message has to point at the line to change."""
    workspace.configure(emea__transcript_patience="7d")

    line = refusal(workspace, "status", "--connection", "emea")

    assert "sources.gong.emea.transcript_patience was renamed" in line


@pytest.mark.parametrize(
    "name",
    [
        *("../../../data", "/data", "a/b", "..", "", "a b", "é", "1a", "_a", "a__b", "a_", "a\n", "a" * 300),
        *("search", "Search", "credentials", "LOOKBACK"),
    ],
)
def test_an_invalid_connection_name_is_refused(workspace: Workspace, name: str) -> None:
    """A name becomes a path, a section and a pipeline, so it is checked before any of them is touched."""
    line = refusal(workspace, "status", "--connection", name)

    assert "connection name" in line
    assert list(workspace.folder.iterdir()) == []


@pytest.mark.parametrize(
    "command",
    [
        *(("sync",), ("models",), ("upload", "calls.csv"), ("download-media",), ("get", "calls")),
        ("login", "--no-browser"),
    ],
    ids=lambda command: command[0],
)
def test_every_command_refuses_a_connection_that_is_a_path(workspace: Workspace, command: tuple[str, ...]) -> None:
    """Files of others beside the working folder are neither deleted nor changed."""
    line = refusal(workspace, *command, "--connection", "../../../data")

    assert "connection name" in line
    assert list(workspace.folder.iterdir()) == []


def test_a_connection_name_that_is_a_path_leaves_other_folders_alone(workspace: Workspace) -> None:
    """Commands empty and lock the working folder of a connection, which must never be a folder of the user."""
    folders = [workspace.folder / f"data{suffix}" for suffix in ("", "-media", "-upload")]
    for folder in folders:
        folder.mkdir()
        (folder / "precious.txt").write_text("kept")
    lock = workspace.folder / "poetry.lock"
    lock.write_text("kept")
    calls = workspace.folder / "calls.jsonl"
    calls.write_text("")

    for command in (("download-media", "--to", "media"), ("upload", str(calls)), ("models",), ("sync",)):
        for name in ("data", "poetry"):
            refusal(workspace, *command, "--connection", f"../../../{name}")
            refusal(workspace, *command, "--connection", str(workspace.folder / name))

    assert [(folder / "precious.txt").read_text() for folder in folders] == ["kept"] * 3
    assert lock.read_text() == "kept"


@pytest.mark.parametrize("command", ["sync", "check", "status", "models", "search price", "get calls"])
def test_a_connection_without_settings_is_refused(workspace: Workspace, command: str) -> None:
    """Otherwise a misspelt name loads the main account's data under another name."""
    workspace.configure(apac__credentials__access_token="demo-token")

    line = refusal(workspace, *command.split(), "--connection", "emea")

    assert "connection 'emea' is not configured" in line
    assert "[sources.gong.emea.credentials]" in line
    assert "configured connections: gong, apac" in line


@pytest.mark.parametrize(
    ("own", "missing"),
    [
        ({"base_url": "https://emea.api.gong.io"}, "no credentials for connection 'emea'"),
        ({"credentials__access_key": "demo"}, "credentials.access_key_secret of connection 'emea' is missing"),
        ({"credentials__access_key_secret": "s"}, "credentials.access_key of connection 'emea' is missing"),
        ({"credentials__client_id": "c"}, "credentials.client_secret of connection 'emea' is missing"),
    ],
)
def test_credentials_of_another_account_do_not_complete_those_of_a_connection(
    gong: SimulatedGong, workspace: Workspace, own: dict[str, str], missing: str
) -> None:
    """A secret of the main account must not be sent for another one."""
    workspace.configure(**{f"emea__{name}": value for name, value in own.items()})

    assert missing in refusal(workspace, "sync", "--connection", "emea")
    assert gong.requests == []


def test_other_settings_of_a_connection_default_to_those_of_the_main_account(
    gong: SimulatedGong, workspace: Workspace
) -> None:
    """Only credentials are bound to an account: the host, filters and limits may be shared."""
    workspace.configure(emea__credentials__access_key="demo", emea__credentials__access_key_secret="demo-secret")

    assert workspace.sync("--connection", "emea", "--dataset", "gong_emea")["calls"] > 0


@pytest.mark.parametrize(
    ("file", "text", "expected"),
    [
        ("config.toml", '[sources.gong]\nlookbck = "1d"\n', "sources.gong.lookbck in .dlt/config.toml"),
        ("secrets.toml", '[sources.gong]\nlookbck = "1d"\n', "sources.gong.lookbck in .dlt/secrets.toml"),
        ("config.toml", '[sources.gong.emea]\nlookbck = "1d"\n', "did you mean emea.lookback?"),
        ("config.toml", '[sources.gong]\nLOOKBACK = "1d"\n', "did you mean lookback?"),
        ("secrets.toml", '[sources.gong.credentals]\naccess_key = "a"\n', "did you mean credentials.access_key?"),
        ("secrets.toml", '[sources.gong.credentials]\nacces_key = "a"\n', "did you mean credentials.access_key?"),
        ("config.toml", '[gong_elt]\ndatset = "gong"\n', "gong_elt.datset in .dlt/config.toml"),
        ("config.toml", '[sources.gong]\nlookback == "1d"\n', ".dlt/config.toml cannot be read"),
        ("secrets.toml", "[sources.gong\n", ".dlt/secrets.toml cannot be read"),
    ],
)
def test_a_mistake_in_a_file_is_refused(workspace: Workspace, file: str, text: str, expected: str) -> None:
    """A misspelt setting would be ignored; the line names the file, and the closest setting that exists."""
    write_config(workspace, text, file)

    assert expected in refusal(workspace, "sync")


def test_the_closest_known_setting_is_named(workspace: Workspace) -> None:
    """`lookbck` in a file or in the environment leads to `lookback`."""
    write_config(workspace, '[sources.gong]\nlookbck = "1d"\n')
    assert "did you mean lookback?" in refusal(workspace, "sync")

    write_config(workspace, "")
    workspace.configure(lookbck="1d")
    assert "did you mean lookback (SOURCES__GONG__LOOKBACK)?" in refusal(workspace, "sync")


def test_every_documented_setting_is_known(gong: SimulatedGong, workspace: Workspace) -> None:
    """Settings of gong-elt, of its connections and of dlt itself are not refused."""
    write_config(
        workspace,
        '[sources.gong]\nlookback = "1d"\n[sources.gong.schema]\nnaming = "snake_case"\n'
        '[sources.gong.data_writer]\nfile_max_items = 100000\n[sources.gong.emea]\nlookback = "2d"\n'
        '[sources.data_writer]\nbuffer_max_items = 5000\n[gong_elt]\ndataset = "gong"\n',
    )
    assert workspace.run("status").code == 0


def test_white_space_around_secrets_is_removed(gong: SimulatedGong, workspace: Workspace) -> None:
    """Secrets that Kubernetes or an editor writes end with a line break."""
    workspace.configure(credentials__access_key=" demo\n", credentials__access_key_secret="demo-secret \r\n")
    assert workspace.sync("--select", "workspaces")["status"] == "done"

    for name in ("ACCESS_KEY", "ACCESS_KEY_SECRET"):
        del workspace.settings[f"SOURCES__GONG__CREDENTIALS__{name}"]
    write_config(workspace, '[sources.gong.credentials]\naccess_token = "demo-token\\n"\n', "secrets.toml")
    assert workspace.sync("--select", "workspaces")["status"] == "done"


def test_options_default_to_the_settings_under_gong_elt(gong: SimulatedGong, workspace: Workspace) -> None:
    """Users of another warehouse, dataset or account do not have to repeat options in every command."""
    write_config(workspace, '[gong_elt]\ndataset = "sales"\nconnection = "emea"\n')
    workspace.configure(emea__credentials__access_token="demo-token")
    synced = workspace.sync("--select", "calls,transcripts")
    assert synced["dataset"] == "sales"
    status = workspace.run("status", "--json").json
    assert status["contents"]["calls"] == synced["calls"]
    assert [run["connection"] for run in status["runs"]] == ["emea"]
    assert workspace.run("get", "folders").code == 0

    # An option takes precedence over the environment, which takes precedence over the file.
    workspace.settings["GONG_ELT__DATASET"] = "other"
    assert workspace.run("status", "--json").json["dataset"] == "other"
    assert workspace.run("status", "--json", "--dataset", "sales").json["contents"]["calls"] == synced["calls"]

    workspace.settings["GONG_ELT__DESTINATION"] = "nowhere"
    assert "destination 'nowhere'" in refusal(workspace, "status")
    workspace.settings["GONG_ELT__CONNECTION"] = "../emea"
    assert "connection name '../emea'" in refusal(workspace, "status", "--destination", "duckdb")


def test_status_of_an_empty_warehouse_names_the_configured_one(workspace: Workspace, tmp_path: Path) -> None:
    """A forgotten `--destination` must not lead to a second copy of the calls in a new DuckDB file."""
    workspace.settings["DESTINATION__POSTGRES__CREDENTIALS"] = "postgresql://loader:secret@db.example/analytics"

    for command in (("status",), ("search", "price"), ("reconcile",)):
        ended = workspace.run(*command)
        assert "use --destination postgres" in ended.out + ended.err
    assert not list(tmp_path.glob("*.duckdb"))
