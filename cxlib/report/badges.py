"""The one scale of badges: every verdict and notice level has a tone, and every tone a shape.

A reader who sees no colour has the shape, and everybody has the word beside it. CONTRIBUTING shows the same
table, and a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Mapping

#: Shape by tone; what only informs has none.
SHAPES: Mapping[str, str] = {"good": "●", "undecided": "◐", "bad": "▲", "alarm": "■", "info": ""}

#: Tone by verdict and by level of a notice: alarm is harm shown where something must be stopped or mended
#: first, undecided whatever the data do not settle, info what is neither good nor bad by itself.
TONES: Mapping[str, str] = {
    verdict: tone
    for tone, verdicts in {
        "good": """ahead better carry_on effective fund holds lifts met more pass pays reliable risen
            target_met usable""",
        "undecided": """confounded no_difference_shown no_valley not_enough_data not_met not_shown pay_open
            run_again tentative too_early too_few_answers unconfirmed undecided unknown wait widen""",
        "bad": "at_loss behind fail fails fallen fewer loss lowers off rework target_missed warning worse",
        "alarm": "alarm harmful repair stop valley",
        "info": "differ info leads less_likely less_often more_likely more_often start_here",
    }.items()
    for verdict in verdicts.split()
}


def tone_of(verdict: str | None) -> str:
    """Tone of a verdict or level; `info` for what the table does not know.

    Examples
    --------
    >>> tone_of("effective"), tone_of(None)
    ('good', 'info')
    """
    return TONES.get(verdict or "", "info")


def with_shape(verdict: str | None, word: str) -> str:
    """Return a verdict's word behind the shape of its tone.

    Examples
    --------
    >>> with_shape("stop", "Stop"), with_shape("differ", "Groups differ")
    ('■ Stop', 'Groups differ')
    """
    return f"{SHAPES[tone_of(verdict)]} {word}".strip()
