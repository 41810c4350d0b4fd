"""The tables and the picture of benchmarks/update.py."""

import statistics

import numpy as np

PACKED, BOOK = "ours, packed", "the book's"
COLUMNS = ("ours", PACKED, "optax", "torch, fused", "torch, foreach", BOOK)


def quantile(values, q):
    return float(np.quantile(values, q))


def ratio(times, over, under="ours"):
    """How many times as long ``over`` takes, round by round: the median, and the quartiles."""
    if over not in times or under not in times:
        return "–"
    ratios = np.divide(times[over], times[under])
    return f"{np.median(ratios):.2f} ({quantile(ratios, 0.25):.2f} to {quantile(ratios, 0.75):.2f})"


def spread(values):
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


def table(head, rows):
    return ["| " + " | ".join(head) + " |", "|" + "---|" * len(head), *("| " + " | ".join(row) + " |" for row in rows)]


def steps(cells):
    """Every cell: lower quartiles over the floor's, or in milliseconds where there is none; and ratios to ours."""
    for cell in cells.values():
        times = cell["ms"]
        unit = quantile(times["floor"], 0.25) if "floor" in times else 1
        low = [f"{quantile(times[name], 0.25) / unit:.3g}" if name in times else "–" for name in COLUMNS]
        shown = f"{unit:.3g}" if "floor" in times else "–"
        yield [cell["rule"], f"{cell['size']:,}", f"{cell['leaves']}", shown, *low, ratio(times, "optax")]


def packed(cells):
    for cell in cells.values():
        times = cell["ms"]
        if cell["leaves"] >= 292:
            ratios = [ratio(times, over, PACKED) for over in ("ours", "optax", "torch, fused")]
            yield [cell["rule"], f"{cell['size']:,}", f"{cell['leaves']}", *ratios]


def before(cells):
    """What comes before the first step: how many times as long optax takes, over all rules and sizes."""
    for leaves in sorted({cell["leaves"] for cell in cells.values()}):
        mine = [cell["figures"] for cell in cells.values() if cell["leaves"] == leaves]

        def over(name, *parts, mine=mine):
            return spread([sum(f["optax"][p] for p in parts) / sum(f[name][p] for p in parts) for f in mine])

        ms = [statistics.median(f[name]["first step"] for f in mine) for name in ("ours", PACKED, "optax")]
        yield [
            f"{leaves}",
            *(f"{x:.0f}" for x in ms),
            over("ours", "trace", "lower"),
            over("ours", "first step"),
            over(PACKED, "compile"),
            over(PACKED, "first step"),
        ]


def eager(cells):
    for cell in cells.values():
        if "eager" in cell:
            ms = [f"{statistics.median(cell['eager'][name]):.3g}" for name in ("ours", "optax")]
            yield [cell["rule"], f"{cell['leaves']}", *ms, ratio(cell["eager"], "optax")]


def memory(cells):
    """Bytes that a donated step takes beside parameters, state and gradients: the most over all cells."""
    for name in ("ours", PACKED, "optax"):
        worst = max(cells.values(), key=lambda cell: cell["figures"][name]["bytes beside"])
        figures = worst["figures"][name]
        share = figures["bytes beside"] / figures["bytes"]
        where = f"{worst['rule']}, {worst['size']:,}, {worst['leaves']} leaves"
        yield [name, f"{figures['bytes beside']:,}", f"{100 * share:.2g} %", where]


def training(widths):
    for width, mine in widths.items():
        ms = f"{statistics.median(mine['ms']['optax']):.3g}"
        ratios = [ratio(mine["ms"], "optax", name) for name in ("ours", PACKED, "ours, all packed")]
        seconds = [f"{mine['compile'][name] / 1e3:.1f}" for name in ("optax", "ours", PACKED, "ours, all packed")]
        yield [f"{width}", ms, *ratios, *seconds]


def flagged(cells, with_flag):
    for key, cell in with_flag.items():
        if key not in cells:
            continue
        rows = []
        for name in ("ours", "optax"):
            low = [quantile(c["ms"][name], 0.25) / quantile(c["ms"]["floor"], 0.25) for c in (cells[key], cell)]
            rows += [f"{low[0]:.2f}", f"{low[1]:.2f}"]
        yield [cell["rule"], f"{cell['size']:,}", f"{cell['leaves']}", *rows]


