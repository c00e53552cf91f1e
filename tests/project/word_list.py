"""Check prose against a short word list: `python -m tests.project.word_list [PATH...]`, part of `make check`.

Prose is docstrings, comments and string literals of Python files, and Markdown outside of code blocks.
"""

from __future__ import annotations

import ast
import io
import re
import subprocess
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path

from tests.support.paths import REPOSITORY

WORDS = {
    r"\banew\b": "again",
    r"\blikewise\b": "also, or repeat the sentence",
    r"\b(whoever|whatever|nobody|somebody)\b": "name the user, the process or the value",
    r"\btold\b|\btells\b": "reported, named, returned",
    r"(?<!there )\b(is|are) (?-i:none)\b": "is missing, is not a ...",
    r"(?<!there )\bis no (?!longer\b|more\b)\w+": "is not a ..., is missing",
    r"\bof (its|their) own accord\b": "automatically",
    r"\bin good order\b|\bmade good\b|\bgone? on with\b": "valid, repaired, continued",
    r"\bso (many|often|much)\b(?! (more|that|as))": "the number of",
    r"\bset aside\b": "rejected, invalid, abandoned",
    r"\bowed\b": "pending",
    r"\b(requests?|calls?|records?|rows?|times?|files?|lines?|sentences?|one) a (second|minute|day|week|month|year|call"
    r"|run|row|page|resource|table|request|window|workspace|user|team|test)\b": "per",
    r"\bledger\b": "run log, manifest",
    r"\btally\b": "metrics",
    r"\b(stands|stood) (in|beside|there|at|once|twice|next)\b": "is in, is next to",
    r"\blays? out\b|\blaid out\b": "maps, converts",
}
"""Regular expression of what to avoid, and what to write in its place."""

_CODE_BLOCK = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
_INLINE_CODE = re.compile(r"`[^`\n]*`")
_SKIPPED = ("pipelines/demo/company/dialogue/", "tests/project/word_list.py")
"""Generated conversation is not our prose."""


def python_prose(text: str) -> Iterator[tuple[int, str]]:
    """Yield the line number and the text of each comment and string literal."""
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
            for offset, line in enumerate(node.value.splitlines()):
                yield node.lineno + offset, line


def markdown_prose(text: str) -> Iterator[tuple[int, str]]:
    """Yield the line number and the text of each line outside of code."""
    blanked = _CODE_BLOCK.sub(lambda block: "\n" * block[0].count("\n"), text)
    yield from enumerate(blanked.splitlines(), 1)


def findings(path: Path) -> list[str]:
    """Return one line per word found: `path:line: "word": write ...`."""
    text = path.read_text("utf-8")
    prose = python_prose(text) if path.suffix == ".py" else markdown_prose(text)
    return [
        f'{path.relative_to(REPOSITORY)}:{line}: "{found[0]}": write {advice}'
        for line, sentence in prose
        for pattern, advice in WORDS.items()
        for found in re.finditer(pattern, _INLINE_CODE.sub("", sentence), re.IGNORECASE)
    ]


def tracked_files() -> list[Path]:
    """Return all Python and Markdown files of the repository that are checked."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "*.py", "*.md"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    return [REPOSITORY / name for name in listed.stdout.split() if not name.startswith(_SKIPPED)]


def main(arguments: list[str]) -> int:
    """Print the findings below the given paths, or in the whole repository; return 1 if there are any."""
    roots = [Path(argument).resolve() for argument in arguments] or [REPOSITORY]
    files = [file for file in tracked_files() if file.exists() and any(file.is_relative_to(root) for root in roots)]
    lines = [line for file in files for line in findings(file)]
    print("\n".join(sorted(lines)) if lines else "word list: nothing found")
    return bool(lines)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
