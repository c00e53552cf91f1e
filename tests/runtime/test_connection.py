"""Settings of a connection."""

from __future__ import annotations

import pytest

from tests.support.workspace import Workspace

RENAMED = "sources.gong.transcript_patience was renamed: set transcript_retry_period"


@pytest.mark.parametrize("command", ["sync", "status", "reconcile"])
def test_a_setting_under_an_earlier_name_is_refused(workspace: Workspace, command: str) -> None:
    """A setting that is silently ignored would change what is loaded."""
    (workspace.folder / ".dlt").mkdir()
    (workspace.folder / ".dlt" / "config.toml").write_text('[sources.gong]\ntranscript_patience = "7d"\n')

    result = workspace.run(command)

    assert (result.code, result.err) == (2, f"gong-elt: {RENAMED}\n")


def test_the_refusal_names_the_section_of_a_named_connection(workspace: Workspace) -> None:
    """The message has to point at the line to change."""
    workspace.configure(emea__transcript_patience="7d")

    result = workspace.run("status", "--connection", "emea")

    assert result.code == 2
    assert "sources.gong.emea.transcript_patience was renamed" in result.err
