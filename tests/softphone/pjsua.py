"""pjsua (PyPI: pjsua2-python), one process for each phone (pjsua_process.py)."""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import tone
from phone import Phone

LIBRARY = "PJSUA2"  # environment: the folder that the library was installed to, if it is not where Python finds it by itself


def environment():
    path = [part for part in (os.environ.get(LIBRARY), os.environ.get("PYTHONPATH")) if part]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path)}


class Pjsua(Phone):
    def __init__(self, name, folder, tone_hz, address, port, user, domain, proxy, password):
        super().__init__(name, folder, tone_hz)
        (folder / "recordings").mkdir(parents=True)
        tone.write(folder / "plays.wav", tone_hz)
        settings = {
            "user": user,
            "password": password,
            "domain": domain,
            "proxy": proxy,
            "address": address,
            "port": port,
            "plays": str(folder / "plays.wav"),
            "recordings": str(folder / "recordings"),
            "trace": str(self.trace_file),
        }
        with open(folder / "errors", "wb") as errors:
            self._process = subprocess.Popen(
                [sys.executable, str(Path(__file__).parent / "pjsua_process.py"), json.dumps(settings)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=environment(),
            )
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self):
        for line in self._process.stdout:
            if line.startswith(b"{"):
                event = json.loads(line)
                self.happened(event.pop("kind"), **event)

    def _tell(self, do, digits=""):
        self._process.stdin.write(json.dumps({"do": do, "digits": digits}).encode() + b"\n")
        self._process.stdin.flush()

    def registers(self):
        self.sees("registered")

    def dial(self, digits):
        self._tell("dial", digits)

    def accept(self):
        self._tell("accept")

    def hang_up(self):
        self._tell("hang_up")

    def hold(self):
        self._tell("hold")

    def resume(self):
        self._tell("resume")

    def transfer(self, digits):
        self._tell("transfer", digits)

    def transfer_to_other(self):
        """Connects the party of the first call with that of the last."""
        self._tell("transfer_to_other")

    def recording(self):
        found = sorted((self.folder / "recordings").glob("*.wav"))
        return found[-1] if found else None

    def ends(self):
        """It un-registers, and leaves."""
        if self._process.poll() is None:
            try:
                self._tell("end")
                self._process.wait(8)
            except (OSError, subprocess.TimeoutExpired):
                self._process.kill()
        self._process.wait()
        self._process.stdin.close()
