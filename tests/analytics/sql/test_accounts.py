"""Accounts: calls without a link in the CRM count for the account of their people, and are marked."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.support.account_links import blur_links, find_account_id, find_true_accounts, remove_link
from tests.support.companies import build_recent_gong, public_calls
from tests.support.marts import build_models, sync_company
from tests.support.workspace import Workspace

_NO_SENTENCES = ("--select", "calls,users")


@pytest.mark.slow
def test_an_account_with_four_unlinked_calls_of_ten_has_ten(workspace: Workspace) -> None:
    """All ten calls are found, four of them by the people on them, and Gong's link is believed for the others."""
    gong = build_recent_gong(calls=1_000, days=60)
    truth = find_true_accounts(gong)
    linked = Counter(account for call in public_calls(gong) if (account := find_account_id(call)) is not None)
    account = next(account for account, count in linked.most_common() if count >= 10)
    own = [call for call in public_calls(gong) if truth.get(call.id) == account]
    for call in own[10:]:
        gong.delete_call(call.id)
    for call in own[:4]:
        remove_link(call)
    expected = sum(find_account_id(call) is None for call in own[:10])
    assert expected >= 4
    with sync_company(workspace, gong) as place:
        build_models(place)

        row = "SELECT call_count, call_count_without_crm_link FROM gong_analytics.accounts WHERE account_id = ?"
        assert place.rows(row, [account]) == [(10, expected)]
        matched = dict(
            place.rows(
                "SELECT call_id, account_matched_by FROM gong_analytics.calls_enriched WHERE account_id = ?", [account]
            )
        )
        assert matched.keys() == {call.id for call in own[:10]}
        assert {matched[call.id] for call in own[:4]} <= {"deal", "email", "domain"}


@pytest.mark.slow
def test_free_mail_and_consultants_are_not_taken_for_an_account(workspace: Workspace) -> None:
    """No account is called after a free-mail domain, and no call has the account of another customer.

    A domain of which no linked call has a person is an account of its own.
    """
    gong = build_recent_gong(calls=400, days=60)
    truth = find_true_accounts(gong)
    missing = blur_links(gong, unlinked=0.4)
    with sync_company(workspace, gong) as place:
        build_models(place)

        found = dict(place.rows("SELECT call_id, account_id FROM gong_analytics.calls_enriched WHERE is_external"))
        names = {name for (name,) in place.rows("SELECT account_name FROM gong_analytics.accounts")}
    checked = [call for call in missing if call in truth]
    assert len(checked) > 100
    wrong = [call for call in checked if found[call] not in (None, truth[call]) and "." not in found[call]]
    right = [call for call in checked if found[call] == truth[call]]
    assert wrong == []
    assert len(right) >= 0.8 * len(checked)
    assert not names & {"gmail.com", "outlook.com", "gmx.de"}
