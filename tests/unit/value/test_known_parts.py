"""What the chapter on customer value says of its data."""

import pandas as pd

from cxlib.value.known_parts import ValueTables, value_notes


def test_customers_without_a_channel_are_counted_only_where_they_are_many():
    lines = pd.DataFrame({"amount": [10.0], "margin": [5.0]})
    how = {"outcome": "margin", "contribution_margin_rate": 0.3}

    def told(unknown, least):
        people = pd.DataFrame({"acquisition_channel": ["ad"] * 30 + [None] * unknown})
        notes = value_notes(ValueTables(lines, None, None, False), people, **how, min_cell=least)
        return [note for note in notes if "channel" in note["note"]]

    [many] = told(12, 10)
    assert (many["note"], many["n"]) == ("customer_value.no_channel", 12)
    for unknown, least in ((2, 10), (12, 13)):
        [few] = told(unknown, least)
        assert few["note"] == "customer_value.few_without_channel" and "n" not in few
    assert told(0, 10) == []
