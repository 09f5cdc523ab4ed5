"""Do the reports of one run tell the same story? Rules that read `results.json` and list what contradicts.

A finding is held against its own numbers, and reports against each other. As a script it makes reports for
many sets of parameters in both languages and prints every contradiction:

    python tests/same_story.py --sets 30 --data data/sample
"""

from __future__ import annotations

import argparse
import itertools
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from cxlib.customers.rfm_segments import segment_words
from cxlib.data.rules.rule_files import load_rules
from cxlib.report.units import METRICS
from cxlib.stats.verdicts import limits_side

ROOT = Path(__file__).parents[1]
#: Numbers that are counted in something else than customers.
COUNTED = {"answers", "purchases", "contacts", "deals", "sessions"}
#: Verdicts that claim a side: 1 above, -1 below, 0 either; some interval has to lie there wholly.
CLAIMS = {
    "differ": 0,
    "risen": 1,
    "fallen": -1,
    "worse": 1,
    "better": -1,
    "effective": 1,
    "harmful": -1,
    "more": 1,
    "fewer": -1,
}
#: Verdicts that deny a difference: some interval has to hold no difference, and the sentence has to say so.
DENIALS = {"no_difference_shown"}
#: Names of values an interval is held against, beside zero.
AGAINST = ("target", "needed", "alarm", "limit", "break_even_effect", "min_effect")
#: What only a gap in the numbers leaves in a sentence: an empty limit, a missing value, a placeholder.
HOLES = re.compile(
    r"–(?=[）)。.,;]|\s|$)|[(（\[]\s*–|(?:\bto|～)\s*–|\bnan\b|\bNone\b|\binf\b|\{\w+\}|\bNaT\b|<NA>"
)
#: Letters of Japanese, which no English sentence holds.
JAPANESE = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]")
#: What nobody translated: English words in a row, outside of code.
UNTRANSLATED = re.compile(r"[a-z]{3,}(?: [a-z]{2,}){2,}")
#: A word or mark said twice in a row, by two texts that met: the gender-wise of gender.
TWICE = re.compile(r"(別|ごと|を|。|、|：)\1")
#: Names of the rules that have words of their own in Japanese, which no Japanese sentence holds in English.
ENGLISH = {
    words["en"]
    for words in segment_words(load_rules("rfm_segments")).values()
    if not JAPANESE.search(words["en"]) and words["en"] != words["ja"]
}
#: Customers, or companies, counted as things are in Japanese.
COUNTED_AS_THINGS = re.compile(r"(?:顧客|取引先|担当者|利用者|会員)（?[\d,]+(?:件|個)")
#: A confidence level with a decimal that says nothing, and the words before it.
LOOSE_LEVELS = re.compile(r"(?:level of|level|power|信頼水準|有意水準|検出力) ?\d+\.0%")
#: What to do where to wait helps; nothing else stands beside "too early".
WAITING = ("wait", "carry_on")
#: Notices that say what the first day of the period does not bound, and sentences that do so themselves.
UNBOUNDED = re.compile(r"own_windows|inventory\.narrowed")
OF_ALL = {"en": "at any time since the data begin", "ja": "データの最初から"}
#: Notices that there is nothing of a kind, with the finding that tells of it.
NOTHING = {"value_score.no_score": "value_score.leaving", "value_score.no_outlook": "value_score.sales"}
NOTHING |= {"voice.notes.no_comments": "voice.heard", "scorecard.no_charts": "scorecard.control"}
NOTHING |= {"inventory.none_steps": "inventory.without_next_step"}
#: One of these stands in every sentence whose verdict denies a difference.
HEDGES = {
    "en": r"can(?:no|')t|no (?:\w+ )*(?:difference|change|shown|found|told)|not (?:been )?shown|undecided"
    r"|no scheme shows|whether|neither"
    r"|not (?:beyond|more|clearly|told)|none|nothing|inside|told apart|may (?:be|have)"
    r"|beyond chance",
    "ja": r"ません|ない|未定|不明|含|差なし|なし|ず、|ずに",
}


