"""The generated reference pages match the code that they describe."""

from __future__ import annotations

from docs.generate import commands_page


def test_the_commands_page_matches_the_application() -> None:
    """A changed option or help text reaches docs/reference/commands.md."""
    assert commands_page.PAGE.read_text("utf-8") == commands_page.page(), "run `make docs`"


def test_notes_on_exit_codes_name_commands_that_exist() -> None:
    """A renamed command does not keep its note under the old name."""
    assert commands_page.FURTHER_FAILURES.keys() <= {command.name for command in commands_page.commands()}
