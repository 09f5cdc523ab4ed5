"""A hundred thousand comments take ten seconds and a gigabyte; long ones cost no more by the letter."""

import resource
import time
from pathlib import Path

import pandas as pd
import pytest

from cxlib.voice.topics.coding import code_comments, codebook
from cxlib.voice.topics.words import HIDDEN

LABELLED = Path(__file__).parents[1] / "fixtures" / "comments"


@pytest.mark.benchmark
def test_a_hundred_thousand_comments():
    parts = [pd.read_csv(LABELLED / f"comments_{lang}.csv")["comment"] for lang in ("en", "ja")]
    said = pd.concat(parts, ignore_index=True).sample(100_000, replace=True, random_state=1)
    ids = [f"r{row}" for row in range(len(said))]
    comments = [
        f"{one} {other} {place}" for place, (one, other) in enumerate(zip(said, said[::-1], strict=True))
    ]
    data = pd.DataFrame({"response_id": ids, "comment": comments})
    codebook()
    start = time.perf_counter()
    found = code_comments(data)
    seconds = time.perf_counter() - start
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"{seconds:.1f} s, {most:.2f} GB, {len(found):,} codings")
    assert seconds < 10 and most < 1


@pytest.mark.benchmark
def test_a_comment_without_spaces_is_redacted_as_fast_as_one_with_them():
    taken = {}
    for size in (25_000, 100_000):
        start = time.perf_counter()
        for _ in range(5):
            HIDDEN.sub("…", "x" * size)
        taken[size] = time.perf_counter() - start
    print(f"four times as long: {taken[100_000] / taken[25_000]:.1f} times")
    assert taken[100_000] < 8 * taken[25_000]