def intervals(record):
    """Name, limits and unit of every interval among a finding's numbers, where a limit is known."""
    values, units = record["values"], record.get("units", {})
    for low in values:
        high = low.removesuffix("low") + "high"
        is_limit = low.endswith("_low") or (
            low == "low" and "gap_low" not in values
        )  # else rates of two groups
        if is_limit and high in values and (_is_number(values[low]) or _is_number(values[high])):
            yield low, values[low], values[high], units.get(low) or "number"


def limit_faults(record):
    """Limits in the wrong order, an interval without width, or one that does not hold what it is of."""
    values = record["values"]
    for name, low, high, unit in intervals(record):
        if not (_is_number(low) and _is_number(high)):
            continue
        own = name.removesuffix("low").rstrip("_")
        if own == "conf" and values.get("estimate", 0) is None:  # two bounds of what is not known better
            continue
        others = [value for other, value in values.items() if not other.endswith(("low", "high"))]
        held = [values[own]] if own in values else others if own in ("", "conf") else [low]
        if low >= high:
            yield f"{name}: from {low} to {high}"
        elif unit == "pp" and max(abs(low), abs(high)) > 1:
            yield f"{name}: two shares {low} to {high} apart"
        elif not any(_is_inside(value, low, high) for value in held):
            yield f"{name}: what it is of does not lie between the limits"


def unit_faults(record):
    """A limit in another unit than what it is of: money read as a share."""
    units = record.get("units", {})
    for low, _low, _high, unit in intervals(record):
        own = low.removesuffix("low").removesuffix("conf_").rstrip("_")
        of = next((name for name in (f"{own}_estimate".lstrip("_"), own) if name in units), None)
        if of is not None and isinstance(units[of], str) and units[of] != unit:
            yield f"{low}: in {unit}, and {of} in {units[of]}"
    for ends in (("lowest", "highest"), ("before", "after")):
        if len(of_ends := {str(units[end]) for end in ends if end in units}) > 1:
            yield f"{' and '.join(ends)}: in {' and '.join(sorted(of_ends))}"


def bare_faults(record):
    """A number of a sentence that nobody knows the unit of: a share as 0.01, an amount without currency."""
    units = record.get("units", {})
    for name, value in record["values"].items():
        if _is_bare(value, units.get(name)):
            yield f"{name}: {value} without a unit"


def bare_columns(table):
    """Columns of a table with a number of unknown unit; one of a metric that is known to be plain is none."""
    for name, unit in table.get("units", {}).items():
        for row in table["rows"]:
            metric = str(row.get("metric"))
            of_row = unit if isinstance(unit, str) else unit.get(metric, "number")
            if metric not in METRICS and _is_bare(row.get(name), of_row):
                yield f"{name}: {row[name]} without a unit"
                break


def _is_bare(value, unit):
    return isinstance(value, float) and _is_number(value) and value % 1 != 0 and unit in (None, "number")


def verdict_faults(record, lang, currency):
    """A verdict that no interval of the finding carries, or that its words do not."""
    verdict, found = record.get("verdict"), list(intervals(record))
    against = [record["values"][name] for name in AGAINST if _is_number(record["values"].get(name))]
    sides = {
        int(limits_side(low, high, null=null, unit=unit, currency=currency))
        for _name, low, high, unit in found
        for null in (1.0 if unit == "ratio" else 0.0, *against)
    }
    if any(low == 0 and unit == "ratio" for _name, low, _high, unit in found):  # an association, at its least
        sides.add(0)
    if verdict in CLAIMS and found and not sides & ({CLAIMS[verdict]} if CLAIMS[verdict] else {-1, 1}):
        yield f"verdict {verdict!r}, but no interval lies on that side"
    if verdict in DENIALS and found and 0 not in sides:
        yield f"verdict {verdict!r}, but every interval excludes no difference"
    if verdict in DENIALS and any(
        unit == "pp" and (low, high) == (-1, 1) for _name, low, high, unit in found
    ):
        yield f"verdict {verdict!r}, but the interval holds whatever a difference can be"
    if verdict in DENIALS and not re.search(HEDGES[lang], record["text"], re.IGNORECASE):
        yield f"verdict {verdict!r}, but the sentence claims"


