"""Reads a JSON list of policy documents and writes what parliament finds: a list of findings for each document."""

import json
import sys
import warnings

# Its import of pkg_resources and some of its regular expressions warn on newer Pythons.
warnings.simplefilter("ignore")

from parliament import analyze_policy_string, enhance_finding  # noqa: E402


def findings_of(text):
    try:
        findings = [enhance_finding(finding) for finding in analyze_policy_string(text).findings]
    except Exception as error:
        return [{"issue": "EXCEPTION", "severity": "CRITICAL", "title": repr(error), "detail": "", "line": None}]
    return [
        {
            "issue": finding.issue,
            "severity": finding.severity,
            "title": finding.title,
            "detail": finding.detail if isinstance(finding.detail, str) else json.dumps(finding.detail),
            "line": finding.location.get("line"),
        }
        for finding in findings
    ]


json.dump([findings_of(text) for text in json.load(sys.stdin)], sys.stdout)
