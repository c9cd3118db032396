"""What stands above a chart that was given no title."""


def capital(text: str) -> str:
    """A `text` as a heading: its first letter large."""
    return text[:1].upper() + text[1:]
