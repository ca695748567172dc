"""A call in a process of its own, and the most memory that it held while it ran."""

from __future__ import annotations

from textwrap import dedent


def watched(imports: str, body: str, result: str) -> str:
    """Code for `python -c`: `body` runs under watch; then `result`, which may name `held`, MiB at the most, is printed."""
    return (
        dedent(imports)
        + dedent(
            """
            import threading, time

            def own_megabytes():  # mapped files, which the system may drop at any time, do not count
                with open("/proc/self/status") as status:
                    return next(int(line.split()[1]) for line in status if line.startswith("RssAnon")) / 1024

            before = peak = own_megabytes()
            reading = True
            def watch():
                global peak
                while reading:
                    peak = max(peak, own_megabytes())
                    time.sleep(0.002)
            watcher = threading.Thread(target=watch)
            watcher.start()
            """
        )
        + dedent(body)
        + "\nreading = False\nwatcher.join()\nheld = peak - before\n"
        + f"print({result})\n"
    )
