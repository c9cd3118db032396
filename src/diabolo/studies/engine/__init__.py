"""What runs a study: its script, rows, trainings, findings, records and reports."""
