"""The table and the picture of ratios: ``python -m benchmarks.report results.json [--plot picture.png]``.

``--section training`` leaves out the rest; the sections are compiled, import, data, memory, networks, operations,
processes and training.

The JSON is what ``pytest --benchmark-only --benchmark-json results.json`` writes. The table is Markdown, the same that
ends the benchmark's own output.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

OURS, THEIRS = "minigrad", "torch"


@dataclass
class Result:
    """One job: the median seconds (or bytes) of each contender, and what minigrad takes for each one of theirs."""

    section: str
    job: str
    unit: str = "s"
    seconds: dict[str, float] = field(default_factory=dict)
    ratio: dict[str, float] = field(default_factory=dict)


def results_in(report: dict[str, Any]) -> list[Result]:
    """The results in a report of pytest-benchmark, in the order in which they were measured."""
    results: dict[tuple[str, str], Result] = {}
    for row in report["benchmarks"]:
        info = row["extra_info"]
        key = info["section"], info["job"]
        result = results.setdefault(key, Result(*key, info["unit"]))
        result.seconds[info["contender"]] = row["stats"]["median"]
        if info["contender"] != OURS:
            result.ratio[info["contender"]] = info["ratio"]
    return list(results.values())


def by_section(results: Iterable[Result]) -> dict[str, list[Result]]:
    """The results of each section, sections in the order of their first result."""
    sections: dict[str, list[Result]] = {}
    for result in results:
        sections.setdefault(result.section, []).append(result)
    return sections


def table(results: Iterable[Result]) -> str:
    """Markdown: a heading for each section, a line for each job, and in the end how often minigrad is not slower.

    Behind the ratio to torch stand the ratios to whatever else ran beside minigrad.
    """
    parts = []
    for section, group in by_section(results).items():
        rows = [("job", OURS, THEIRS, "ratio", "ratio to others")]
        for result in group:
            ours = readable(result.seconds[OURS], result.unit)
            theirs, ratio = "", ""
            if THEIRS in result.ratio:
                theirs, ratio = readable(result.seconds[THEIRS], result.unit), f"{result.ratio[THEIRS]:.2f}"
            others = ", ".join(f"{name} {each:.2f}" for name, each in result.ratio.items() if name != THEIRS)
            rows.append((result.job, ours, theirs, ratio, others))
        if not any(row[-1] for row in rows[1:]):
            rows = [row[:-1] for row in rows]
        parts.append(f"### {section.capitalize()}\n\n{_markdown(rows)}")
    return "\n\n".join([*parts, summary(results)])


def summary(results: Iterable[Result]) -> str:
    """One line for each section: how many jobs take minigrad no longer than torch."""
    lines = []
    for section, group in by_section(results).items():
        ratios = [result.ratio[THEIRS] for result in group if THEIRS in result.ratio]
        if ratios:
            lines.append(f"{section}: minigrad takes no longer than torch in {sum(r <= 1 for r in ratios)} of "
                         f"{len(ratios)}; ratios from {min(ratios):.2f} to {max(ratios):.2f}")  # fmt: skip
    return "\n".join(lines)


def _markdown(rows: Sequence[tuple[str, ...]]) -> str:
    """Lay out a table: the first column to the left, the others to the right, the first row as its head."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = [
        " | ".join(cell.rjust(width) if i else cell.ljust(width) for i, (cell, width) in enumerate(zip(row, widths)))  # noqa: B905
        for row in rows
    ]
    rule = "|".join("-" * (width + 1) + (":" if i else "-") for i, width in enumerate(widths))
    return "\n".join([f"| {lines[0]} |", f"|{rule}|", *(f"| {line} |" for line in lines[1:])])


