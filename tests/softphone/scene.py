"""Where the stories play: the addresses that ./run names in the environment, and the phones that stand there."""

import os

import baresip
import pjsua

NET, SIP_PORT = os.environ["NET"], int(os.environ["SIP_PORT"])
DOMAIN = "hotdesk.example"
PHONE_PORT = 5070
LONDON, PARIS = 1, 2  # hosts of $NET, as in config/


def make(kind, extension, site, desk, folder, tone_hz):
    """A phone with the account of `extension` at host `desk` of $NET, which has its site as outbound proxy; it registers at once."""
    name, address, proxy = f"{kind} {extension}", f"{NET}.{desk}", f"{NET}.{site}:{SIP_PORT}"
    folder.mkdir(parents=True)
    if kind == "pjsua":
        return pjsua.Pjsua(name, folder, tone_hz, address, PHONE_PORT, extension, DOMAIN, proxy, f"secret-{extension}")
    account = f'<sip:{extension}@{DOMAIN}>;auth_pass=secret-{extension};regint=60;answermode=manual;outbound="sip:{proxy}"'
    return baresip.Baresip(name, folder, tone_hz, address, PHONE_PORT, account)
