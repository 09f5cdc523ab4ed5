"""Second records of one person, and the company's own test accounts."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cxlib.data.text_type import TEXT
from cxlib.samples.people import CONSUMER, People
from cxlib.samples.settings import Truth

SAME_MAIL = 0.6  # of second records; the others came with another mail address and the same phone number
NO_PHONE = 0.2
KEY_DIGITS = 16


def identities(
    rng: np.random.Generator, people: People, customers: pd.DataFrame, truth: Truth
) -> tuple[pd.DataFrame, np.ndarray]:
    """Return `is_test`, `match_key_mail`, `match_key_phone` of customers, and whose second record each is.

    A second record (-1: none) belongs to a consumer of the same region and gender who came before and is
    nearest in age, so that nothing else in the tables has to change: what two records bought, one person did.
    """
    n = len(people)
    first = _first_records(rng, people, customers, truth)
    person = np.where(first >= 0, first, np.arange(n))
    by_mail = rng.random(n) < SAME_MAIL
    mail = np.where((first >= 0) & by_mail, person, np.arange(n))
    phone = np.where((first >= 0) & ~by_mail, person, np.arange(n))
    has_phone = rng.random(n) >= NO_PHONE
    needed = np.zeros(n, bool)
    needed[np.flatnonzero((first >= 0) & ~by_mail)] = True
    needed[phone[needed]] = True
    keys = rng.integers(0, 2**63, (2, n))
    frame = pd.DataFrame(
        {
            "is_test": pd.Series(rng.random(n) < truth.test_accounts).astype("boolean"),
            "match_key_mail": _digests(keys[0][mail], np.ones(n, bool)),
            "match_key_phone": _digests(keys[1][phone], has_phone | needed),
        }
    )
    return frame, first


def _first_records(
    rng: np.random.Generator, people: People, customers: pd.DataFrame, truth: Truth
) -> np.ndarray:
    """Pick whose second record each customer is, -1 for first records; nobody has three."""
    n = len(people)
    result = np.full(n, -1)
    able = people.buys & (people.kind == CONSUMER)
    group = people.region * 4 + pd.factorize(customers["gender"])[0] + 1
    year = customers["birth_year"].to_numpy(dtype=float, na_value=0.0)
    order = np.flatnonzero(able)
    order = order[np.lexsort((rng.random(len(order)), year[order], group[order]))]
    pairs = order[: len(order) // 2 * 2].reshape(-1, 2)
    pairs = np.sort(pairs[group[pairs[:, 0]] == group[pairs[:, 1]]], axis=1)  # customers stand in order
    chosen = rng.choice(len(pairs), min(len(pairs), round(n * truth.split_identities)), replace=False)
    result[pairs[chosen, 1]] = pairs[chosen, 0]
    return result


def _digests(numbers: np.ndarray, known: np.ndarray) -> pd.Series:
    """Write numbers as the pseudonyms of an import look."""
    texts = pd.Series([f"{number:0{KEY_DIGITS}x}" for number in numbers.tolist()], dtype=TEXT)
    return texts.where(pd.Series(known))


def identity_truth(first: np.ndarray, n_test_accounts: int, truth: Truth) -> dict[str, object]:
    """Say what is true of second records and test accounts: planted shares, and how many came of them."""
    return {
        "split_identities": truth.split_identities,
        "n_second_records": int((first >= 0).sum()),
        "test_accounts": truth.test_accounts,
        "n_test_accounts": n_test_accounts,
    }
