"""A million simulated customers fit into two minutes and eight gigabytes."""

import subprocess
import sys
import time

import pytest

pytestmark = pytest.mark.benchmark

PROGRAM = """
import resource
from cxlib.samples import write_sample
write_sample("company", n_customers=1_000_000)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="peak memory is counted in kilobytes on Linux only")
def test_a_million_customers(tmp_path, capsys):
    begun = time.perf_counter()
    command = [sys.executable, "-c", PROGRAM]
    done = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True)
    seconds, gigabytes = time.perf_counter() - begun, int(done.stdout) / 1e6
    with capsys.disabled():
        print(f"\n1 million customers: {seconds:.0f} s, {gigabytes:.1f} GB")
    assert seconds < 120
    assert gigabytes < 8
