use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

const METHODS: [&str; 3] = ["INVITE", "MESSAGE", "CANCEL"];
const STATUSES: [u16; 6] = [100, 180, 200, 302, 408, 603];

#[derive(Clone, Debug)]
enum Step {
    /// A request comes (again), and gets a transaction if it is new.
    Request(usize, u8),
    Ack(u8),
    Respond(usize, usize),
    Send(usize, u8),
    Answer(usize, usize, u8),
    Cancel(usize),
    Unreachable,
    Pass(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0..3_usize, 0..6_u8).prop_map(|(method, branch)| Step::Request(method, branch)),
        (0..6_u8).prop_map(Step::Ack),
        (0..40_usize, 0..6_usize).prop_map(|(nth, status)| Step::Respond(nth, status)),
        (0..2_usize, 0..200_u8).prop_map(|(method, branch)| Step::Send(method, branch)),
        (0..3_usize, 0..6_usize, 0..200_u8).prop_map(|(method, status, branch)| Step::Answer(method, status, branch)),
        (0..40_usize).prop_map(Step::Cancel),
        Just(Step::Unreachable),
        prop_oneof![0..600_u64, 0..40_000_u64].prop_map(Step::Pass),
    ]
}

/// The table with the ids of all that was ever begun, and the words that are still out.
struct World {
    bench: Bench,
    servers: Vec<ServerId>,
    clients: BTreeMap<u8, ClientId>,
    begun: u32,
}

impl World {
    fn ms(&self) -> u64 {
        self.bench.now.duration_since(self.bench.start).as_millis() as u64
    }

    fn word(&mut self) -> u32 {
        self.begun += 1;
        self.begun
    }

    fn take(&mut self, step: Step) {
        let now = self.bench.now;
        match step {
            Step::Request(method, branch) => self.hear(&incoming(METHODS[method], &via(branch))),
            Step::Ack(branch) => _ = self.bench.hear(&incoming("ACK", &via(branch))),
            Step::Respond(nth, status) => {
                if let Some(&id) = self.servers.get(nth) {
                    self.bench.respond(id, STATUSES[status]);
                }
            }
            Step::Send(method, branch) => self.send(METHODS[method], branch),
            Step::Answer(method, status, n) => {
                let response = response(STATUSES[status], METHODS[method], &branch(n));
                self.bench.table.hear_response(now, &response);
            }
            Step::Cancel(nth) => {
                let Some(&id) = self.clients.values().nth(nth) else { return };
                let word = self.begun + 1;
                // A remembered CANCEL may never begin, so its word is not counted here.
                self.bench.table.cancel(now, id, None, word + 1_000_000);
            }
            Step::Unreachable => self.bench.table.unreachable(now, flow(2).remote),
            Step::Pass(ms) => self.bench.until(self.ms() + ms),
        }
    }

    fn hear(&mut self, request: &Request) {
        let (Heard::New | Heard::Cancel(_)) = self.bench.hear(request) else { return };
        let word = self.word();
        self.servers.push(self.bench.table.begin_server(self.bench.now, request, flow(1), word).expect("room"));
    }

    fn send(&mut self, method: &'static str, n: u8) {
        if self.clients.contains_key(&n) {
            return;
        }
        let method = if method == "INVITE" { Method::INVITE } else { Method::MESSAGE };
        let word = self.word();
        let id = self.bench.begin_client(method, &branch(n), word);
        self.clients.insert(n, id);
    }

    /// Gives a final response to everything that waits for one.
    fn finish(&mut self) {
        for id in self.servers.clone() {
            self.bench.respond(id, 500);
        }
        for n in self.clients.keys().copied().collect::<Vec<_>>() {
            for method in METHODS {
                self.bench.table.hear_response(self.bench.now, &response(500, method, &branch(n)));
            }
        }
        self.bench.until(self.ms() + 200_000);
    }
}

fn via(n: u8) -> String {
    format!("192.0.2.1:5062;branch=z9hG4bKs{n}")
}

fn branch(n: u8) -> String {
    format!("z9hG4bKc{n}")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn whatever_comes_every_transaction_ends_once_and_nothing_stays(steps in prop::collection::vec(step(), 1..150)) {
        let mut world = World { bench: Bench::new(), servers: Vec::new(), clients: BTreeMap::new(), begun: 0 };
        for step in steps {
            world.take(step);
        }
        world.finish();
        let (servers, clients) = (world.bench.table.servers(), world.bench.table.clients());
        prop_assert_eq!((servers, clients), (Count::default(), Count::default()));
        prop_assert_eq!(world.bench.table.poll_timeout(), None);
        let ended = world.bench.events().into_iter().filter(|(_, text)| text.split(' ').nth(1).is_some_and(|n| n.len() < 7));
        prop_assert_eq!(ended.count(), world.begun as usize);
    }
}
