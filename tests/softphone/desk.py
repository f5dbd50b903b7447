"""Hot desking from a keypad: 201 of London sits down at the phone of 302 in Paris by dialling, and is called there.

202 sits in London and 302 in Paris. The site answers a code itself: what it plays is looked for in the phone's recording.
"""

import threading

import tone
from phone import Missing, wait_for
from scene import LONDON, PARIS, make

CONFIRMATION = 425  # Hz
BEEPS = 2
WITHIN = (0.8, 1.3)  # seconds from the begin of the first to the end of the last


class Desk:
    """The two phones, and the stories, which go on from where the one before ended."""

    def __init__(self):
        self.phones = []

    def open(self, kind, folder):
        self.london = make(kind, "202", LONDON, 111, folder / "202", tone.TONES[0])
        self.phones.append(self.london)
        self.desk = make(kind, "302", PARIS, 114, folder / "302", tone.TONES[1])
        self.phones.append(self.desk)

    def they_register(self):
        for phone in self.phones:
            phone.registers()

    def confirmed(self, code):
        """The desk dials a code: the site answers, plays its tone, and hangs up."""
        self.desk.dial(code)
        self.desk.sees("established")
        self.desk.traces("BYE")
        self.desk.sees("closed")
        recording = self.desk.recording()
        heard = wait_for(lambda: whole(tone.beeps(recording, CONFIRMATION)), "a recording of the confirmation", 3)
        begin, end = heard[0][0], heard[-1][1]
        if not WITHIN[0] <= end - begin <= WITHIN[1]:
            raise Missing(f"a tone of a second: it lasts {end - begin:.2f} s, {heard}")
        for _, _, hz in heard:
            if abs(hz - CONFIRMATION) > 5:
                raise Missing(f"{CONFIRMATION} Hz: it is {hz:.1f} Hz")
        print(f"    {self.desk.name} hears {len(heard)} beeps of {heard[0][2]:.1f} Hz in {end - begin:.2f} s")

    def a_wrong_pin_is_refused(self):
        self.desk.dial("*35*201*9999#")
        self.desk.traces("SIP/2.0 403 wrong code")
        self.desk.sees("closed")

    def somebody_logs_in(self):
        self.confirmed("*35*201*1201#")

    def london_reaches(self, number):
        self.london.dial(number)
        self.desk.sees("incoming")
        self.desk.accept()
        for phone in self.phones:
            phone.sees("established")
        self.london.hears(self.desk)
        self.desk.hears(self.london)
        self.london.hang_up()
        for phone in self.phones:
            phone.sees("closed")

    def london_reaches_nobody_at(self, number):
        self.london.dial(number)
        self.london.traces("SIP/2.0 480")
        self.london.sees("closed")

    def calls_follow(self):
        self.london_reaches("201")

    def the_own_user_is_displaced(self):
        self.london_reaches_nobody_at("302")

    def the_desk_calls_as_the_one_who_sits_there(self):
        self.desk.dial("202")
        self.london.sees("incoming")
        self.london.traces("INVITE", "^P-Asserted-Identity:.*sip:201@")
        self.london.accept()
        self.desk.sees("established")
        self.desk.hang_up()
        self.london.sees("closed")

    def somebody_logs_out(self):
        self.confirmed("*36")

    def the_own_user_is_back(self):
        self.london_reaches("302")
        for phone in self.phones:
            phone.from_now()
        self.london_reaches_nobody_at("201")

    def end(self):
        threads = [threading.Thread(target=phone.ends) for phone in self.phones]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def stories(self, kind):
        yield "202 in London and 302 in Paris log in", self.they_register
        yield "*35*201*9999# is refused", self.a_wrong_pin_is_refused
        yield "302's phone dials *35*201*1201# and hears the tone", self.somebody_logs_in
        yield "202 calls 201, who sits there", self.calls_follow
        yield "202 calls 302, who has no phone", self.the_own_user_is_displaced
        yield "the phone calls as 201", self.the_desk_calls_as_the_one_who_sits_there
        yield "it dials *36 and hears the tone", self.somebody_logs_out
        yield "it is 302's again", self.the_own_user_is_back


def whole(beeps):
    return beeps if len(beeps) >= BEEPS else None