def language_faults(record, names=()):
    """Words of the other language in a sentence: a code nobody named, or a list that was said too early."""
    texts = record.get("texts", {})
    if found := JAPANESE.search(texts.get("en", "")):
        yield f"{found.group()!r} in the English sentence"
    for text in texts.values() if "values" not in record else ():
        if found := HOLES.search(text):
            yield f"a hole in the notice: {found.group()!r}"
    if "values" in record and texts.get("en", "A")[:1].islower():
        yield "the English sentence begins with a small letter"
    bare = re.sub("`[^`]*`" + "".join(f"|{re.escape(name)}" for name in names), "", texts.get("ja", ""))
    if found := UNTRANSLATED.search(bare):
        yield f"{found.group()!r} in the Japanese sentence"
    yield from writing_faults(texts)
    for word in sorted(ENGLISH):
        if re.search(rf"(?<![A-Za-z]){re.escape(word)}(?![A-Za-z])", texts.get("ja", "")):
            yield f"{word!r} in the Japanese sentence"


def writing_faults(texts):
    """A word said twice, customers counted as things, a level with a decimal that says nothing."""
    for odd in (TWICE, COUNTED_AS_THINGS):
        if found := odd.search(texts.get("ja", "")):
            yield f"{found.group()!r} in the Japanese sentence"
    for said in texts.values():
        if found := LOOSE_LEVELS.search(said):
            yield f"a level with a needless decimal: {found.group()!r}"


def of_language(results):
    """`language_faults` of every sentence; a company's own data may hold words of either language."""
    said = {**results["findings"], **results.get("notices", {})}
    rows = [row for table in results["tables"].values() for row in table["rows"]]
    rows += [record["values"] for record in results["findings"].values()]
    names = {row["initiative"] for row in rows if row.get("initiative")}
    for key, record in said.items() if results["header"].get("is_sample", True) else ():
        for fault in language_faults(record, names):
            yield key, fault


def period_faults(results, lang):
    """Findings on more customers than have a row in the period, where the report does not say so."""
    header = results["header"]
    tables = [table for table in header.get("tables", []) if table["table"] != "customers"]
    held = [table["customers"] for table in tables if table.get("customers")]
    is_said = any(UNBOUNDED.search(key) for key in results.get("notices", {}))
    if header.get("period_start") is None or is_said or not held:
        return
    for key, record in results["findings"].items():
        n = record["values"].get("n")
        if _is_number(n) and n > max(held) and OF_ALL[lang] not in record["text"]:
            yield key, f"n = {n} is more than have a row in the period"


def nothing_faults(results):
    """Notices that there is nothing to show of what a finding tells of."""
    for notice, finding in NOTHING.items():
        if notice in results.get("notices", {}) and finding in results["findings"]:
            yield notice, f"nothing to show: there is none of what {finding} tells about"


def asked_faults(results, people):
    """Findings that ask for more customers than there are."""
    for key, record in results["findings"].items():
        values = record["values"]
        if people and _is_number(values.get("more")) and values["n"] + values["more"] > max(people):
            yield key, f"asks for {values['more']} more answers of {max(people)} customers"
        listed = values.get("n_listed")
        if listed is not None and values.get("claim") != "too_few" and 2 * values["per_group"] > listed:
            yield key, f"asks for two groups of {values['per_group']} out of {listed} customers"


def waiting_faults(results):
    """Initiatives called too early where to wait does not help, and warnings where nothing is computed."""
    rows = results["tables"].get("verdicts", {}).get("rows", [])
    warned = results.get("notices", {}).get("impact.register_cautions", {}).get("texts", {}).get("en", "")
    for row in rows:
        if row["verdict"] == "too_early" and row.get("next_step", "wait") not in WAITING:
            yield row["initiative"], f"too early, and the step is {row['next_step']!r}"
        if row.get("months_observed") == 0 and row["initiative"] in warned:
            yield row["initiative"], "a warning where no month is observed"