def write(results, out):
    """Writes update.md and update.png beside the JSON."""
    cells, machine = results["cells"], results["machine"]
    versions = ", ".join(f"{k} {v}" for k, v in machine.items() if v and k not in {"cores", "machine", "device"})
    lines = [
        "# What an update costs",
        "",
        f"`python benchmarks/update.py` on {machine['cores']} cores ({machine['machine']}, {machine['device']}):",
        f"{versions}.",
        "Float32, jitted, donated. Lower quartiles of nine rounds in one process, as multiples of the floor: a loop in",
        "C, in place, over one buffer. Then how many times as long optax takes as ours, round by round: the median and",
        "the quartiles. 292 leaves are GPT-2's, narrowed; all others are equal. Packed: `pack(params, largest=None)`.",
        "",
        *table(["rule", "parameters", "leaves", "floor, ms", *COLUMNS, "optax / ours"], steps(cells)),
        "",
        "## Packed",
        "",
        "How many times as long the others take.",
        "",
        *table(["rule", "parameters", "leaves", "ours", "optax", "torch, fused"], packed(cells)),
        "",
        "## Before the first step",
        "",
        "Milliseconds to the end of the first step, and how many times as long optax takes; medians (and extremes)",
        "over all rules and sizes. Nothing is cached.",
        "",
        *table(
            [
                "leaves", "ours", PACKED, "optax", "trace and lower, ours", "first step, ours", "compile, packed",
                "first step, packed",
            ],
            before(cells),
        ),
        "",
        "## Eager",
        "",
        "One step outside of jit, a million parameters, milliseconds.",
        "",
        *table(["rule", "leaves", "ours", "optax", "optax / ours"], eager(cells)),
        "",
        "## Memory",
        "",
        "The most that a donated step takes beside parameters, state and gradients, over all cells, by XLA's account.",
        "",
        *table(["", "bytes", "of what there is", "where"], memory(cells)),
        "",
    ]  # fmt: skip
    if "training" in results:
        lines += [
            "## A whole training step",
            "",
            "AdamW on a network of 146 layers, 292 leaves, batches of 32: milliseconds, how many times as long optax",
            "takes, and seconds to compile. `packed` is `pack(params)`, which leaves weights of more than 8192 entries",
            "as they are; `all packed` is `pack(params, largest=None)`.",
            "",
            *table(
                [
                    "width", "optax, ms", "ours", "packed", "all packed",
                    "optax, s", "ours, s", "packed, s", "all packed, s",
                ],
                training(results["training"]),
            ),
            "",
        ]  # fmt: skip
    if "imports" in results:
        low, high = ({name: quantile(ms, q) for name, ms in results["imports"].items()} for q in (0.25, 0.75))
        mine, optax = (f"{low[name]:.0f} to {high[name]:.0f} ms" for name in ("jaxopt_lite", "optax"))
        lines += [
            "## Imports and rates",
            "",
            f"Beyond `import jax`, `import jaxopt_lite` takes {mine}, `import optax` {optax}. A thousand steps at a",
            f"thousand rates, given as arrays, compile {results['recompilations']} program.",
            "",
        ]
    if results.get("flag"):
        lines += [
            "## An XLA flag for CPUs",
            "",
            "`XLA_FLAGS=--xla_backend_extra_options=xla_cpu_use_multi_output_fusion=true` lets one kernel write",
            "several arrays. It holds for the whole process, and XLA does not document it. Multiples of the floor,",
            "without it and with it:",
            "",
            *table(
                ["rule", "parameters", "leaves", "ours", "ours, flag", "optax", "optax, flag"],
                flagged(cells, results["flag"]),
            ),
            "",
        ]
    out.with_suffix(".md").write_text("\n".join(lines))
    print("\n".join(lines))
    draw(cells, out.with_suffix(".png"))


def draw(cells, path):
    """AdamW at each size, against the number of leaves."""
    import matplotlib.pyplot as plt  # noqa: PLC0415 - nothing else here needs it

    found = [cell for cell in cells.values() if cell["rule"] == "adamw" and "floor" in cell["ms"]]
    sizes = sorted({cell["asked"] for cell in found})
    if not sizes:
        return
    figure, axes = plt.subplots(1, len(sizes), figsize=(4 * len(sizes), 3.6), sharey=True, squeeze=False)
    for axis, size in zip(axes[0], sizes, strict=True):
        mine = sorted((cell for cell in found if cell["asked"] == size), key=lambda cell: cell["leaves"])
        for name in [name for name in COLUMNS if name in mine[0]["ms"]]:
            times = [quantile(cell["ms"][name], 0.25) / quantile(cell["ms"]["floor"], 0.25) for cell in mine]
            axis.plot([cell["leaves"] for cell in mine], times, "o-", label=name)
        axis.set(xscale="log", yscale="log", xlabel="leaves", title=f"AdamW, {size:.0e} parameters")
        axis.axhline(1, color="0.7", zorder=0)
    axes[0, 0].set_ylabel("times the floor")
    axes[0, -1].legend(fontsize=8)
    figure.tight_layout()
    figure.savefig(path, dpi=120)
