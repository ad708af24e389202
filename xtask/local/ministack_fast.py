"""Starts MiniStack, mended in two places.

Speed: it waits 50 ms for a first log line of a call that logs nothing, and its Runtime API leaves Nagle's algorithm on,
which costs about 90 ms for every call of a native function.

Streams: it saves how far each event source has read a table's stream, and not the stream. After a restart the stream
begins at nothing again, and its readers would sleep until as many records have passed as before: no alert, no event.

All names belong to the pinned version; where they are gone, MiniStack starts as it is.
"""

import inspect
import signal
import socketserver


def speed_up() -> None:
    from ministack.core.lambda_runtime import Worker

    drain = Worker._drain_stderr_bounded
    names = list(inspect.signature(drain).parameters)
    if names != ["self", "first_line_wait", "idle_confirm", "hard_cap"] or len(drain.__defaults__ or ()) != 3:
        raise AttributeError("MiniStack's Worker has changed")
    drain.__defaults__ = (0.002, 0.002, drain.__defaults__[2])
    socketserver.StreamRequestHandler.disable_nagle_algorithm = True


def read_streams_from_their_beginning() -> None:
    from ministack.services import lambda_svc

    restore = lambda_svc._restore_esm_positions
    if list(inspect.signature(restore).parameters) != ["store", "positions"]:
        raise AttributeError("MiniStack's positions in streams have changed")
    positions = lambda_svc._dynamodb_stream_positions

    def restored(store, saved):
        if store is not positions:
            restore(store, saved)

    lambda_svc._restore_esm_positions = restored


def main() -> None:
    # The stack outlives the terminal that started it; `cargo xtask down` ends it.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    for mend in (speed_up, read_streams_from_their_beginning):
        try:
            mend()
        except (ImportError, AttributeError, TypeError) as reason:
            print(f"not mended: {reason}", flush=True)
    from ministack.app import main as ministack

    ministack()


if __name__ == "__main__":
    main()
