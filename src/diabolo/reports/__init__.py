"""One document model, rendered to Markdown, HTML and PDF; and notebooks.

document = Document("Digits", "1,797 images", [Heading("What was found"), Paragraph("PCA is enough.")])
reports.write(document, "reports/digits")     report.md, report.html, report.pdf
"""

from diabolo.reports.document import Document
from diabolo.reports.writing import write

__all__ = ["Document", "write"]
