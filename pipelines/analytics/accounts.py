"""Find the accounts that a text means: an id of the CRM, a domain, a person's e-mail address, or a name."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from .marts import Marts

MatchedBy = Literal["CRM id", "domain", "e-mail", "name"]

_LEGAL_FORM_WORDS = """
ab ag aps as asa bv bvba co company corp corporation gmbh inc incorporated kft kg kgaa kk limited llc llp lp ltd mbh nv
ohg oy oyj plc pte pty sa sarl sas se sl spa srl sro ug
"""
LEGAL_FORMS = frozenset(_LEGAL_FORM_WORDS.split())
"""Words at the end of a company's name that a person omits."""

_CLOSEST_NAMES = 5

_NAMES = "SELECT account_id, account_name, names FROM {marts}.accounts ORDER BY account_name, account_id"
_BY_ID = "SELECT account_id, account_name, is_in_crm FROM {marts}.accounts WHERE account_id = %s"
_BY_DOMAIN = """
SELECT accounts.account_id, accounts.account_name, domains.is_own_domain
FROM {marts}.account_domains AS domains
JOIN {marts}.accounts AS accounts ON accounts.account_id = domains.account_id
WHERE domains.domain = %s ORDER BY domains.call_count DESC, accounts.account_id
"""
_BY_ADDRESS = """
SELECT accounts.account_id, accounts.account_name, max(CASE WHEN domains.is_own_domain THEN 1 ELSE 0 END) AS is_own
FROM {marts}.call_participants AS people
JOIN {marts}.account_calls AS calls ON calls.call_id = people.call_id
JOIN {marts}.accounts AS accounts ON accounts.account_id = calls.account_id
LEFT JOIN {marts}.account_domains AS domains ON domains.account_id = calls.account_id AND domains.domain = %s
WHERE people.email_address = %s AND people.side <> 'company'
GROUP BY accounts.account_id, accounts.account_name ORDER BY count(*) DESC, accounts.account_id
"""

_DOMAIN = re.compile(r"(?:https?://)?(?:www\.)?((?:[\w-]+\.)+[a-z][\w-]+)\.?(?:[/:?#].*)?", re.IGNORECASE)
# Initials, as in B.V. and S.A.
_INITIALS = re.compile(r"\b\w(?:\.\w)+\b")
_APOSTROPHE = re.compile("['\N{RIGHT SINGLE QUOTATION MARK}]")
_NO_WORD = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class AccountMatch:
    """An account that a text means.

    Attributes:
        account_id: Id in the CRM; the domain of an account that the CRM does not know.
        account_name: Its name.
        matched_by: What the text is.
    """

    account_id: str
    account_name: str
    matched_by: MatchedBy


@dataclass(frozen=True, slots=True)
class ResolvedAccounts:
    """The accounts that a text means.

    Attributes:
        matches: The accounts, the most likely one first; empty if the text is unknown.
        closest_names: If nothing matches, names that are spelled alike.
    """

    matches: Sequence[AccountMatch]
    closest_names: Sequence[str] = ()

    @property
    def account_ids(self) -> list[str]:
        """The ids of the accounts."""
        return [match.account_id for match in self.matches]

    def unknown_message(self, text: str) -> str | None:
        """Return one line that `--account` names no account, with the closest names; None if it names one."""
        if self.matches:
            return None
        closest = f": the closest names are {', '.join(self.closest_names)}" if self.closest_names else ""
        return f"no account matches --account {text!r}{closest}"


