"""The messages on the troubleshooting page are messages of the code."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from itertools import chain

import pytest

from tests.project.modules import CODE_FOLDERS, list_files
from tests.support.paths import REPOSITORY

PAGE = REPOSITORY / "docs" / "troubleshooting.md"
_SYMPTOMS = "## No message"


def _documented_messages() -> list[str]:
    """Return the first column of the tables of messages."""
    text, _, _ = PAGE.read_text("utf-8").partition(_SYMPTOMS)
    return re.findall(r"(?m)^\| `([^`]+)` \|", text)


def _messages_of_code() -> Iterator[str]:
    """Yield all texts of the code, with `…` for each value that is inserted."""
    for file in chain.from_iterable(map(list_files, CODE_FOLDERS)):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.JoinedStr):
                yield "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value


MESSAGES_OF_CODE = list(_messages_of_code())


def test_the_troubleshooting_page_has_messages() -> None:
    """The test below reads the page's tables."""
    assert len(_documented_messages()) > 25


@pytest.mark.parametrize("message", _documented_messages())
def test_documented_messages_are_in_the_code(message: str) -> None:
    """A changed message is changed on the page, too: a reader finds it by searching for its text."""
    parts = [re.escape(part) for part in message.strip("…").split("…")]
    pattern = re.compile(".*".join(parts))
    assert any(pattern.search(text) for text in MESSAGES_OF_CODE)
