"""The study `quickstart`."""
