"""What phones live through with the real program: `stories.py baresip|pjsua [--ladder] [--algorithm NAME] [--suffix TEXT]`.

First three: 202 sits in London, 201 of London at a desk in Paris, 301 in Paris, each with the realm as its domain and its site as outbound
proxy, so that an address that one hands to another (a transfer) is good everywhere. Then two, one of which is a hot desk (desk.py). Run by
./run, which names the program's addresses and a folder in the environment. Says `ok NAME` or `FAILED NAME` for each story, and `N passed,
N failed` at the end.
"""

import argparse
import os
import signal
import sys
import threading
import traceback
from pathlib import Path

import ladder
import tone
from desk import Desk
from phone import Missing
from scene import LONDON, NET, PARIS, PHONE_PORT, SIP_PORT, make

DESKS = {"202": (LONDON, 111), "201": (PARIS, 112), "301": (PARIS, 113)}  # site and phone, as hosts of $NET
HOT_DESK = ("302", 114)  # of desk.py


class Office:
    """The three phones, and the stories, which go on from where the one before ended: a call that one makes, the next holds."""

    def __init__(self, algorithm):
        self.algorithm = algorithm
        self.phones = []

    def open(self, kind, folder):
        for (extension, (site, desk)), tone_hz in zip(DESKS.items(), tone.TONES, strict=True):
            self.phones.append(make(kind, extension, site, desk, folder / extension, tone_hz))
        self.london, self.visitor, self.parisian = self.phones

    def they_register(self):
        for phone in self.phones:
            phone.registers()
            # A phone may leave MD5 unsaid.
            said = "" if self.algorithm == "MD5" else f"algorithm={self.algorithm}"
            phone.traces("REGISTER", "^Authorization: Digest", said)

    def call(self, caller, callee, digits):
        caller.dial(digits)
        callee.sees("incoming")
        caller.sees("ringing")
        callee.accept()
        for phone in (caller, callee):
            phone.sees("established")

    def talk(self, one, other):
        one.hears(other)
        other.hears(one)

    def london_calls_the_visitor(self):
        self.call(self.london, self.visitor, "201")
        self.talk(self.london, self.visitor)

    # RFC 3264 §8.4
    def the_visitor_holds(self):
        self.visitor.hold()
        self.london.traces("INVITE", "^a=sendonly")
        self.visitor.traces("SIP/2.0 200", "^CSeq: .* INVITE", "^a=recvonly")

    def the_visitor_resumes(self):
        self.visitor.resume()
        self.london.traces("INVITE", "^m=audio", "^a=sendrecv")
        self.visitor.traces("SIP/2.0 200", "^CSeq: .* INVITE", "^m=audio")
        self.talk(self.london, self.visitor)

    # RFC 5589 §6: REFER, the answers to the new call in NOTIFYs, and the old call ends.
    def transfer(self, who, whom):
        who.transfer("301")
        whom.traces("REFER", "^Refer-To: .*301@")
        self.parisian.sees("incoming")
        self.parisian.accept()
        self.parisian.sees("established")
        who.traces("NOTIFY", "^Content-Type: message/sipfrag", "^SIP/2.0 200")
        who.sees("closed")
        self.talk(whom, self.parisian)

    def the_visitor_transfers(self):
        self.transfer(self.visitor, self.london)

    def the_parisian_hangs_up(self):
        self.parisian.hang_up()
        self.parisian.traces("SIP/2.0 200", "^CSeq: .* BYE")
        self.london.sees("closed")

    def london_transfers(self):
        self.call(self.visitor, self.london, "202")
        self.london.from_now()
        self.visitor.from_now()
        self.transfer(self.london, self.visitor)

    def the_visitor_hangs_up(self):
        self.visitor.hang_up()
        self.visitor.traces("SIP/2.0 200", "^CSeq: .* BYE")
        self.parisian.sees("closed")

    def the_visitor_calls_london_who_hangs_up(self):
        self.call(self.visitor, self.london, "202")
        self.talk(self.visitor, self.london)
        self.london.hang_up()
        self.visitor.sees("closed")

    # RFC 5589 §7, RFC 3891: the new call takes the place of the one that 201 had with 301.
    def the_visitor_transfers_after_asking(self):
        self.call(self.visitor, self.london, "202")
        self.visitor.hold()
        self.london.sees("held")
        self.visitor.from_now()
        self.call(self.visitor, self.parisian, "301")
        self.visitor.transfer_to_other()
        self.london.traces("REFER", "^Refer-To: .*Replaces=")
        self.parisian.traces("INVITE", "^Replaces: ")
        self.visitor.traces("NOTIFY", "^Content-Type: message/sipfrag", "^SIP/2.0 200")
        self.visitor.sees("closed")
        self.talk(self.london, self.parisian)
        self.london.hang_up()
        self.parisian.sees("closed")

    def the_visitor_leaves(self):
        self.visitor.ends()
        self.visitor.traces("REGISTER", "expires=0|^Expires: 0", "^Authorization")
        self.london.dial("201")
        self.london.traces("SIP/2.0 480")
        self.london.sees("closed")

    def end(self):
        threads = [threading.Thread(target=phone.ends) for phone in self.phones]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def stories(self, kind):
        yield "log in by digest: 202 in London, 201 and 301 in Paris", self.they_register
        yield "202 calls 201, and each hears the other", self.london_calls_the_visitor
        yield "201 puts 202 on hold", self.the_visitor_holds
        yield "201 comes back", self.the_visitor_resumes
        yield "201 transfers 202 to 301", self.the_visitor_transfers
        yield "301 hangs up", self.the_parisian_hangs_up
        yield "201 calls 202, who transfers to 301", self.london_transfers
        yield "201 hangs up", self.the_visitor_hangs_up
        yield "201 calls 202, who hangs up", self.the_visitor_calls_london_who_hangs_up
        if kind == "pjsua":  # baresip 1.0 knows no Replaces
            yield "201 asks 301 first, then transfers 202", self.the_visitor_transfers_after_asking
        yield "201 logs out", self.the_visitor_leaves