def bar_faults(results):
    """A forecast that claims to beat a simpler one that does worse than a coin."""
    for key, record in results["findings"].items():
        simple = record["values"].get("simple_auc_share")
        if record["values"].get("claim") == "score_ranks" and _is_number(simple) and simple < 0.5:
            yield key, f"the bar is right in {simple} of cases only"


def first_faults(results):
    """What is told as the only or the best of its kind, and is not in its own report."""
    findings = results["findings"]
    lowering = {
        record["values"]["topic"]
        for record in findings.values()
        if record["values"].get("claim") == "nps_lowers"
    }
    first = findings.get("voice.first", {"values": {}})["values"]
    if first.get("claim") in ("only", "none") and lowering - {first.get("topic")}:
        yield "voice.first", f"{first['claim']}, but a lower NPS goes with {sorted(lowering)}"
    best = findings.get("customer_value.best", {"values": {}})["values"]
    ratios = [
        row["ltv_to_cac"]
        for row in results["tables"].get("costs", {}).get("rows", [])
        if _is_number(row.get("ltv_to_cac")) and not str(row["acquisition_channel"]).endswith("channels")
    ]
    if best.get("claim") in ("first", "among") and any(ratio > best["estimate"] + 1e-9 for ratio in ratios):
        yield "customer_value.best", f"{best['first']} is told as the largest, and {max(ratios)} is more"


def choice_faults(results):
    """Figures that the choice of period or groups makes, told without a word about it."""
    notices, findings = results.get("notices", {}), results["findings"]
    chosen = results["header"].get("period_start") is not None
    if chosen and "journey.f2_level" in findings and "journey.f2_of_period" not in notices:
        yield "journey.f2_level", "does not say that it is of first buyers of the period"
    told = findings.get("differences", {"values": {}})["values"]
    is_own = (told.get("measure"), told.get("by")) == ("per_100_orders", "segment")
    if is_own and "support.segment_circular" not in notices:
        yield "differences", "does not say that segments are made from the orders divided by"


def caption_faults(results):
    """Captions that write a level with a needless decimal, or with a space before the sign."""
    for key, figure in results.get("figures", {}).items():
        if found := re.search(r"\d+(?:\.0%| %)", figure.get("caption", "")):
            yield key, f"{found.group()!r} in the caption"


def table_faults(results):
    """Rows of tables that say something else than their intervals."""
    for key, table in results["tables"].items():
        for fault in bare_columns(table):
            yield key, fault
        for row in table["rows"]:
            low, high, estimate = (row.get(name) for name in ("conf_low", "conf_high", "estimate"))
            if all(map(_is_number, (low, high, estimate))) and not _is_inside(estimate, low, high):
                yield key, "an estimate lies outside its interval"
            known = row.get("month") == 0 or "quartile_low" in row  # spent at the start; whole days
            if _is_number(low) and low == high and not known:
                yield key, "an interval of width zero"


def report_faults(results, lang):
    """Contradictions inside one report, by the key of the finding or table."""
    yield from period_faults(results, lang)
    for rule in (of_language, nothing_faults, waiting_faults, bar_faults, first_faults, choice_faults):
        yield from rule(results)
    people = [table["customers"] for table in results["header"].get("tables", []) if table.get("customers")]
    yield from asked_faults(results, people)
    for key, record in results["findings"].items():
        if hole := HOLES.search(record["text"]):
            yield key, f"a hole in the sentence: {hole.group()!r}"
        for fault in (
            *limit_faults(record),
            *unit_faults(record),
            *bare_faults(record),
            *verdict_faults(record, lang, results["header"].get("currency")),
        ):
            yield key, fault
        n = record["values"].get("n")
        if people and _is_number(n) and n > max(people) and not COUNTED & record["values"].keys():
            yield key, f"n = {n} is more than the report has customers"
    yield from table_faults(results)
    yield from caption_faults(results)


def run_faults(run):
    """Contradictions between the reports of one run: facts that have to be equal wherever they are said."""
    for name, places in _same_facts(run).items():
        values = {place: value for place, value in places.items() if value is not None}
        first = next(iter(values.values()), None)
        if any(not _alike(value, first) for value in values.values()):
            yield name, f"said differently: {values}"


