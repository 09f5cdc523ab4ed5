"""Checking a table costs a small multiple of merely reading it."""

import time

import numpy as np
import pandas as pd
import pytest

from cxlib.data.tables.data_set import open_data

pytestmark = pytest.mark.benchmark
N = 1_000_000


@pytest.fixture
def million_answers(tmp_path):
    rng = np.random.default_rng(1)
    ids = pd.Series([f"C{i:07d}" for i in range(300_000)])
    start = pd.Timestamp("2025-01-01", tz="Asia/Tokyo")
    customers = pd.DataFrame({"customer_id": ids, "first_seen_on": start.date(), "customer_type": "consumer"})
    answers = pd.DataFrame(
        {
            "response_id": [f"R{i:07d}" for i in range(N)],
            "customer_id": ids.sample(N, replace=True, random_state=1).to_numpy(),
            "answered_at": start + pd.to_timedelta(rng.integers(0, 40_000_000, N), unit="s"),
            "survey": "relationship",
            "nps_score": rng.integers(0, 11, N),
            **{f"driver_{name}": rng.integers(1, 6, N) for name in ("quality", "ease", "price")},
        }
    )
    (tmp_path / "dataset.yml").write_text(
        "{name: Shop, currency: JPY, timezone: Asia/Tokyo, extracted_at: 2026-10-01}"
    )
    customers.to_parquet(tmp_path / "customers.parquet")
    answers.to_parquet(tmp_path / "responses.parquet")
    return tmp_path


def test_checking_a_million_answers_takes_a_few_readings(million_answers):
    begun = time.perf_counter()
    plain = pd.read_parquet(million_answers / "responses.parquet")
    plain["response_id"].is_unique  # noqa: B018  (the one check everybody makes)
    read = time.perf_counter() - begun
    data_set = open_data(million_answers)
    data_set.table("customers")
    begun = time.perf_counter()
    checked = data_set.table("responses")
    spent = time.perf_counter() - begun
    print(f"read {read:.2f} s, read and checked {spent:.2f} s")
    assert len(checked) == N
    assert data_set.problems == []
    assert spent < max(6 * read, 2)
