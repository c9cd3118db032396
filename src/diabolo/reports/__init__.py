"""One document model, rendered to Markdown, HTML and PDF; and notebooks."""
