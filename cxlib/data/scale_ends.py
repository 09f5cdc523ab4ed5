"""Was another scale asked than the one declared? What the ends of the answers give away."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
#: Answers from which on an end can be doubted, and from which on more is asked for: chance looks often.
LEAST, MANY = 50, 100
#: Answers that the next box should have held: none of them by chance in 5 % and in 2 % (Poisson).
EXPECTED, EXPECTED_OF_MANY = 3.0, 4.0
#: Rate at which answers may rise towards the end they pile up at.
STEEPEST = 1.5


def doubted_ends(score: ArrayLike, scale: tuple[float, float]) -> tuple[bool, bool]:
    """Tell whether the lowest and the highest boxes of a scale are empty though answers should be there.

    Answers from 1 to 10 taken for 0 to 10 stop short at the 1, where answers to the full scale would fade
    out. The boxes next to the empty end are carried on into it (`expected_next`); where they foretell three
    answers (four, from 100 answers on) and there is none, another scale was probably asked.

    Parameters
    ----------
    score : array-like
        Answers; missing ones are left out.
    scale : tuple of two numbers
        Lowest and highest box declared.

    Returns
    -------
    tuple of two bool
        Lowest, highest. False with fewer than 50 answers, where an end is used, or where answers fade out;
        the lowest also where the box above it is empty too: no scale begins at 7, content customers do.

    Notes
    -----
    In simulations of 2,000 surveys each on full scales of 0 to 10, of 100 to 1,600 answers, at most 6 % were
    doubted where the lower tail is thin and at most 2 % where zeros are as common as ones (10 % and 4 % at 50
    answers). Of surveys on 1 to 10 whose answers spread evenly 80 % are found at 50 answers and 96 % at 100;
    with 4 % ones and twos each, 75 % at 150 and 90 % at 200. Answers that never come near the end cannot give
    a scale away.

    Examples
    --------
    >>> doubted_ends(list(range(1, 11)) * 5, (0, 10)), doubted_ends([7, 8, 9, 10] * 20, (0, 10))
    ((True, False), (False, False))
    """
    low, high = (round(end) for end in scale)
    held = np.asarray(score, dtype=float)
    held = held[np.isfinite(held)]
    counts = np.bincount((np.clip(held, low, high) - low).astype(int), minlength=high - low + 1)
    needed = EXPECTED if len(held) < MANY else EXPECTED_OF_MANY
    if len(held) < LEAST:
        return False, False
    lowest, highest = (expected_next(each) >= needed for each in (counts, counts[::-1]))
    return bool(lowest and counts[1] > 0), bool(highest)


def expected_next(counts: ArrayLike) -> float:
    """Answers that the empty box before the first used one should hold, from the boxes that follow it.

    Parameters
    ----------
    counts : array-like
        Answers per box, from the end of the scale inwards.

    Returns
    -------
    float
        0 where the first box is used, or all are empty.

    Notes
    -----
    On nine boxes and more the two pairs that follow give the rate r at which answers fade (at most 1.5),
    and the box before them would hold a·r²/(1+r) of the a answers of the nearer pair. On shorter scales a
    pair spans the hump of the answers, so the first box is carried on by the cube of its ratio to the next.

    Examples
    --------
    >>> expected_next([0, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5]), expected_next([0, 4, 8, 16, 20])
    (5.0, 0.5)
    """
    boxes = np.asarray(counts, dtype=float)
    used = np.flatnonzero(boxes)
    if not len(used) or used[0] == 0:
        return 0.0
    left = np.r_[boxes[used[0] :], np.zeros(4)]
    if len(boxes) < 9:
        return float(left[0] * min(left[0] / max(left[1], 1.0), 1.0) ** 3)
    near, far = left[:2].sum(), left[2:4].sum()
    fade = min(np.sqrt(near / far), STEEPEST) if far else STEEPEST
    return float(near * fade**2 / (1 + fade))
