"""A hundred thousand comments are coded within ten seconds and a gigabyte."""

import resource
import time
from pathlib import Path

import pandas as pd
import pytest

from cxlib.voice.topics.coding import code_comments, codebook

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