def _same_facts(run):
    facts = {}
    for report, results in run.items():
        for table in results["header"].get("tables", []):
            for what in ("rows", "first", "last", "customers"):
                facts.setdefault(f"{what} of {table['table']}", {})[report] = table.get(what)
        for what in ("as_of", "period_start", "period_end", "currency", "timezone", "data_set"):
            facts.setdefault(what, {})[report] = results["header"].get(what)
    for report, row in _segments(run):
        for what in ("estimate", "customer_share"):
            facts.setdefault(f"{what} of {row['segment']}", {})[report] = row.get(what)
    for name, ways in SAME.items():
        for report, kind, key, column in ways:
            record = run.get(report, {}).get(kind, {}).get(key)
            if record is not None:
                facts.setdefault(name, {})[f"{report}.{key}.{column}"] = record["values"].get(column)
    return facts


#: Findings that say what the scorecard says, by its figure; F2 and cost are told of other customers there.
KPIS = {
    "nps": ("nps_drivers", "nps.standing[window=now]", "estimate"),
    "csat": ("nps_drivers", "nps.csat", "estimate"),
    "ces": ("nps_drivers", "nps.ces", "estimate"),
    "win_rate": ("sales", "sales.win_rate", "estimate"),
    "follow_up_share": ("sales", "sales.follow_up", "compliance_share"),
    "lead_to_deal": ("sales", "sales.lead_share[metric=lead_to_deal]", "estimate"),
    "valley_depth": ("journey", "journey.valley", "estimate"),
    "settled_at_once": ("support", "support.settled", "estimate"),
    "uncoded_share": ("voice", "voice.heard", "estimate"),
}


def kpi_faults(run):
    """Figures of the scorecard that their own chapter says differently, or doesn't say."""
    for row in run.get("scorecard", {}).get("tables", {}).get("all_kpis", {}).get("rows", []):
        report, key, column = KPIS.get(row["metric"], (None, None, None))
        if report in run and row.get("estimate") is not None:
            told = run[report]["findings"].get(key, {}).get("values", {}).get(column)
            if not _alike(row["estimate"], told):
                yield row["metric"], f"{row['estimate']} in the scorecard, {told} in {report}"


def largest_faults(run):
    """A gain or fall that is told as the largest of the segments, and is not in their table."""
    results = run.get("segmentation", {"findings": {}, "tables": {}})
    rows = [row for row in results["tables"].get("growth", {}).get("rows", []) if _is_number(row["estimate"])]
    for key, record in results["findings"].items():
        claim, own = record["values"].get("claim"), record["values"].get("estimate")
        if claim in ("gain_season", "loss_season"):
            most = (max if claim == "gain_season" else min)(row["estimate"] for row in rows) if rows else own
            if not _alike(most, own):
                yield key, f"{own} is told as the most, and {most} is more"


def unknown_faults(run):
    """Deals that are said to lack a next step where the inventory finds that nothing tells of any."""
    if "inventory.none_steps" in run.get("data_inventory", {}).get("notices", {}):
        for key, record in run.get("sales", {}).get("findings", {}).items():
            if record["values"].get("list") == "no_next_step":
                yield key, "deals without a next step, and nothing tells of next steps"


def _segments(run):
    """Rows of the table of segments, by the report that shows it."""
    for report, results in run.items():
        yield from ((report, row) for row in results["tables"].get("segments", {}).get("rows", []))


#: Facts that more than one finding states, by the findings and the number that states them.
SAME = {
    "stage of the valley": [
        ("journey", "findings", key, "stage")
        for key in ("journey.valley", "journey.valley_cost", "journey.decision")
    ],
    "share of the top customers": [
        ("segmentation", "findings", "segmentation.concentration", "estimate"),
        ("segmentation", "findings", "segmentation.last_year", "whole_share"),
    ],
    "upper limit of open deals without a next step": [
        ("data_inventory", "findings", "inventory.without_next_step", "conf_high"),
        ("sales", "findings", "sales.attention[metric=without_next_step]", "conf_high"),
    ],
    "lower limit of that share": [
        ("segmentation", "findings", "segmentation.concentration", "conf_low"),
        ("segmentation", "findings", "segmentation.rule_service", "conf_low"),
    ],
}


