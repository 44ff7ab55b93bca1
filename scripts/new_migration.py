"""Write the next migration from what changed in the models: `make migration m="Add cages"`.

Read what it wrote before it is committed: Alembic sees neither a CHECK nor a new term of a vocabulary, and knows
nothing of the data (`tests/test_migrations.py` does compare the CHECKs, so it says when one is missing).
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from lims import migrate


def main(message: str) -> int:
    """Migrate an empty database to the newest revision and write down what the models have beyond it."""
    if not message:
        print('A migration needs a sentence that says what it does: make migration m="Add cages"', file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'empty.db'}"
        migrate.upgrade(url)
        migrate.new_revision(url, message)
    return 0


if __name__ == "__main__":
    sys.exit(main(" ".join(sys.argv[1:]).strip()))
