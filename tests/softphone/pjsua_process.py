"""One phone of PyPI's pjsua2-python, as a process of its own: commands come in as lines of JSON, events go out as such.

Started by pjsua.py, with its settings as JSON in the only argument. It has no sound device: what it says is a WAV file, what it hears is
written to others. Everything runs in one thread, as the library wants it.
"""

import json
import os
import select
import sys

import pjsua2 as pj

def say(kind, **about):
    print(json.dumps({"kind": kind, **about}), flush=True)


class Trace(pj.LogWriter):
    """Writes at once what the library's own log file would keep back."""

    def __init__(self, path):
        super().__init__()
        self.file = open(path, "ab", buffering=0)

    def write(self, entry):
        self.file.write(entry.msg.encode())


class Call(pj.Call):
    def __init__(self, desk, call_id=pj.PJSUA_INVALID_ID):
        super().__init__(desk.account, call_id)
        self.desk = desk
        self.recorder = None

    def onCallState(self, prm):
        info = self.getInfo()
        if info.state == pj.PJSIP_INV_STATE_EARLY and info.role == pj.PJSIP_ROLE_UAC:
            say("ringing")
        if info.state == pj.PJSIP_INV_STATE_CONFIRMED:
            say("established", peer=info.remoteUri)
        if info.state == pj.PJSIP_INV_STATE_DISCONNECTED:
            say("closed", peer=info.remoteUri, why=info.lastReason)
            self.desk.calls.remove(self)

    def onCallMediaState(self, prm):
        info = self.getInfo()  # held, because the list below belongs to it
        for index, media in enumerate(info.media):
            if media.type != pj.PJMEDIA_TYPE_AUDIO:
                continue
            if media.status == pj.PJSUA_CALL_MEDIA_REMOTE_HOLD:
                say("held")
            if media.status == pj.PJSUA_CALL_MEDIA_ACTIVE:
                audio = self.getAudioMedia(index)
                self.recorder = self.desk.new_recorder()
                self.desk.player.startTransmit(audio)
                audio.startTransmit(self.recorder)
                say("audio")

    def onCallTransferRequest(self, prm):
        say("transferred", to=prm.dstUri)
        prm.newCall = self.desk.keep(Call(self.desk))

    def onCallReplaced(self, prm):
        say("replaced")

    def onCallReplaceRequest(self, prm):
        prm.newCall = self.desk.keep(Call(self.desk))

    def onCallTransferStatus(self, prm):
        say("transfer", status=prm.statusCode, final=prm.finalNotify)
        # Whoever transfers hangs up: the phone does not by itself.
        if prm.finalNotify and prm.statusCode == 200:
            self.hangup(pj.CallOpParam(True))


class Account(pj.Account):
    def __init__(self, desk):
        super().__init__()
        self.desk = desk

    def onRegState(self, prm):
        if prm.code == 200:
            say("registered" if self.getInfo().regIsActive else "unregistered")
        else:
            say("refused", why=f"{prm.code} {prm.reason}")

    def onIncomingCall(self, prm):
        call = self.desk.keep(Call(self.desk, prm.callId))
        ringing = pj.CallOpParam()
        ringing.statusCode = 180
        call.answer(ringing)
        say("incoming", peer=call.getInfo().remoteUri)


class Desk:
    """The phone: one account, its calls, and what it plays."""

    def __init__(self, settings):
        self.settings = settings
        self.calls = []
        self.recordings = 0
        self.ended = False
        self.endpoint = pj.Endpoint()
        self.endpoint.libCreate()
        config = pj.EpConfig()
        config.uaConfig.threadCnt = 0
        config.uaConfig.mainThreadOnly = True
        config.medConfig.threadCnt = 1
        self.trace = Trace(settings["trace"])
        config.logConfig.writer = self.trace
        config.logConfig.level = 5
        config.logConfig.consoleLevel = 5  # the writer's, too
        config.logConfig.msgLogging = 1
        self.endpoint.libInit(config)
        transport = pj.TransportConfig()
        transport.port = settings["port"]
        transport.boundAddress = settings["address"]
        self.endpoint.transportCreate(pj.PJSIP_TRANSPORT_UDP, transport)
        self.endpoint.libStart()
        self.endpoint.audDevManager().setNullDev()
        self.endpoint.codecSetPriority("PCMA/8000", 255)
        self.player = pj.AudioMediaPlayer()
        self.player.createPlayer(settings["plays"])
        self.account = Account(self)
        self.account.create(self.account_config())

    def account_config(self):
        settings = self.settings
        config = pj.AccountConfig()
        config.idUri = f"sip:{settings['user']}@{settings['domain']}"
        config.regConfig.registrarUri = f"sip:{settings['domain']}"
        config.regConfig.timeoutSec = 60
        config.sipConfig.proxies.append(f"sip:{settings['proxy']};lr")
        config.sipConfig.authCreds.append(
            pj.AuthCredInfo("digest", "*", settings["user"], 0, settings["password"])
        )
        config.mediaConfig.transportConfig.boundAddress = settings["address"]
        return config

    def keep(self, call):
        """The library does not hold a call; without this it would be gone at once."""
        self.calls.append(call)
        return call

    def new_recorder(self):
        self.recordings += 1
        recorder = pj.AudioMediaRecorder()
        recorder.createRecorder(os.path.join(self.settings["recordings"], f"{self.recordings:03}.wav"))
        return recorder

    def uri(self, digits):
        return f"sip:{digits}@{self.settings['domain']}"

    def obey(self, order):
        what, digits = order["do"], order.get("digits", "")
        call = self.calls[-1] if self.calls else None
        if what == "dial":
            self.keep(Call(self)).makeCall(self.uri(digits), pj.CallOpParam(True))
        elif what == "end":
            self.ended = True
        elif call is None:
            say("confused", order=order)
        elif what == "accept":
            answer = pj.CallOpParam()
            answer.statusCode = 200
            call.answer(answer)
        elif what == "hang_up":
            call.hangup(pj.CallOpParam(True))
        elif what == "hold":
            call.setHold(pj.CallOpParam(True))
        elif what == "resume":
            back = pj.CallOpParam(True)
            back.opt.flag = pj.PJSUA_CALL_UNHOLD
            call.reinvite(back)
        elif what == "transfer":
            call.xfer(self.uri(digits), pj.CallOpParam(True))
        elif what == "transfer_to_other":
            self.calls[0].xferReplaces(call, pj.CallOpParam(True))

    def run(self):
        buffer = b""
        while not self.ended:
            self.endpoint.libHandleEvents(10)
            if not select.select([0], [], [], 0)[0]:
                continue
            read = os.read(0, 65536)
            if not read:  # whoever started us is gone
                break
            *orders, buffer = (buffer + read).split(b"\n")
            for order in orders:
                self.obey(json.loads(order))
        # Un-registers and hangs up.
        self.endpoint.libDestroy()


Desk(json.loads(sys.argv[1])).run()
# What the library still holds is not to be taken apart in the order that Python ends things in.
os._exit(0)
