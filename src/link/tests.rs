//! The pieces together: what two sites do for one request.

use std::time::{Duration, Instant};

use super::messages::{Refusal, decode, encode};
use super::token::tests::ring;
use super::*;
use crate::ids::{BootId, Entropy, SiteNumber};
use crate::timing::{Now, Wall};

const LONDON: SiteNumber = SiteNumber(1);
const PARIS: SiteNumber = SiteNumber(2);
const WALL: Wall = Wall(1_790_000_000_000);

/// Paris asks, London answers.
struct Two {
    paris: Keyring,
    london: Gate,
    of_london: Peer,
    now: Now,
    entropy: Entropy,
    branches: u32,
}

/// What Paris made of London's answer.
struct Heard {
    status: u16,
    proven: Result<Proven, Unproven>,
    body: Result<Vec<u8>, Unsealable>,
}

impl Two {
    fn new() -> Self {
        #[allow(clippy::disallowed_methods, reason = "a test's zero point")]
        let instant = Instant::now();
        Self {
            paris: ring("paris"),
            london: Gate::new(ring("london"), BootId(11), [1, 2, 3, 4]),
            of_london: Peer::new(instant, Duration::from_secs(5)),
            now: Now { instant, wall: WALL },
            entropy: Entropy::new([5; 32]),
            branches: 0,
        }
    }

    fn ask(&mut self, question: &[u8]) -> Heard {
        self.branches += 1;
        let branch = format!("z9hG4bK{}", self.branches);
        let bound = Bound {
            method: b"REGISTER",
            call_id: b"c@paris",
            cseq: self.branches,
            request_uri: b"sip:london.example",
            branch: branch.as_bytes(),
        };
        let envelope = Envelope { from: PARIS, to: LONDON, boot: self.of_london.boot(), at: self.now.wall };
        let keys = self.paris.pair(LONDON).expect("a neighbour").clone();
        let minted = mint(&keys, &envelope, &Claims::of(Purpose::Login), &bound);
        let sealed = seal_request(&keys, &minted.receipt, question, &mut self.entropy);
        let (status, header, body) = self.answer(&minted.text, &bound, &sealed);
        let proven = Answer::check(&keys, &minted.receipt, status, header.as_bytes(), &body);
        if let Ok(proven) = &proven {
            self.of_london.note_answer(self.now, &minted.receipt, proven);
        }
        Heard { status, proven, body: open_answer(&keys, &minted.receipt, status, &body) }
    }

    /// London's side: status, header and body of the answer.
    fn answer(&mut self, text: &str, bound: &Bound<'_>, sealed: &[u8]) -> (u16, String, Vec<u8>) {
        let clock = self.now.wall;
        let said = Answer { boot: self.london.boot(), clock, ..Answer::default() };
        match self.london.admit(clock, text.as_bytes(), bound) {
            Ok(token) => {
                let keys = self.london.pair(token.envelope.from).expect("a neighbour");
                let question = open_request(keys, &token.receipt, sealed).expect("sealed for this request");
                let refusal =
                    Refusal { status: 403, text: String::from_utf8(question).expect("text"), displaced: false };
                let body = seal_answer(keys, &token.receipt, 403, &encode(&refusal), &mut self.entropy);
                (403, said.prove(keys, &token.receipt, 403, Some(&body)), body)
            }
            Err(refused) => {
                let token = refused.proven().expect("a neighbour is told why");
                let keys = self.london.pair(token.envelope.from).expect("a neighbour");
                let said = Answer { cause: Some(Cause::OtherBoot), ..said };
                (403, said.prove(keys, &token.receipt, 403, None), Vec::new())
            }
        }
    }
}

#[test]
fn one_round_trip_asks_and_answers_under_seal() {
    let mut two = Two::new();
    // The first of all tells the boot id, as a probe would.
    assert_eq!(two.ask(b"").proven.expect("proven").answer.cause, Some(Cause::OtherBoot));
    assert_eq!((two.of_london.boot(), two.of_london.state()), (BootId(11), State::Up));
    let heard = two.ask(b"no free licence");
    assert!(heard.status == 403 && heard.proven.expect("proven").covers_body);
    let refusal: Refusal = decode(&heard.body.expect("sealed for this answer")).expect("a refusal");
    assert_eq!(refusal.text, "no free licence");
}

#[test]
fn after_a_restart_the_second_try_goes_through() {
    let mut two = Two::new();
    two.ask(b"");
    two.london = Gate::new(ring("london"), BootId(12), [4, 3, 2, 1]);
    assert_eq!(two.ask(b"hello").proven.expect("proven").answer.cause, Some(Cause::OtherBoot));
    assert!(two.ask(b"hello").body.is_ok());
    let changes: Vec<_> = std::iter::from_fn(|| two.of_london.poll_change()).collect();
    assert_eq!(changes, [Change::Up, Change::Restarted(BootId(12))]);
}
