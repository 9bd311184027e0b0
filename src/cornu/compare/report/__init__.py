"""The report of a comparison: one HTML file."""

from cornu.compare.report.write import report_html, write_report

__all__ = ["report_html", "write_report"]
