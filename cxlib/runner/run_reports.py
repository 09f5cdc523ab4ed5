"""`cx run`: check, then run or only say what would run, and tell what came of it."""

from __future__ import annotations

from typing import Any

from cxlib.runner.batch import run_plans
from cxlib.runner.plan import RunSettings, check_in_data, plan
from cxlib.runner.publish import check_out
from cxlib.runner.retry import Retry
from cxlib.runner.tell import tell, tell_dry, termination_like_interruption
from cxlib.runner.words import say


def run_reports(
    settings: RunSettings, lang: str, *, retry: str | None, is_dry: bool, accepts_gaps: bool
) -> int:
    """Run reports and return the exit code.

    Parameters
    ----------
    settings
        What to run and how.
    lang
        Language of the messages.
    retry
        Name of the run to complete, or `retry.NEWEST`; None for a new one.
    is_dry
        Check and tell only.
    accepts_gaps
        Whether a lack of data ends with exit code 0.
    """
    check_out(settings.out)
    more: dict[str, Any] = {}
    if retry is None:
        plans = plan(settings)
    else:
        earlier = Retry(settings, retry)
        if earlier.is_complete:
            print(say("retry_nothing", lang, run=earlier.folder.name))  # noqa: T201
            return 0
        settings, plans, more = earlier.settings, earlier.plans(), {"earlier": earlier.earlier}
    check_in_data((one.values, one.data) for one in plans)
    if is_dry:
        return tell_dry(plans, lang, accepts_gaps=accepts_gaps)
    with termination_like_interruption():
        outcome = run_plans(plans, settings, message_lang=lang, **more)
    return tell(outcome, lang, accepts_gaps=accepts_gaps)