def _alike(one, other):
    if _is_number(one) and _is_number(other):
        return abs(one - other) <= 1e-9 * max(abs(one), abs(other), 1)
    return one == other


def _is_inside(value, low, high):
    room = 1e-9 * max(abs(low), abs(high), 1)
    return _is_number(value) and low - room <= value <= high + room


def _is_number(value):
    return isinstance(value, int | float) and not isinstance(value, bool) and np.isfinite(value)


def contradictions(run, lang):
    """Every contradiction of a run's `results.json`, as "report key: what"."""
    found = [
        f"{report} {key}: {fault}"
        for report, results in run.items()
        for key, fault in report_faults(results, lang)
    ]
    of_run = (*run_faults(run), *kpi_faults(run), *unknown_faults(run), *largest_faults(run))
    return found + [f"{name}: {fault}" for name, fault in of_run]


#: Sets of parameters: each another question a team may ask in another month.
SETS = [
    {},
    {"period_start": "2026-04-01", "period_end": "2026-09-30"},
    {"as_of": "2026-03-31", "by": "region"},
    {"by": "segment", "conf_level": 0.8},
    {"segment": "Champions", "min_cell": 5},
    {"as_of": "2026-06-30", "by": "customer_type", "conf_level": 0.99},
    {"period_start": "2025-04-01", "min_cell": 30, "by": "acquisition_channel"},
    {"as_of": "2025-12-31"},
]
SETS += [
    {"as_of": day, "by": by, "conf_level": level}
    for (day, by), level in zip(
        itertools.product(
            ["2025-09-30", "2026-01-31", "2026-04-30", "2026-08-31"], [None, "region", "segment", "gender"]
        ),
        itertools.cycle([0.95, 0.8, 0.99]),
        strict=False,
    )
]
SETS += [{"segment": name} for name in ("Loyal", "Hibernating", "New", "Cannot lose")]
SETS += [{"period_start": "2026-07-01"}, {"period_end": "2026-03-31", "by": "segment"}]
SETS += [
    {"where": "region=Kanto", "period_start": "2026-01-01", "min_cell": 5},
    {"where": "customer_type=business", "as_of": "2026-03-31", "by": "industry"},
    {"segment": "Loyal", "where": "region=Kanto", "as_of": "2026-06-30", "period_start": "2026-02-01"},
]


def make_run(parameters, lang, folder, data=ROOT / "data" / "sample"):
    """Make all reports with these parameters and read what they say."""
    folder.mkdir(parents=True, exist_ok=True)
    given = {name: value for name, value in parameters.items() if value is not None} | {"lang": lang}
    (folder / "parameters.yml").write_text(json.dumps(given), encoding="utf-8")
    command = [sys.executable, "-m", "cxlib.runner.cli", "run", "--data", str(data)]
    command += ["-f", str(folder / "parameters.yml"), "--out", str(folder / "out")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=1_800, check=False)
    assert done.returncode in (0, 4), done.stdout + done.stderr
    (results,) = (folder / "out").rglob("results.json")
    return json.loads(results.read_text(encoding="utf-8"))


def main():
    """Make the reports for many sets of parameters in both languages, and print what contradicts."""
    arguments = argparse.ArgumentParser(description=main.__doc__)
    arguments.add_argument("--sets", type=int, default=len(SETS))
    arguments.add_argument("--data", type=Path, default=ROOT / "data" / "sample")
    given = arguments.parse_args()
    total = 0
    with tempfile.TemporaryDirectory() as folder:
        for number, (parameters, lang) in enumerate(itertools.product(SETS[: given.sets], ("en", "ja"))):
            found = contradictions(make_run(parameters, lang, Path(folder) / str(number), given.data), lang)
            total += len(found)
            sys.stdout.write("\n".join([f"{lang} {parameters}: {len(found)}", *found, ""]))
    return int(total > 0)


if __name__ == "__main__":
    sys.exit(main())
