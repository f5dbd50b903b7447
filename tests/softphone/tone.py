"""Which tone a phone hears: the last part of its recording is searched for the tones that the phones play.

A recording is a WAV file of 16-bit samples, and may still be growing: its header then knows nothing of its length.
"""

import math
import struct
import wave

TONES = (440, 660, 880)  # what phones play, in Hz; none is a harmonic of another that a wrong player could make of it
WINDOW = 0.2  # seconds that are looked at
AUDIBLE = 300.0  # of 32767: a tone at a hundredth of full scale is one


def samples(path, seconds=WINDOW):
    """The sample rate, and the last `seconds` of the first channel, none if there is less; `None` seconds: all."""
    data = path.read_bytes()
    rate, channels, at = 0, 1, 12
    while at + 8 <= len(data):
        name, size = data[at : at + 4], struct.unpack_from("<I", data, at + 4)[0]
        if name == b"fmt ":
            channels, rate = struct.unpack_from("<HI", data, at + 10)
        if name == b"data":
            frame = 2 * channels
            body = data[at + 8 :]
            end = len(body) - len(body) % frame
            wanted = end if seconds is None else int(rate * seconds) * frame
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


def beeps(path, hz):
    """The beeps near `hz` in a recording: when each begins and ends, in seconds, and its frequency by its zero crossings."""
    rate, values = samples(path, None)
    step = rate // 50 if rate else 1
    sounds = [strength(values[at : at + step], rate, hz) > AUDIBLE for at in range(0, len(values) - step + 1, step)]
    found, begin = [], None
    for index, sounding in enumerate([*sounds, False]):
        if sounding and begin is None:
            begin = index
        elif not sounding and begin is not None:
            # The first and the last hundredth are not whole.
            part = values[(begin + 1) * step : (index - 1) * step]
            crossings = [at for at in range(1, len(part)) if part[at - 1] < 0 <= part[at]]
            waves, span = len(crossings) - 1, crossings[-1] - crossings[0] if crossings else 0
            found.append((begin * step / rate, index * step / rate, waves * rate / span if span else 0.0))
            begin = None
    return found


def write(path, hz, rate=8000, seconds=1):
    """A recording of one tone, to be played over and over: whole waves, so that the seam can't be heard."""
    values = [int(8000 * math.sin(2.0 * math.pi * hz * n / rate)) for n in range(rate * seconds)]
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(struct.pack(f"<{len(values)}h", *values))
