"""Which tone a phone hears: the last part of its recording is searched for the tones that the phones play.

A recording is a WAV file of 16-bit samples, and may still be growing: its header then knows nothing of its length.
"""

import math
import struct
import wave

TONES = (440, 660, 880)  # what phones play, in Hz; none is a harmonic of another that a wrong player could make of it
WINDOW = 0.2  # seconds that are looked at
AUDIBLE = 300.0  # of 32767: a tone at a hundredth of full scale is one


def samples(path):
    """The sample rate, and the last `WINDOW` of the first channel; none if there is less."""
    data = path.read_bytes()
    rate, channels, at = 0, 1, 12
    while at + 8 <= len(data):
        name, size = data[at : at + 4], struct.unpack_from("<I", data, at + 4)[0]
        if name == b"fmt ":
            channels, rate = struct.unpack_from("<HI", data, at + 10)
        if name == b"data":
            frame = 2 * channels
            body = data[at + 8 :]
            wanted = int(rate * WINDOW) * frame
            end = len(body) - len(body) % frame
            if wanted == 0 or end < wanted:
                return rate, []
            part = body[end - wanted : end]
            return rate, list(struct.unpack(f"<{len(part) // 2}h", part))[::channels]
        at += 8 + size + size % 2
    return rate, []


def strength(values, rate, hz):
    """How strong one frequency is, as the amplitude of its sine (Goertzel)."""
    turn = 2.0 * math.cos(2.0 * math.pi * hz / rate)
    last = before = 0.0
    for value in values:
        last, before = value + turn * last - before, last
    power = last * last + before * before - turn * last * before
    return 2.0 * math.sqrt(max(power, 0.0)) / len(values)


def loudest(path):
    """The tone in Hz that the recording ends with; none if no tone is at least ten times as strong as the others."""
    rate, values = samples(path)
    if not values:
        return None
    strengths = sorted((strength(values, rate, hz), hz) for hz in TONES)
    (second, _), (first, hz) = strengths[-2:]
    return hz if first > AUDIBLE and first > 10.0 * second else None


def write(path, hz, rate=8000, seconds=1):
    """A recording of one tone, to be played over and over: whole waves, so that the seam can't be heard."""
    values = [int(8000 * math.sin(2.0 * math.pi * hz * n / rate)) for n in range(rate * seconds)]
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(struct.pack(f"<{len(values)}h", *values))
