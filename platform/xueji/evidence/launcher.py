"""Check this evidence bundle: ``python verify.py`` in the extracted folder, or ``python verify.py BUNDLE.zip``.

The checks themselves are the files in ``verifier``, exact copies of those the platform runs on.
"""

import sys
from pathlib import Path

if sys.version_info < (3, 8):  # noqa: UP036 - whoever received a bundle may have another Python
    sys.exit("Python 3.8 or newer is needed. 需要 Python 3.8 或更高版本。")

HERE = Path(__file__).resolve().parent
sys.dont_write_bytecode = True
sys.path.insert(0, str(HERE / "verifier"))

from xueji.evidence.verify import main  # noqa: E402 - found only now

if __name__ == "__main__":
    sys.exit(main(default=HERE))
