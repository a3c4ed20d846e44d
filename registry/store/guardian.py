"""The guardian process of a holder of the embedded server.

It starts a server again that has died, and stops one that nobody uses after its holder's death.

Run as `python -m registry.store.guardian FOLDER PID SECONDS` with a pipe as standard input, whose
other end only the holder has: it closes when the holder ends, also by `kill -9`. A server that has
not come back after so many SECONDS ends the holder.
"""

import os
import select
import signal
import sys
import time
from pathlib import Path

_POLL_SECONDS = 1.0


def main() -> None:
    """Wait for the end of standard input, then stop the server if no process holds it."""
    folder, holder, patience = Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    # A holder that ends sooner needs no more than that, and waits for it.
    is_over = _is_over(_POLL_SECONDS)
    from registry.store import embedded  # noqa: PLC0415  only when it is needed

    is_ended = False
    settled_at = time.monotonic()
    while not is_over:
        if not embedded.is_dead(folder) or embedded.revive(folder, holder):
            settled_at = time.monotonic()
        elif time.monotonic() - settled_at > patience and not is_ended:
            # It asks `release` why, and its service manager starts it again.
            os.kill(holder, signal.SIGTERM)
            is_ended = True
        is_over = _is_over(_POLL_SECONDS)
    embedded.stop_if_unused(folder, holder)
    if is_ended:
        sys.exit(embedded.LOST)


def _is_over(seconds: float) -> bool:
    """Wait for the end of standard input, for a time; return whether it has come."""
    return bool(select.select([sys.stdin], [], [], seconds)[0])


if __name__ == "__main__":
    main()
