"""The colours of figures, and of the pages that show what figures do."""

# Two curves of one thing, such as training and validation: Okabe & Ito (2008), safe for colour-blind readers.
BLUE, VERMILLION = "#0072B2", "#D55E00"
# Ten classes, also as small points through which the page shows: found by a search that held the hues and raised the least
# difference of a pair (CIEDE2000), to full colour vision, to either kind of red-green blindness, and in grey.
PALETTE = (
    "#0C5A92", "#F9BC33", "#AA2000", "#7F8C0B", "#5B12A8", "#1DAB8D", "#F67CC5", "#865937", "#151515", "#13D0EA",
)  # fmt: skip
