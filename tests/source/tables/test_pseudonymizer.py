"""Pseudonymizer: normalisation, keyed hashes, inferred fields, and the examples of docs/privacy.md."""

from __future__ import annotations

import hmac
import re
import subprocess
from collections.abc import Iterator
from typing import Any

import duckdb
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sources.gong.resources import PERSONAL_FIELDS
from sources.gong.tables.pseudonyms import Pseudonymizer, infer_pii_kind, normalise
from tests.support.paths import REPOSITORY

KEY = "a key that is hard to guess"


DOCUMENT = REPOSITORY / "docs" / "privacy.md"


def hash_text(text: str, key: str = KEY) -> str:
    """Return the pseudonym of a normalised text."""
    return hmac.new(key.encode(), text.encode(), "sha256").hexdigest()


LETTERS = st.text(st.characters(codec="ascii", categories=("Lu", "Ll", "Nd")), min_size=1)


SPACES = st.text(" \t\u00a0", max_size=3)


@given(LETTERS, LETTERS, SPACES, SPACES)
def test_emails_are_normalised(user: str, host: str, left: str, right: str) -> None:
    """Case and surrounding spaces do not change the pseudonym."""
    email = f"{user}@{host}.example"
    assert normalise(f"{left}{email.upper()}{right}", "email") == email.lower()


@given(st.text("0123456789", min_size=1), st.text(" ()-./", min_size=1, max_size=3), st.booleans())
def test_phone_numbers_are_normalised(digits: str, between: str, plus: bool) -> None:
    """Only digits and a leading plus are significant."""
    written = ("+" if plus else "") + between.join(digits)
    assert normalise(f" {written} ", "phone") == ("+" if plus else "") + digits
    assert normalise(f"({written})", "phone") == ("+" if plus else "") + digits


@given(st.lists(LETTERS, min_size=1), st.text(" \t\n", min_size=1, max_size=3))
def test_names_are_normalised(words: list[str], between: str) -> None:
    """Case and the number of spaces do not change the pseudonym."""
    assert normalise(between.join(words).upper(), "name") == " ".join(words).lower()


@given(st.text(), st.sampled_from(["email", "phone", "name", "link"]))
def test_normalisation_is_idempotent(text: str, kind: Any) -> None:
    """A normalised value stays as it is."""
    once = normalise(text, kind)
    assert normalise(once, kind) == once


@given(st.text(st.characters(codec="utf-8")), st.text(st.characters(codec="utf-8"), min_size=16))
def test_a_pseudonym_is_an_hmac_of_its_key(name: str, key: str) -> None:
    """Users can compute it themselves, and another key leads to another pseudonym."""
    text = normalise(name, "name")
    assert Pseudonymizer(key, {}).pseudonym(name, "name") == (hash_text(text, key) if text else "")
    if text:
        assert Pseudonymizer(key, {}).pseudonym(name, "name") != Pseudonymizer(key + "x", {}).pseudonym(name, "name")


def test_pseudonyms_of_nulls_empty_values_and_lists() -> None:
    """Empty values stay empty, and lists keep their length."""
    pseudonym = Pseudonymizer(KEY, PERSONAL_FIELDS).pseudonym
    empty: list[Any] = [None, "", [], {}]
    assert [pseudonym(value, "email") for value in empty] == empty
    assert pseudonym("  ", "email") == ""
    assert pseudonym(["A@b.example", None, ""], "email") == [hash_text("a@b.example"), None, ""]
    assert pseudonym(14155550100, "phone") == hash_text("14155550100")
    assert pseudonym({"b": 1, "a": "x"}, "name") == hash_text('{"a":"x","b":1}')


@pytest.mark.parametrize(
    ("field", "of_person", "kind"),
    [
        ("backupEmail", False, "email"),
        ("e-mail", False, "email"),
        ("voicemailUrl", False, None),
        ("workPhone", False, "phone"),
        ("mobile", True, "phone"),
        ("telephonySystem", False, None),
        ("name", True, "name"),
        ("name", False, None),
        ("displayName", True, "name"),
        ("displayName", False, None),
        ("trackerName", False, None),
        ("workspaceName", False, None),
        ("ownerName", False, "name"),
        ("surname", False, "name"),
        ("host", False, "person"),
        ("attendees", False, "person"),
        ("speakerId", True, None),
        ("primaryUserId", False, None),
    ],
)
def test_the_kind_of_a_new_field_is_inferred_from_its_name(field: str, of_person: bool, kind: str | None) -> None:
    """Fields that Gong adds are pseudonymised if their name suggests personal data."""
    assert infer_pii_kind(field, of_person=of_person) == kind


SECRETS = ("Planted Person", "planted@person.example", "+49 30 90182")


_PERSON = {"emailAddress": SECRETS[1], "name": SECRETS[0], "phoneNumber": SECRETS[2]}


_people = st.recursive(st.just(_PERSON) | st.sampled_from(SECRETS), lambda inner: st.lists(inner, max_size=3))


_anything = st.recursive(
    _people, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["host", SECRETS[1]]), inner)
)


@given(_people, _anything, st.sampled_from(["parties", "context", "collaboration", "interaction", "metaData"]))
def test_no_arrangement_of_people_leaves_a_personal_value(people: Any, anything: Any, block: str) -> None:
    """The scan does not depend on the documented structure."""
    inside = {"interaction": "speakers", "collaboration": "publicComments"}
    misfit = {inside[block]: [anything]} if block in inside else str(anything)
    record = {
        block: misfit,
        "host": people,
        "attendees": people,
        "more": {"emails": anything, "ownerNames": anything, "by": {SECRETS[1]: 3}},
    }
    shown = msgspec.json.encode(Pseudonymizer(KEY, PERSONAL_FIELDS).apply("calls", record)).decode()
    assert not [secret for secret in SECRETS if secret in shown]


def _blocks(language: str) -> Iterator[str]:
    yield from re.findall(rf"```{language}\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)


def test_the_documented_sql_computes_the_same_pseudonym() -> None:
    """Analysts can look up a person with the SQL of docs/privacy.md."""
    (sql,) = _blocks("sql")
    with duckdb.connect() as anywhere:
        anywhere.execute(sql)
        ask = "SELECT pseudonym(email_form(?), $key), pseudonym(phone_form(?), $key), pseudonym(name_form(?), $key)"
        given_as = [" Ana.Bell@Acme.example", "+1 (415) 555-0100", " Zoë  Bell "]
        for value in given_as:
            ask = ask.replace("?", "'" + value + "'", 1)
        assert anywhere.execute(ask, {"key": KEY}).fetchone() == (
            hash_text("ana.bell@acme.example"),
            hash_text("+14155550100"),
            hash_text("zoë bell"),
        )


def test_the_documented_shell_command_computes_the_same_pseudonym() -> None:
    """Users can look up a person with the command of docs/privacy.md."""
    (line,) = _blocks("sh")
    done = subprocess.run(
        ["bash", "-c", line], capture_output=True, text=True, check=True, env={"PII_KEY": KEY, "PATH": "/usr/bin:/bin"}
    )
    assert done.stdout.split()[-1] == hash_text("ana.bell@acme.example")
