"""Prompts of the server: questions that users pick in their client, with the tools to use and what to cite."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..runtime.errors import UsageError
from .tools import NOTICE

_CITE = (
    "For each statement name the call (title and date), the speaker, the time in the call, and link the"
    " moment_url. Mark"
    " what Gong's AI generated. If something is not in the calls, write that it was not found, and which calls have no"
    f" transcript; do not guess. {NOTICE}"
)


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt.

    Attributes:
        name: Its name.
        title: Its name for people.
        description: What a user reads to choose it.
        argument: Name of its one argument, which is required; None for none.
        argument_description: What a user reads to fill it.
        text: The question, with the argument in braces.
    """

    name: str
    title: str
    description: str
    text: str
    argument: str | None = None
    argument_description: str | None = None

    def format(self, arguments: Mapping[str, str]) -> str:
        """Return the question.

        Raises:
            UsageError: If the argument is missing, or another one is given.
        """
        expected = {self.argument} - {None}
        if arguments.keys() != expected or not all(value.strip() for value in arguments.values()):
            needed = f"the argument {self.argument!r}" if self.argument else "no argument"
            raise UsageError(f"prompt {self.name} needs {needed}")
        return f"{self.text.format(**arguments)}\n\n{_CITE}"


PROMPTS = (
    Prompt(
        "prepare_meeting",
        "Prepare a meeting",
        "A page for the next meeting with an account: state, people, open points, what to ask",
        """Prepare me for a meeting with {account}.

1. Call account_brief with this account. If it names several accounts, ask me which one is meant.
2. Call deal_brief for each open deal.
3. Call get_transcript for the last call with the customer, and search within the account for open questions and \
concerns.

Write one page: where we stand with each deal and its risks, who will matter and what they care about, what was \
agreed and \
by whom it is due, concerns that are still open, and five questions to ask.""",
        "account",
        "Account: name, domain or CRM id",
    ),
    Prompt(
        "objections_this_quarter",
        "Objections this quarter",
        "What customers objected to since the quarter began, how often, and how it was answered",
        """Which objections did customers raise this quarter?

1. Call status for the newest call, and use the first day of its quarter as since.
2. Call search with side customer and since, once per kind of objection: price and budget, security and legal, missing \
features, time and resources to implement, competitors, no need to change. Use mode both if it is installed.
3. Call describe_schema and query to count the calls and accounts of trackers about objections, if there are any.

Group the objections by kind, most calls first. Per kind: number of calls and accounts found, two or three quotes, \
how our \
side answered, and whether the deals were won or lost.""",
    ),
    Prompt(
        "promises",
        "What we promised",
        "Commitments that our side made to an account, with who made them and whether they were mentioned again",
        """What did we promise {account}?

1. Call account_brief with this account for next steps and last calls.
2. Call search with this account and side company for words of commitment: will send, follow up, by Friday, get \
back to you, \
we can do, I promise, roadmap, discount.
3. Read the lines around each with get_transcript, to see what exactly was promised and to whom.

List each promise with who made it, to whom, when, by when it is due, and whether a later call shows that it was \
kept. Next \
steps that Gong's AI wrote are hints, not promises: list one only if the transcript confirms it.""",
        "account",
        "Account: name, domain or CRM id",
    ),
    Prompt(
        "win_loss",
        "Win/loss against a competitor",
        "Why deals with a competitor were won and lost, with figures and quotes",
        """Why do we win and lose against {competitor}?

1. Call describe_schema, then query competitor_outcomes for deals won and lost with and without this competitor.
2. Call find_calls with tracker {competitor}, or search for the name if there is no such tracker, for won and for \
lost deals.
3. Call deal_brief for the largest deals of both kinds, and get_transcript where the competitor is discussed.

Give the win rate with and without the competitor and the number of deals behind it, then the reasons for wins and \
for losses, \
each with quotes from customers. With fewer than ten deals, call it anecdotal.""",
        "competitor",
        "Name of the competitor",
    ),
)
"""All prompts, in the order in which they are listed."""

PROMPTS_BY_NAME = {prompt.name: prompt for prompt in PROMPTS}
