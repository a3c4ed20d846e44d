"""The guardian process, which stops an unused embedded server after the death of its holder.

Run as `python -m registry.store.guardian FOLDER PID` with a pipe as standard input, whose other end
only the holder has: it closes when the holder ends, also by `kill -9`.
"""

import sys
from pathlib import Path


def main() -> None:
    """Wait for the end of standard input, then stop the server if no process holds it."""
    sys.stdin.buffer.read()
    from registry.store.embedded import stop_if_unused  # noqa: PLC0415  only when it is needed

    stop_if_unused(Path(sys.argv[1]), int(sys.argv[2]))


if __name__ == "__main__":
    main()
