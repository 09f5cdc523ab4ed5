"""Whose state a touchpoint changes, which states nobody looks after, and whether a channel does its job."""

from cxlib.roles._changes import state_care, state_changes
from cxlib.roles._claims import touchpoint_roles
from cxlib.roles._panel import STATE_ORDER, state_days

__all__ = ["STATE_ORDER", "state_care", "state_changes", "state_days", "touchpoint_roles"]
