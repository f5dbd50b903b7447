"""Who said what to whom, in order, as a ladder: all SIP between the named addresses, seen on lo. Only root may look there."""

import re
import socket
import struct
import threading

OUTGOING = 4  # every packet on lo is seen leaving and arriving; once is enough
WIDTH = 26
START = re.compile(rb"(?:SIP/2\.0 (\d{3}) [^\r\n]*|([A-Z]+) \S+ SIP/2\.0)\r\n")
CSEQ = re.compile(rb"^CSeq[ \t]*:[ \t]*\d+[ \t]+([A-Z]+)", re.M | re.I)


def label(message):
    """`INVITE`, `200 (INVITE)`, with what makes this one special."""
    start = START.match(message)
    cseq = CSEQ.search(message)
    if not start or not cseq or cseq[1] == b"OPTIONS":
        return None
    text = f"{start[1].decode()} ({cseq[1].decode()})" if start[1] else start[2].decode()
    for pattern, note in (
        (rb"^(?:Proxy-)?Authorization:", "+digest"),
        (rb"^a=sendonly", "+hold"),
        (rb"^Replaces:", "+Replaces"),
    ):
        if re.search(pattern, message, re.M):
            text += " " + note
    if refer := re.search(rb"^Refer-To:.*sip:([^@]*)@", message, re.M):
        text += " to " + refer[1].decode()
    if start[2] == b"NOTIFY" and (fragment := re.search(rb"^SIP/2\.0 (\d{3})", message, re.M)):
        text += " " + fragment[1].decode()
    return text


class Ladder:
    """`people` are the names of addresses, from left to right; only `ports` are looked at."""

    def __init__(self, people, ports):
        self.columns = list(people)
        self.people = people
        self.ports = ports
        self.rungs = []
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0800))
        self.socket.bind(("lo", 0x0800))
        threading.Thread(target=self._look, daemon=True).start()

    def _look(self):
        while True:
            packet, (_, _, kind, *_) = self.socket.recvfrom(65536)
            size = (packet[0] & 15) * 4
            source, target = socket.inet_ntoa(packet[12:16]), socket.inet_ntoa(packet[16:20])
            if kind == OUTGOING or packet[9] != socket.IPPROTO_UDP:
                continue
            if source not in self.people or target not in self.people:
                continue
            if not self.ports.issuperset(struct.unpack_from("!HH", packet, size)):
                continue
            if text := label(packet[size + 8 :]):
                self.rungs.append((self.columns.index(source), self.columns.index(target), text))

    def print(self):
        print("    " + "".join(self.people[address].ljust(WIDTH) for address in self.columns).rstrip())
        for source, target, text in self.rungs:
            if source == target:
                continue
            left, right = min(source, target), max(source, target)
            room = (right - left) * WIDTH - 1
            dashes = f" {text} "[: room - 2].center(room - 1, "-")
            arrow = dashes + ">" if source < target else "<" + dashes
            line = "".join("|".ljust(WIDTH) for _ in range(left)) + "|" + arrow
            line += "".join("|".ljust(WIDTH) for _ in range(right, len(self.columns)))
            print("    " + line.rstrip())
