"""The parts of the page, one file each. Each draws what the desk says, and tells the desk what was chosen."""
