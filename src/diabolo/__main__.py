"""`python -m diabolo` is `diabolo`; torchrun starts it so."""

import os
import sys

# Python has put the folder in which it was started first on its path. A torch.py that lies there is not to be taken for torch:
# the folder may be a stranger's. Only code that the user names is also looked for there.
try:
    os.getcwd()
except FileNotFoundError:
    sys.exit("diabolo: the folder in which it was started has been deleted; change to another one")
_STARTED_IN = [] if sys.flags.safe_path or os.path.realpath(sys.path[0]) != os.path.realpath("") else [sys.path.pop(0)]

from diabolo import trust  # noqa: E402  # now that the path is safe
from diabolo.cli import main  # noqa: E402  # now that the path is safe

if __name__ == "__main__":
    trust.STARTED_IN += _STARTED_IN
    main()
