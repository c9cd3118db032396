"""Models for others: a folder that holds a model and its card, and the Hugging Face Hub.

contents.py      what of a run is shared, and what is not: no path of this machine, no picture that may not be shown
card.py          README.md: what was measured, the lines that made it, terms
publishing.py    onto the Hub, in one commit

`diabolo.from_pretrained` opens both (`runs/pretrained.py`).
"""

from diabolo.hub.card import LICENCES
from diabolo.hub.contents import save
from diabolo.hub.publishing import publish

__all__ = ["LICENCES", "publish", "save"]
