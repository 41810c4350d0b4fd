"""Read and write ``outcomes.toml``: what each of optax's tests did on our optimizers, and why."""

import json
import re
import tomllib
from pathlib import Path

TABLE = Path(__file__).with_name("outcomes.toml")
JAX = "0.10"  # with which the outcomes were recorded
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
CALLS_NONE = "It calls nothing that has a counterpart here."


def read():
    """Return the committed table: for each group the number of tests passed, and ``{reason: tests}`` of the others."""
    return tomllib.loads(TABLE.read_text())


def compressed(names):
    """Return the names of tests, with the numbers of one test's cases in one string: ``"Test.of_sgd: 0 3"``."""
    cases = {}
    for name in names:
        base, number = re.fullmatch(r"(.*?)(\d*)", name).groups()
        cases.setdefault(base, []).append(number)
    return sorted(
        f"{base}: {' '.join(sorted(given, key=int))}" if given != [""] else base for base, given in cases.items()
    )


def expanded(names):
    """Return the names of all tests that these strings name."""
    split = [name.partition(": ") for name in names]
    return [base + number for base, _, numbers in split for number in (numbers.split() or [""])]


def why_not_comparable(happened, given):
    """Return why a test says nothing of ours, from what happened and the arguments that it was given."""
    if happened == "skipped":
        return SKIPS_ITSELF
    name = re.search(r"wrapper_name='(\w+)'", given) or re.search(r"opt_name='(\w+)'", given)
    return f"Nothing here is {name[1]}." if name else CALLS_NONE


def summary(outcomes, known):
    """Return a group of the table from what ``optax_suite.run`` wrote.

    Args:
        outcomes: the text of its file.
        known: the group in the committed table, whose reasons stand for failures that do not say their own.
    """
    reasons = {}
    for reason, names in known.get("failed", {}).items():
        reasons |= dict.fromkeys(expanded(names), reason)
    group = {"passed": 0, "failed": {}, "not_comparable": {}}
    for name, given, happened, why, called in json.loads(outcomes):
        if happened == "skipped" or not called:
            reason = why_not_comparable(happened, given)
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
            lines += ["", f"[{name}.{kind}]"] if group.get(kind) else []
            for reason, names in group.get(kind, {}).items():
                lines += [f"{json.dumps(reason, ensure_ascii=False)} = ["]
                lines += [f"    {json.dumps(name)}," for name in names] + ["]"]
    TABLE.write_text("\n".join(lines) + "\n")