def play(kind, scene, suffix):
    """The stories of one scene; those after one that failed are not tried."""
    passed = failed = 0
    for name, story in scene.stories(kind):
        name = f"{kind}: {name}{suffix}"
        if failed:
            print(f"FAILED {name}\n    not tried")
            failed += 1
            continue
        try:
            story()
            print(f"ok {name}", flush=True)
            passed += 1
        except (Missing, OSError) as problem:
            frames = traceback.extract_tb(problem.__traceback__)
            where = [frame.name for frame in frames if frame.filename.endswith(("stories.py", "desk.py"))][-1]
            print(f"FAILED {name}\n    {where}: {problem}", flush=True)
            failed += 1
        for phone in scene.phones:
            phone.from_now()
    return passed, failed


def visit(given, what, scene, folder):
    """Opens a scene, plays its stories, and clears it away."""
    try:
        scene.open(given.kind, folder / what.replace(" ", "-"))
        return play(given.kind, scene, given.suffix)
    except (Missing, OSError) as problem:
        print(f"FAILED {given.kind}: {what}{given.suffix}\n    {problem}")
        return 0, 1
    finally:
        scene.end()


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("kind", choices=("baresip", "pjsua"))
    arguments.add_argument("--ladder", action="store_true", help="print every message (root only: it listens on lo)")
    arguments.add_argument("--algorithm", default="MD5", help="the digest that the phones must have used")
    arguments.add_argument("--suffix", default="", help="follows the name of each story")
    given = arguments.parse_args()
    folder = Path(os.environ["WORK"]) / (given.kind + given.suffix).replace(" ", "-")
    desks = [(extension, desk) for extension, (_, desk) in DESKS.items()] + [HOT_DESK]
    people = {f"{NET}.{desk}": f"{given.kind} {extension}" for extension, desk in desks}
    caller, *others = people.items()
    people = dict([caller, (f"{NET}.{LONDON}", "London"), (f"{NET}.{PARIS}", "Paris"), *others])
    seen = ladder.Ladder(people, {SIP_PORT, PHONE_PORT}) if given.ladder else None
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # by way of `finally`
    passed = failed = 0
    try:
        for what, scene in (("three phones", Office(given.algorithm)), ("a hot desk", Desk())):
            good, bad = visit(given, what, scene, folder)
            passed, failed = passed + good, failed + bad
    finally:
        if seen:
            seen.print()
    if failed:
        print(f"    messages: {folder}/*/*/trace")
    print(f"{passed} passed, {failed} failed")
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
