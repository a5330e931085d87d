"""The reports of benchmarks: what a directory of them holds."""
import json


def measured(directory):
    """Of each report and row the value: a ratio, or a figure."""
    values = {}
    for path in sorted(directory.glob("*.json")):
        report = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(report, dict) and "title" in report:
            rows = {question["name"]: question["ratio"] for question in report.get("questions", [])}
            rows.update({figure["name"]: figure["value"] for figure in report.get("figures", [])})
            values[report["title"]] = rows
    return values
