"""The generated reference pages match the code that they describe."""

from __future__ import annotations

import pytest
from dlt.common.configuration.specs import BaseConfiguration

from docs.generate import commands_page, settings_page, tables_page
from pipelines.runtime.configuration.command_defaults import CommandDefaults
from sources.gong import GongAccessToken, GongApiKey, GongOAuth
from sources.gong.settings import GongSettings


def test_the_commands_page_matches_the_application() -> None:
    """A changed option or help text reaches docs/reference/commands.md."""
    assert commands_page.PAGE.read_text("utf-8") == commands_page.page(), "run `make pages`"


def test_notes_on_exit_codes_name_commands_that_exist() -> None:
    """A renamed command does not keep its note under the old name."""
    assert commands_page.FURTHER_FAILURES.keys() <= {command.name for command in commands_page.commands()}


def test_the_settings_page_matches_the_declarations() -> None:
    """A changed setting or default reaches docs/reference/settings.md."""
    assert settings_page.PAGE.read_text("utf-8") == settings_page.page(), "run `make pages`"


@pytest.mark.parametrize("spec", [GongSettings, GongApiKey, GongOAuth, GongAccessToken, CommandDefaults])
def test_every_setting_is_described(spec: type[BaseConfiguration]) -> None:
    """A setting without a description would be missing on the settings page."""
    assert settings_page.documented_settings(spec).keys() == spec.get_resolvable_fields().keys()


def test_the_tables_page_matches_the_declarations() -> None:
    """A changed table, key or column reaches docs/reference/tables.md."""
    assert tables_page.PAGE.read_text("utf-8") == tables_page.page(), "run `make pages`"


def test_bookkeeping_tables_have_their_key_columns() -> None:
    """The keys that the tables page states exist."""
    for table in tables_page.BOOKKEEPING:
        assert set(table.key) <= table.column_types.keys(), table.name
