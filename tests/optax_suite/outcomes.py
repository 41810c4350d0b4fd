"""Read and write ``outcomes.toml``: what each of optax's tests did on our optimizers, and why."""

import json
import re
import tomllib
from pathlib import Path

TABLE = Path(__file__).with_name("outcomes.toml")
VERSION = "0.2.8"
MODULES = {
    "alias": "optax._src.alias_test",
    "contrib": "optax.contrib._common_test",
    "muon": "optax.contrib._muon_test",
    "sam": "optax.contrib._sam_test",
    "schedule_free": "optax.contrib._schedule_free_test",
    "reduce_on_plateau": "optax.contrib._reduce_on_plateau_test",
    "schedules": "optax.schedules._schedule_test",
    "join": "optax.schedules._join_test",
    "inject": "optax.schedules._inject_test",
    "accumulation": "optax.transforms._accumulation_test",
    "clipping": "optax.transforms._clipping_test",
    "combining": "optax.transforms._combining_test",
    "combine": "optax._src.combine_test",
    "conditionality": "optax.transforms._conditionality_test",
    "lookahead": "optax._src.lookahead_test",
    "masking": "optax.transforms._masking_test",
}
SKIPS_ITSELF = "optax's test skips itself."
CALLS_NONE = "It tests what has no counterpart here."


def read():
    """Return the committed table: for each group the number of tests passed, and ``{reason: tests}`` of the others."""
    return tomllib.loads(TABLE.read_text())


def compressed(names):
    """Return the names of tests with the numbers of one test's cases in one string."""
    cases = {}
    for name in names:
        base, number = re.fullmatch(r"(.*?)(\d*)", name).groups()
        cases.setdefault(base, []).append(number)
    numbers = {base: sorted(filter(None, given), key=int) for base, given in cases.items()}
    return sorted(f"{base} {' '.join(given)}".strip() for base, given in numbers.items())


def summary(outcomes, known):
    """Return a group of the table from what ``optax_suite.run`` wrote.

    Args:
        outcomes: the text of its file.
        known: the group in the committed table, whose reasons stand for failures that do not say their own.
    """
    reasons = {}
    for reason, names in known.get("failed", {}).items():
        for name in names:
            base, *numbers = name.split()
            reasons |= {base + number: reason for number in numbers or [""]}
    group = {"passed": 0, "failed": {}, "not_comparable": {}}
    for name, _, happened, why, called in json.loads(outcomes):
        if happened == "skipped" or not called:
            reason = SKIPS_ITSELF if happened == "skipped" else CALLS_NONE
            group["not_comparable"].setdefault(reason, []).append(name)
        elif happened == "failed":
            said = re.match(r"CannotBeSaid: (.*)", why)
            reason = said[1] if said else reasons.get(name, f"UNKNOWN: {' '.join(why.split())[:150]}")
            group["failed"].setdefault(reason, []).append(name)
        else:
            group["passed"] += 1
    for kind in ("failed", "not_comparable"):
        group[kind] = {reason: compressed(names) for reason, names in sorted(group[kind].items())}
    return group


def write(table):
    """Write the table."""
    lines = ["# What optax's own tests do on our optimizers. Written by tools/record_optax_suite.py; reasons by hand."]
    for name, group in table.items():
        lines += ["", f"[{name}]", f"passed = {group['passed']}"]
        for kind in ("failed", "not_comparable"):
            lines += ["", f"[{name}.{kind}]"] if group[kind] else []
            for reason, names in group[kind].items():
                lines += [f"{json.dumps(reason, ensure_ascii=False)} = ["]
                lines += [f"    {json.dumps(name)}," for name in names] + ["]"]
    TABLE.write_text("\n".join(lines) + "\n")


def count(names):
    """Return how many tests these strings name."""
    return sum(max(1, len(name.split()) - 1) for name in names)
