"""A tool of the server: its declaration, its JSON Schemas, and the check of what an agent sends to it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Literal

from ..runtime.errors import UsageError

MAX_ARGUMENT_CHARACTERS = 10_000
"""Length of an argument: longer ones are mistakes of an agent, and arguments are in the audit log."""


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument of a tool.

    Attributes:
        name: Its name, also that of the parameter of `Evidence`'s method.
        description: What a model reads.
        type: Type in JSON Schema.
        choices: The only values; empty for any.
        is_required: Whether the tool needs it.
        minimum: Smallest number; None for text.
    """

    name: str
    description: str
    type: Literal["string", "integer"] = "string"
    choices: tuple[str, ...] = ()
    is_required: bool = False
    minimum: int | None = None

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema of the argument."""
        schema: dict[str, Any] = {"type": self.type, "description": self.description}
        if self.choices:
            schema["enum"] = list(self.choices)
        if self.minimum is not None:
            schema["minimum"] = self.minimum
        return schema

    def parse(self, value: object) -> str | int:
        """Return the value in its type; models also send numbers as text.

        Raises:
            UsageError: If the value has another type, or is not allowed.
        """
        if self.type == "integer":
            return self._parse_integer(value)
        if not isinstance(value, str):
            raise UsageError(f"{self.name} must be a string")
        if len(value) > MAX_ARGUMENT_CHARACTERS:
            raise UsageError(f"{self.name} is too long: use at most {MAX_ARGUMENT_CHARACTERS:,} characters")
        if self.choices and value not in self.choices:
            raise UsageError(f"{self.name} {value[:100]!r} is unknown: use one of {', '.join(self.choices)}")
        return value

    def _parse_integer(self, value: object) -> int:
        number = value if isinstance(value, int) and not isinstance(value, bool) else None
        if isinstance(value, float | str) and re.fullmatch(r"\d{1,18}(\.0)?", str(value)):
            number = int(str(value).removesuffix(".0"))
        if number is None or (self.minimum is not None and number < self.minimum):
            raise UsageError(f"{self.name} must be an integer of at least {self.minimum or 0}")
        return number


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool: a method of `Evidence` with the same name.

    Attributes:
        name: Its name.
        title: Its name for people.
        description: What a model reads to choose it.
        arguments: Its arguments.
        returns: Keys of the answer that are always there, and their types in JSON Schema.
        row_keys: Lists of the answer whose items are counted in the audit log; all lists if it is None.
        right: The right of a policy without which the tool is not offered; None for none.
    """

    name: str
    title: str
    description: str
    arguments: tuple[Argument, ...] = ()
    returns: tuple[tuple[str, str], ...] = ()
    row_keys: tuple[str, ...] | None = None
    right: Literal["query", "transcripts"] | None = None

    def input_schema(self) -> dict[str, Any]:
        """Return the JSON Schema of the arguments."""
        return {
            "type": "object",
            "properties": {argument.name: argument.schema() for argument in self.arguments},
            "required": [argument.name for argument in self.arguments if argument.is_required],
            "additionalProperties": False,
        }

    def output_schema(self) -> dict[str, Any]:
        """Return the JSON Schema of the answer. Further keys are allowed."""
        properties: dict[str, Any] = {key: {"type": type_name} for key, type_name in self.returns}
        properties |= {
            "truncated": {"type": "boolean", "description": "Whether something was left out"},
            "next": {"type": ["string", "integer", "null"], "description": "Argument that continues the answer"},
            "reason": {"type": ["string", "null"], "description": "Why the answer is empty or incomplete"},
        }
        return {"type": "object", "properties": properties, "required": list(properties)}

    def parse_arguments(self, arguments: Mapping[str, object]) -> dict[str, Any]:
        """Return the arguments in their types; an argument that is null is left out.

        Raises:
            UsageError: If an argument is unknown, missing or invalid. The message is one line that names it.
        """
        known = {argument.name: argument for argument in self.arguments}
        for name in arguments.keys() - known.keys():
            close = get_close_matches(name, known, n=1)
            advice = f"did you mean {close[0]!r}?" if close else f"use {', '.join(known) or 'no argument'}"
            raise UsageError(f"{self.name} has no argument {name[:100]!r}: {advice}")
        given = {name: known[name].parse(value) for name, value in arguments.items() if value is not None}
        for argument in self.arguments:
            if argument.is_required and argument.name not in given:
                raise UsageError(f"{self.name} needs the argument {argument.name!r}")
        return given

    def count_rows(self, answer: Mapping[str, Any]) -> int:
        """Return the number of rows of an answer; an answer without lists has one."""
        keys = answer.keys() if self.row_keys is None else self.row_keys
        lists = [answer[key] for key in keys if isinstance(answer.get(key), list)]
        return sum(map(len, lists)) if lists else 1
