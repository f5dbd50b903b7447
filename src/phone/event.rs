//! What a phone's user would notice.

use crate::sip::{Method, Request, Response, Status};

/// One call of a phone, numbered from 1 in the order of their begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallRef(pub u32);

/// One request that is no call, numbered with the calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestRef(pub u32);

/// Something that happened at a phone.
#[derive(Clone, Debug)]
pub enum PhoneEvent {
    /// 200 to REGISTER.
    Registered {
        /// Every contact that the registrar knows.
        contacts: Vec<String>,
        /// What our own contact was granted, in seconds.
        expires: u32,
    },
    /// 200 to a REGISTER that took our contact out.
    Unregistered {
        /// Every contact that is left.
        contacts: Vec<String>,
    },
    /// REGISTER was refused, or not answered (408 then, made here).
    RegistrationRefused {
        /// The code.
        status: Status,
        /// The phrase.
        reason: String,
        /// The first Warning's value.
        warning: Option<String>,
    },
    /// Our call rings at the other side (180 or 183).
    Ringing {
        /// Which call.
        call: CallRef,
    },
    /// A call comes in.
    Incoming {
        /// Which call.
        call: CallRef,
        /// From's URI.
        from: String,
        /// From's display name.
        display: Option<String>,
        /// The first P-Asserted-Identity's URI.
        asserted: Option<String>,
        /// The Request-URI.
        uri: String,
        /// The whole request.
        request: Request,
    },
    /// Our call was answered with 2xx; the ACK is sent.
    Answered {
        /// Which call.
        call: CallRef,
        /// The whole response.
        response: Response,
    },
    /// The ACK to our 2xx came: the call that came in is up.
    Confirmed {
        /// Which call.
        call: CallRef,
    },
    /// The caller gave up before we answered.
    Cancelled {
        /// Which call.
        call: CallRef,
        /// The CANCEL's Reason header.
        reason: Option<String>,
    },
    /// The call is over: a BYE was received, or ours was answered.
    Ended {
        /// Which call.
        call: CallRef,
    },
    /// Our call was refused, or not answered (408 then, made here).
    Failed {
        /// Which call.
        call: CallRef,
        /// The code.
        status: Status,
        /// The phrase.
        reason: String,
        /// The first Warning's value.
        warning: Option<String>,
    },
    /// A MESSAGE came.
    Message {
        /// From's URI.
        from: String,
        /// The first P-Asserted-Identity's URI.
        asserted: Option<String>,
        /// The body.
        text: String,
    },
    /// Any other request came and was answered.
    Request {
        /// In which call, if in one.
        call: Option<CallRef>,
        /// Its method.
        method: Method,
        /// The whole request.
        request: Request,
    },
    /// The final answer to a request that is no call; `None`: none came in 64·T1.
    Response {
        /// Which request.
        request: RequestRef,
        /// Its method.
        method: Method,
        /// The answer.
        response: Option<Response>,
    },
}
