"""baresip (Debian: baresip-core), driven over its control port: JSON in netstrings, `LENGTH:JSON,`.

It plays a sine, and records what it hears. Its Contact has another user part than its AOR, a new one at each start.
"""

import json
import re
import shutil
import socket
import subprocess
import threading
from pathlib import Path

from phone import Missing, Phone, wait_for

CONTROL_PORT = 4444
MODULES = ("/usr/lib", "/usr/local/lib")

EVENTS = {
    "REGISTER_OK": "registered",
    "REGISTER_FAIL": "refused",
    "CALL_INCOMING": "incoming",
    "CALL_RINGING": "ringing",
    "CALL_ESTABLISHED": "established",
    "CALL_CLOSED": "closed",
    "CALL_TRANSFER": "transferred",
    "CALL_TRANSFER_FAILED": "transfer_failed",
}


def is_here():
    return shutil.which("baresip") is not None


def module_folder():
    for root in MODULES:
        for module in Path(root).glob("**/baresip/modules/ausine.so"):
            return module.parent
    raise Missing("the modules of baresip")


class Baresip(Phone):
    """`account` is what stands in its accounts file; `address` and `port` are where it listens."""

    def __init__(self, name, folder, tone_hz, address, port, account):
        super().__init__(name, folder, tone_hz)
        self._token = 0
        self._answers = {}
        (folder / "recordings").mkdir(parents=True)
        config = (Path(__file__).parent / "config.in").read_text()
        config = re.sub("ADDRESS", address, config)
        config = re.sub("PHONE_PORT", str(port), config)
        config = re.sub("CONTROL_PORT", str(CONTROL_PORT), config)
        config = re.sub("MODULES", str(module_folder()), config)
        config = re.sub("ausine,440", f"ausine,{tone_hz}", config)
        config += f"module sndfile.so\nsnd_path {folder / 'recordings'}\n"
        (folder / "config").write_text(config)
        (folder / "accounts").write_text(account + "\n")
        (folder / "contacts").touch()
        with open(self.trace_file, "wb") as said:
            self._process = subprocess.Popen(
                ["baresip", "-f", str(folder), "-s"], stdin=subprocess.DEVNULL, stdout=said, stderr=said
            )
        self._control = wait_for(lambda: self._connect(address), f"{name} does not start")
        threading.Thread(target=self._listen, daemon=True).start()

    def _connect(self, address):
        if self._process.poll() is not None:
            raise Missing(f"{self.name} ended by itself: {self.trace_file}")
        try:
            return socket.create_connection((address, CONTROL_PORT), timeout=1)
        except OSError:
            return None

    def _listen(self):
        self._control.settimeout(None)
        stream = self._control.makefile("rb")
        while True:
            length = b""
            while (byte := stream.read(1)) not in (b":", b""):
                length += byte
            if not byte:
                return
            message = json.loads(stream.read(int(length.strip(b",\r\n "))))
            if message.get("event"):
                kind = EVENTS.get(message.get("type"))
                if kind:
                    self.happened(kind, peer=message.get("peeruri", ""), why=message.get("param", ""))
            elif "token" in message:
                self._answers[message["token"]] = message.get("data", "")

    def _tell(self, command, params=""):
        self._token += 1
        token = str(self._token)
        message = json.dumps({"command": command, "params": params, "token": token}).encode()
        self._control.sendall(b"%d:%s," % (len(message), message))
        wait_for(lambda: token in self._answers, f"{self.name} does not answer `{command}`")
        return self._answers.pop(token)

    def registers(self):
        """It may have been registered before we were connected, so the list of accounts is asked too."""

        def registered():
            return self.has_seen("registered") or "\x1b[32mOK" in self._tell("reginfo")

        wait_for(registered, f"{self.name} is not registered")

    def dial(self, digits):
        self._tell("dial", digits)

    def accept(self):
        self._tell("accept")

    def hang_up(self):
        self._tell("hangup")

    def hold(self):
        self._tell("hold")

    def resume(self):
        self._tell("resume")

    def transfer(self, digits):
        self._tell("transfer", digits)

    def recording(self):
        """The newest; a re-INVITE begins a new one."""
        found = sorted((self.folder / "recordings").glob("*dec.wav"), key=lambda path: path.stat().st_mtime_ns)
        return found[-1] if found else None

    def ends(self):
        """It un-registers, and leaves."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(5)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._control.close()