def resolve_accounts(marts: Marts, text: str) -> ResolvedAccounts:
    """Return the accounts that a text means.

    The first of these rules that finds an account applies:

    1. the id of the account in the CRM;
    2. a domain, also with `https://` and a path: the accounts to which it belongs, else those whose calls have people
       of it;
    3. the e-mail address of a person of the other side: the accounts of the person's calls, without those on whose
       calls the person was a guest, else the accounts of the domain;
    4. a name without upper case, accents, punctuation and legal forms: a whole name, else its first words, else words
       in it, else a part of it.

    Args:
        marts: The marts.
        text: What a person wrote.

    Raises:
        UsageError: If the marts are missing or outdated.
    """
    text = text.strip()
    if found := [*_by_id(marts, text)] or [*_by_domain(marts, text)] or [*_by_address(marts, text)]:
        return ResolvedAccounts(found)
    accounts = [*marts.rows(_NAMES.format(marts=marts.schema))]
    if found := _by_name(accounts, text):
        return ResolvedAccounts(found)
    return ResolvedAccounts([], _closest_names(accounts, text))


def normalize_name(name: str) -> str:
    """Return the words of a company's name without upper case, accents, punctuation and legal forms at its end."""
    decomposed = unicodedata.normalize("NFKD", name.casefold())
    plain = "".join(letter for letter in decomposed if not unicodedata.combining(letter))
    plain = _INITIALS.sub(lambda initials: initials[0].replace(".", ""), plain)
    words = _NO_WORD.sub(" ", _APOSTROPHE.sub("", plain).replace("&", " and ").replace("+", " and ")).split()
    shortened = list(words)
    while shortened and (shortened[-1] in LEGAL_FORMS or (shortened[-1] == "and" and len(shortened) < len(words))):
        shortened.pop()
    return " ".join(shortened or words)


def _by_id(marts: Marts, text: str) -> Iterator[AccountMatch]:
    for row in marts.rows(_BY_ID.format(marts=marts.schema), text):
        yield _match(row, "CRM id" if row["is_in_crm"] else "domain")


def _by_domain(marts: Marts, text: str) -> Iterator[AccountMatch]:
    if domain := _DOMAIN.fullmatch(text):
        rows = [*marts.rows(_BY_DOMAIN.format(marts=marts.schema), domain[1].lower())]
        own = [row for row in rows if row["is_own_domain"]]
        yield from (_match(row, "domain") for row in own or rows)


def _by_address(marts: Marts, text: str) -> Iterator[AccountMatch]:
    address = text.lower()
    _, _, domain = address.rpartition("@")
    if domain == address:
        return
    rows = [*marts.rows(_BY_ADDRESS.format(marts=marts.schema), domain, address)]
    own = [row for row in rows if row["is_own"]]
    for row in own or rows:
        yield _match(row, "e-mail")
    if not rows:
        yield from (AccountMatch(found.account_id, found.account_name, "e-mail") for found in _by_domain(marts, domain))


def _by_name(accounts: Sequence[Mapping[str, Any]], text: str) -> list[AccountMatch]:
    wanted = normalize_name(text)
    if not wanted:
        return []
    named = [(account, [*_normalized_names(account)]) for account in accounts]
    rules = (
        lambda name: name.replace(" ", "") == wanted.replace(" ", ""),
        lambda name: f"{name} ".startswith(f"{wanted} "),
        lambda name: f" {wanted} " in f" {name} ",
        lambda name: wanted in name,
    )
    for rule in rules:
        if found := [_match(account, "name") for account, names in named if any(map(rule, names))]:
            return found
    return []


def _closest_names(accounts: Iterable[Mapping[str, Any]], text: str) -> list[str]:
    names = {name: account["account_name"] for account in accounts for name in _normalized_names(account)}
    closest = difflib.get_close_matches(normalize_name(text), names, _CLOSEST_NAMES)
    return list(dict.fromkeys(names[name] for name in closest))


def _normalized_names(account: Mapping[str, Any]) -> Iterator[str]:
    names = {account["account_name"], *(account["names"] or "").split(" | ")}
    yield from {normalize_name(name) for name in names if name}


def _match(row: Mapping[str, Any], matched_by: MatchedBy) -> AccountMatch:
    return AccountMatch(row["account_id"], row["account_name"], matched_by)
