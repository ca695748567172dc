"""What a result says, for three readers: a person at a terminal, a program, and a person with a browser.

Every function here is pure: a result goes in, a string or plain data comes out. Only `write_report` touches a disk.
"""

from infomax.report.html import fit_html
from infomax.report.plain import evaluation_json, fit_json, json_text
from infomax.report.text import bullets, evaluation_text, fit_text, short, shown, skipped_text
from infomax.report.write import write_report

__all__ = [
    "bullets",
    "evaluation_json",
    "evaluation_text",
    "fit_html",
    "fit_json",
    "fit_text",
    "json_text",
    "short",
    "shown",
    "skipped_text",
    "write_report",
]
