"""Reads metrics on standard input as a strict OpenMetrics parser does, and checks their names by Prometheus's conventions.

The conventions: https://prometheus.io/docs/practices/naming/, as far as a program can check them; `promtool check metrics` checks
the same of the older text format.
"""

import re
import sys

from prometheus_client.openmetrics.parser import text_string_to_metric_families

# Base units take the place of these.
NOT_BASE = {
    "milliseconds", "ms", "microseconds", "micros", "nanoseconds", "minutes", "hours", "days", "kilobytes", "kb", "megabytes",
    "mb", "percent",
}
KINDS = {"counter", "gauge", "histogram", "summary", "info"}

text = sys.stdin.read()
families = list(text_string_to_metric_families(text))
assert families and text.endswith("# EOF\n")
for family in families:
    name = family.name
    assert re.fullmatch("[a-z][a-z0-9]*(_[a-z0-9]+)*", name), name
    assert family.documentation, f"{name} has no help"
    assert name.startswith(("callervault_", "process_")), name
    words = set(name.split("_"))
    assert not words & NOT_BASE, f"{name} is not in a base unit"
    assert not words & KINDS, f"{name} names its type"
    assert family.type in KINDS, f"{name} is {family.type}"
    assert not family.unit or name.endswith(f"_{family.unit}"), name
    for last in ("_total", "_count", "_sum", "_bucket", "_created", "_info"):
        assert not name.endswith(last), name
    for sample in family.samples:
        for label in sample.labels:
            assert re.fullmatch("[a-z]+", label), f"{name} {label}"
print("\n".join(family.name for family in families))