def readable(seconds: float, unit: str = "s") -> str:
    """A time with three digits; with the unit "B" a number of bytes.

    >>> readable(0.000012345), readable(0.0987), readable(1.5), readable(5 * 2**20, "B")
    ('12.3 µs', '98.7 ms', '1.50 s', '5.00 MiB')
    """
    if unit == "B":
        return f"{_three_digits(seconds / 2**20)} MiB"
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{_three_digits(seconds / size)} {unit}"
    return f"{_three_digits(seconds / 1e-6)} µs"


def _three_digits(number: float) -> str:
    return f"{number:.{2 if number < 10 else 1 if number < 100 else 0}f}"


def machine(info: dict[str, Any]) -> str:
    """Say on what a report was measured."""
    cpu = info.get("cpu", {}).get("brand_raw") or info["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in info["versions"].items())
    products = "; ".join(f"{name} by {by}" for name, by in info["blas"].items())
    return (
        "Medians of processor time (import: time on the clock; memory: the most that a process had), each ratio between "
        f"neighbours in time. Measured on {cpu}, {info['system']}; Python {info['python_version']}, {versions}. "
        f"Matrix products: {products}."
    )


def plot(results: Sequence[Result], note: str, path: Path) -> None:
    """Draw the ratios to torch as bars on a logarithmic axis that start at 1: to the left minigrad is faster."""
    import matplotlib  # here, for nothing else needs it

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt
    from matplotlib.ticker import LogLocator

    shown = [result for group in by_section(results).values() for result in group if THEIRS in result.ratio][::-1]
    ratios = [result.ratio[THEIRS] for result in shown]
    figure, axes = plt.subplots(figsize=(9, 1.2 + 0.2 * len(shown)), layout="constrained")
    colours = ["tab:green" if ratio <= 1 else "tab:red" for ratio in ratios]
    bars = axes.barh(range(len(shown)), [ratio - 1 for ratio in ratios], left=1, color=colours)
    for bar, ratio in zip(bars, ratios, strict=True):
        end, side = (-4, "right") if ratio <= 1 else (4, "left")
        middle = bar.get_y() + bar.get_height() / 2
        axes.annotate(f"{ratio:.2f}", (ratio, middle), (end, 0), textcoords="offset points", ha=side, va="center",
                      fontsize=7)  # fmt: skip
    axes.axvline(1, color="black", linewidth=1)
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter("{x:g}")
    axes.minorticks_off()
    axes.margins(x=0.12, y=0.01)
    axes.set_yticks(range(len(shown)), [result.job for result in shown], fontsize=7)
    axes.set_xlabel("time of minigrad / time of torch (left of the line: minigrad is faster)")
    figure.suptitle(note, fontsize=7, wrap=True)
    figure.savefig(path, dpi=120)
    plt.close(figure)


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the JSON that the command line names, print the table, and draw the picture if asked to."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.report", description="Ratios of minigrad to torch.")
    parser.add_argument("results", type=Path, help="what pytest --benchmark-only --benchmark-json RESULTS has written")
    parser.add_argument("--plot", type=Path, metavar="PICTURE", help="also draw the ratios to torch into this file")
    parser.add_argument("--section", action="append", help="only the jobs of this section; may be given repeatedly")
    options = parser.parse_args(arguments)
    try:
        report = json.loads(options.results.read_text())
        results, note = results_in(report), machine(report["machine_info"])
    except OSError as error:
        parser.error(f"cannot read {options.results}: {error.strerror}")
    except (ValueError, KeyError, TypeError):
        parser.error(f"{options.results} is not what pytest --benchmark-only --benchmark-json writes for this project")
    sections = list(dict.fromkeys(result.section for result in results))
    for each in options.section or ():
        if each not in sections:
            parser.error(f"{options.results} has no section {each!r}, only {', '.join(sections)}")
    results = [result for result in results if result.section in (options.section or sections)]
    print(table(results), note, sep="\n\n")
    if options.plot is not None:
        try:
            plot(results, note, options.plot)
        except (OSError, ValueError) as error:
            parser.error(f"cannot draw {options.plot}: {error}")


if __name__ == "__main__":
    main()
