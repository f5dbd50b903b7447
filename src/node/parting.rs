//! The end of a process (SPEC 2.3): what is begun no more, and who is told so while there is still somebody to tell.
//!
//! ```text
//! Drain: no new calls; who waits for a line is told now; what was sent may finish        (the shell waits, 32 s at most)
//! GiveUp: every call without a final answer gets one, what rings is cancelled            (the shell sends, and ends)
//! ```
//!
//! Calls that are up are left alone: they live through a restart (SPEC 9.7).

use super::Node;
use crate::rejection::Rejection;
use crate::sip::Method;
use crate::timing::Now;

/// RFC 3326: why a phone ceases to ring.
const GOING_DOWN: &[u8] = b"SIP;cause=503;text=\"Service Unavailable\"";

impl Node {
    /// No new calls but emergency calls, and no more waiting for a line: when it came, the call would be a new one.
    pub(super) fn drain(&mut self, now: Now) {
        self.draining = true;
        self.leave_carriers(now);
        for key in self.calls.keys() {
            if self.only_waits(key) {
                self.finish_as(now, key, &Rejection::draining());
            }
        }
        self.settle(now);
    }

    /// Nobody will be here to hear how these calls end. RFC 3261 §16.7 step 10, §16.10: what rings is cancelled, and the caller may try
    /// elsewhere (§21.5.4).
    pub(super) fn give_calls_up(&mut self, now: Now) {
        for key in self.calls.keys() {
            let Some(call) = self.calls.of(key) else { continue };
            if call.asked.request.method() == &Method::INVITE {
                self.cancel_branches(now, key, Some(GOING_DOWN));
            }
            // An answer that crosses the CANCEL is passed on.
            if let Some(call) = self.calls.of(key) {
                call.context.resume(Vec::new());
            }
            self.finish_as(now, key, &Rejection::draining());
        }
        self.give_help_up();
        for key in self.own_askers.keys() {
            self.refuse_own_call(now, key, &Rejection::draining());
        }
        self.settle(now);
    }
}
