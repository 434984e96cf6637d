"""The findings as a JUnit report, which the pages of continuous integration show as tests."""

from __future__ import annotations

from xml.etree import ElementTree

from harness.gate import wording
from harness.gate.results import Compared, Fault, Findings
from harness.printable import printable


def to_junit(findings: Findings) -> str:
    """One test case for each comparison, each broken and each skipped implementation."""
    cases = [
        *(_compared(row) for row in wording.sorted_rows(findings.compared)),
        *(_fault(each, "failure") for each in findings.broken),
        *(_fault(each, "error") for each in findings.hindered),
        *(_skipped("/".join(name), "measured", why) for name, why in findings.skipped.items()),
        *(_skipped(what, "measured", why) for what, why in findings.left_out.items()),
    ]
    counts = {kind: sum(case.find(kind) is not None for case in cases) for kind in ("failure", "error", "skipped")}
    suite = ElementTree.Element(
        "testsuite",
        name="bakeoff gate",
        tests=str(len(cases)),
        failures=str(counts["failure"]),
        errors=str(counts["error"]),
        skipped=str(counts["skipped"]),
        time=f"{findings.elapsed_s:.1f}",
    )
    properties = ElementTree.SubElement(suite, "properties")
    said = {"verdict": findings.verdict, "base": findings.base, "head": findings.head}
    for name, value in said.items():
        ElementTree.SubElement(properties, "property", name=name, value=printable(value))
    suite.extend(cases)
    ElementTree.SubElement(suite, "system-out").text = printable(wording.headline(findings))
    ElementTree.indent(suite)
    text: bytes = ElementTree.tostring(suite, encoding="utf-8", xml_declaration=True)
    return f"{text.decode()}\n"


def _compared(row: Compared) -> ElementTree.Element:
    case = _case(row.name, f"{row.workload} {row.instrument}")
    said = (
        f"{wording.verdict_word(row)}: {wording.change(row.ratio.value)} ({wording.interval(row.ratio)}) from "
        f"{row.rounds} pairs of processes, {wording.values(row)}; threshold {row.threshold:.1%}"
    )
    if row.fails:
        ElementTree.SubElement(case, "failure", type=row.verdict, message=said)
    elif row.verdict == "undecided":
        ElementTree.SubElement(case, "skipped", message=said)
    else:
        ElementTree.SubElement(case, "system-out").text = said
    return case


def _fault(fault: Fault, kind: str) -> ElementTree.Element:
    case = _case(fault.name, fault.case or "runs")
    ElementTree.SubElement(case, kind, type=fault.status, message=printable(f"{fault.status}: {fault.reason}"))
    return case


def _skipped(name: str, what: str, why: str) -> ElementTree.Element:
    case = _case(name, what)
    ElementTree.SubElement(case, "skipped", message=printable(why))
    return case


def _case(name: str, what: str) -> ElementTree.Element:
    return ElementTree.Element("testcase", classname=printable(name.replace("/", ".")), name=printable(what))
