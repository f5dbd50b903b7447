"""What the stories need of a phone, whichever it is: it is told things, and it is waited for until it has seen others.

A phone keeps what happened to it as events (`registered`, `incoming`, `established`, `closed`, …), and a trace of every message that it sent
or received. Both are only read from a mark on, which each step of a story sets, so that nothing of an earlier step counts.
"""

import re
import threading
import time

import tone

PATIENCE = 8.0  # seconds; what was not seen by then does not come


class Missing(Exception):
    """Something that a story waited for did not happen."""


def wait_for(condition, what, seconds=PATIENCE):
    """Returns what `condition` gives once it is true; looks every 20 ms."""
    end = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > end:
            raise Missing(what)
        time.sleep(0.02)


# The first line of a message, which also begins each of them in a trace.
START = re.compile(rb"^(?:SIP/2\.0 \d{3} [^\r\n]*|[A-Z]+ sips?:\S+ SIP/2\.0)\r\n", re.M)
LENGTH = re.compile(rb"^(?:Content-Length|l)[ \t]*:[ \t]*(\d+)", re.M | re.I)


def messages(trace):
    """The SIP messages in a trace, whatever stands between them."""
    at = 0
    while start := START.search(trace, at):
        end = trace.find(b"\r\n\r\n", start.start())
        if end < 0:
            return
        length = LENGTH.search(trace, start.start(), end + 2)
        at = end + 4 + (int(length[1]) if length else 0)
        if at > len(trace):
            return  # the rest is still being written
        yield trace[start.start() : at].decode("latin-1")


class Phone:
    """One phone. Who makes one says how it is told things and fills in `happened`."""

    def __init__(self, name, folder, tone_hz):
        self.name = name
        self.folder = folder
        self.tone_hz = tone_hz
        self.trace_file = folder / "trace"
        self._events = []
        self._news = threading.Condition()
        self._mark = 0
        self._trace_mark = 0

    def happened(self, kind, **about):
        """Called by the thread that reads what the phone says."""
        with self._news:
            self._events.append({"kind": kind, **about})
            self._news.notify_all()

    def from_now(self):
        """What was seen before counts no more."""
        with self._news:
            self._mark = len(self._events)
        self._trace_mark = self.trace_file.stat().st_size if self.trace_file.exists() else 0

    def sees(self, kind, seconds=PATIENCE):
        """Waits for an event since the mark, and gives it."""
        found = []

        def seen():
            found[:] = [event for event in self._events[self._mark :] if event["kind"] == kind]
            return found

        with self._news:
            if not self._news.wait_for(seen, seconds):
                raise Missing(f"{self.name} saw no `{kind}`, but {[e['kind'] for e in self._events[self._mark:]]}")
        return found[-1]

    def has_seen(self, kind):
        with self._news:
            return any(event["kind"] == kind for event in self._events[self._mark :])

    def traces(self, start, *inside):
        """Waits for a message since the mark whose first line matches `start` and which has all of `inside` in it."""

        def found():
            if not self.trace_file.exists():
                return None
            with open(self.trace_file, "rb") as trace:
                trace.seek(self._trace_mark)
                for message in messages(trace.read()):
                    if re.match(start, message) and all(re.search(part, message, re.M) for part in inside):
                        return message
            return None

        return wait_for(found, f"{self.name} has no message {start} {' '.join(inside)}")

    def hears(self, other):
        """Waits until what arrives is the tone of `other`, and nothing that is anybody else's."""

        def heard():
            recording = self.recording()
            return recording and tone.loudest(recording) == other.tone_hz

        wait_for(heard, f"{self.name} does not hear the {other.tone_hz} Hz of {other.name}")
