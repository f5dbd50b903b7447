//! The matcher against a naive one that reads SPEC 6.2 aloud, on random plans over few characters, so that codes overlap.

use hotdesk::plan::{Around, Caller, Plan, RightsNames, Trace};
use hotdesk::settings::{Network, ShortCodeRow, Site};
use proptest::prelude::*;

use crate::sample::{self, MONDAY_NOON};

/// What a level's codes say to a string: the row and what X and N took.
type Hit = (usize, String);

/// The characters that X and N took, if the whole of `text` matches: tried in every way, shorter runs first.
fn fits(code: &[char], text: &[char]) -> Option<String> {
    let last_hash = text == ['#'];
    let one = |rest: &[char], taken: &str| fits(rest, &text[1..]).map(|more| format!("{taken}{more}"));
    match (code.first(), text.first()) {
        (None, None) => Some(String::new()),
        (None, Some(_)) => None,
        (Some('N'), next) => fits(&code[1..], text).or_else(|| {
            let c = next.filter(|c| c.is_ascii_digit() || "*#+".contains(**c)).filter(|_| !last_hash)?;
            one(code, &c.to_string())
        }),
        (Some('X'), Some(c)) if c.is_ascii_digit() => one(&code[1..], &c.to_string()),
        (Some('X'), _) => None,
        (Some(literal), Some(c)) if literal == c => one(&code[1..], ""),
        (Some(_), _) => None,
    }
}

fn elements(code: &str) -> Vec<char> {
    code.strip_suffix(';').unwrap_or(code).chars().collect()
}

fn count(code: &str, wanted: impl Fn(char) -> bool) -> usize {
    elements(code).into_iter().filter(|c| wanted(*c)).count()
}

/// Most literals, then no N before N, then most X, then first in the file.
fn best(codes: &[String], text: &str) -> Option<Hit> {
    let text: Vec<char> = text.chars().collect();
    let hits = codes.iter().enumerate().filter(|(_, code)| *code != "?");
    let hits = hits.filter_map(|(row, code)| Some((row, code, fits(&elements(code), &text)?)));
    hits.min_by_key(|(row, code, _)| order(*row, code)).map(|(row, _, taken)| (row, taken))
}

/// Whether something longer would match.
fn begins(codes: &[String], text: &str) -> bool {
    codes.iter().filter(|code| *code != "?").any(|code| {
        let code = elements(code);
        (0..code.len()).any(|from| {
            let rest = code[from..].iter().map(|c| if "XN".contains(*c) { '0' } else { *c });
            fits(&code, &text.chars().chain(rest).collect::<Vec<_>>()).is_some()
        })
    })
}

/// The order of levels, the final #, the default matches, 484 and 404.
fn reference(levels: &[Vec<String>; 3], text: &str) -> String {
    let search = |text: &str| {
        let hit = levels.iter().enumerate().find_map(|(level, codes)| Some((level, best(codes, text)?)));
        hit.map(|(level, (row, taken))| format!("ForwardNumber {level}*{row}*{taken}*{text}"))
    };
    let complete = text.strip_suffix('#');
    let defaults = |text: &str| {
        let row = |codes: &Vec<String>| codes.iter().position(|code| code == "?");
        let hit = levels.iter().enumerate().find_map(|(level, codes)| Some((level, row(codes)?)));
        hit.map(|(level, row)| format!("ForwardNumber {level}*{row}**{text}"))
    };
    let incomplete = if levels.iter().any(|codes| begins(codes, text)) { "484" } else { "404" };
    search(text)
        .or_else(|| search(complete?))
        .or_else(|| defaults(complete.unwrap_or(text)))
        .unwrap_or_else(|| incomplete.to_owned())
}

fn rows(level: usize, codes: &[String]) -> Vec<ShortCodeRow> {
    let row = |(row, code): (usize, &String)| ShortCodeRow {
        code: code.clone(),
        feature: "ForwardNumber".to_owned(),
        number: Some(format!("{level}*{row}*N*.")),
        ..ShortCodeRow::default()
    };
    codes.iter().enumerate().map(row).collect()
}

/// One site and no extensions, so that only codes decide.
fn network() -> Network {
    let mut network = sample::network();
    network.sites.retain(|name, _| name.as_str() == "london");
    network
}

fn plan_of(levels: &[Vec<String>; 3]) -> Plan {
    let mut site: Site = sample::with_rights(sample::site("london", "", "", ""), "office", false, "");
    site.rights.get_mut("office").expect("the rights").short_codes = rows(1, &levels[1]);
    site.short_codes = rows(2, &levels[2]);
    Plan::compile(&network(), &site).unwrap_or_else(|errors| panic!("{}", sample::in_words(&errors)))
}

fn a_code() -> impl Strategy<Value = String> {
    let element = prop_oneof![4 => proptest::char::ranges(vec!['0'..='3', '*'..='*', '#'..='#'].into()), 2 => Just('X'), 2 => Just('N')];
    let code = (proptest::collection::vec(element, 1..7), any::<bool>())
        .prop_map(|(code, end)| code.into_iter().chain(end.then_some(';')).collect());
    prop_oneof![12 => code, 1 => Just("?".to_owned())]
}

fn some_codes() -> impl Strategy<Value = Vec<String>> {
    proptest::collection::vec(a_code(), 0..8)
}

/// Random strings, and such as the codes themselves suggest.
fn strings(codes: &[String], seeds: &[(Vec<u8>, u8)]) -> Vec<String> {
    let alphabet = ['0', '1', '2', '3', '*', '#', '+', 'a'];
    let pick = |byte: &u8| alphabet[usize::from(*byte) % if *byte > 250 { 8 } else { 6 }];
    let mut strings: Vec<String> = seeds.iter().map(|(bytes, _)| bytes.iter().map(pick).collect()).collect();
    for (code, (bytes, end)) in codes.iter().cycle().take(3 * codes.len()).zip(seeds.iter().cycle()) {
        let mut fill = bytes.iter().map(pick).chain(std::iter::repeat('1'));
        let mut text = String::new();
        for c in elements(code) {
            match c {
                'N' => text.extend(fill.by_ref().take(usize::from(*end) % 3)),
                'X' => text.extend(fill.by_ref().next()),
                literal => text.push(literal),
            }
        }
        match end % 5 {
            0 => text.push('#'),
            1 => drop(text.pop()),
            _ => {}
        }
        strings.push(text);
    }
    strings
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_plan_decides_as_the_naive_reading_does(
        levels in [some_codes(), some_codes(), some_codes()],
        seeds in proptest::collection::vec((proptest::collection::vec(any::<u8>(), 0..8), any::<u8>()), 1..12),
    ) {
        let plan = plan_of(&levels);
        let own = hotdesk::plan::Level::compile(&rows(0, &levels[0])).expect("a level");
        let names = RightsNames { rights: Some("office"), ..RightsNames::default() };
        let caller = Caller { level: Some(&own), rights: names, ..sample::ada() };
        for text in strings(&levels.concat(), &seeds) {
            let around = Around::alone(MONDAY_NOON);
            let decision = plan.route(&text, &caller, &around, Trace::off());
            let gives = decision.gives(plan.site());
            prop_assert_eq!(&gives, &reference(&levels, &text), "{:?} dials {}", levels, text);
            let explained = plan.route(&text, &caller, &around, Trace::on());
            prop_assert_eq!(explained.outcome, decision.outcome, "the trace changes nothing");
        }
    }
}

#[test]
fn the_reference_reads_the_specification() {
    let codes: Vec<String> = ["601", "60N", "60X", "6XX"].map(str::to_owned).to_vec();
    assert_eq!(best(&codes, "601"), Some((0, String::new())));
    assert_eq!(best(&codes, "602"), Some((2, "2".to_owned())));
    assert_eq!(best(&codes, "6023"), Some((1, "23".to_owned())));
    assert_eq!(best(&codes, "612"), Some((3, "12".to_owned())));
    assert!(begins(&codes, "6") && !begins(&codes, "7"));
    assert_eq!(fits(&['6', 'N'], &['6', '#']), None);
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "a look-up is timed, with a bound that only a scan of all codes would miss"
)]
fn a_hundred_thousand_codes_are_looked_up_like_ten() {
    let time = |codes: usize| {
        let codes: Vec<String> =
            (0..codes).map(|n| format!("9{n:06}XN;")).chain(["0N;".to_owned(), "*35*N#".to_owned()]).collect();
        let plan = plan_of(&[Vec::new(), Vec::new(), codes]);
        let (caller, around) = (sample::ada(), Around::alone(MONDAY_NOON));
        let once = || {
            let begin = std::time::Instant::now();
            for n in 0..200 {
                let dialled = format!("900000{}12{n}", n % 10);
                assert!(!plan.route(&dialled, &caller, &around, Trace::off()).trace.is_on());
            }
            begin.elapsed()
        };
        (0..5).map(|_| once()).min().expect("a time")
    };
    let (few, many) = (time(10), time(100_000));
    // A scan would take some ten thousand times as long; what else runs on the machine takes the caches away.
    assert!(many < few * 200, "10 codes: {few:?}, 100,000 codes: {many:?}");
}

/// A small generator, so that every run tries the same.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % sides as u64) as usize
    }

    fn pick(&mut self, from: &str) -> char {
        from.as_bytes()[self.roll(from.len())].into()
    }

    fn code(&mut self) -> String {
        (0..=self.roll(6)).map(|_| self.pick("0123012301*#XXXN")).collect()
    }

    /// What a code suggests, or anything.
    fn string(&mut self, code: &str) -> String {
        let mut text = String::new();
        for c in code.chars() {
            match c {
                'N' => (0..self.roll(3)).for_each(|_| text.push(self.pick("0123*#"))),
                'X' => text.push(self.pick("0123")),
                literal => text.push(if self.roll(12) == 0 { self.pick("0123*#+a") } else { literal }),
            }
        }
        if self.roll(6) == 0 {
            text.push('#');
        }
        text
    }
}

#[test]
fn large_plans_decide_a_hundred_thousand_strings_as_the_naive_reading_does() {
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    for _ in 0..500 {
        let codes: Vec<String> = (0..=dice.roll(200)).map(|_| dice.code()).collect();
        let read: Vec<(Vec<char>, _)> =
            codes.iter().enumerate().map(|(row, code)| (elements(code), order(row, code))).collect();
        let naive = |text: &str| {
            let text: Vec<char> = text.chars().collect();
            let hits = read.iter().filter_map(|(code, order)| Some((order, fits(code, &text)?)));
            hits.min_by_key(|(order, _)| **order).map(|(order, taken)| (order.3, taken))
        };
        let plan = plan_of(&[Vec::new(), Vec::new(), codes.clone()]);
        for _ in 0..200 {
            let code = dice.roll(codes.len());
            let text = dice.string(&codes[code]);
            let complete = text.strip_suffix('#');
            let wanted = naive(&text).map(|hit| (hit, text.as_str())).or_else(|| Some((naive(complete?)?, complete?)));
            let wanted = wanted.map(|((row, taken), text)| format!("ForwardNumber 2*{row}*{taken}*{text}"));
            let gives = plan.route(&text, &sample::ada(), &Around::alone(MONDAY_NOON), Trace::off()).gives(plan.site());
            match wanted {
                Some(wanted) => assert_eq!(gives, wanted, "{codes:?} dial {text}"),
                None => assert!(gives == "404" || gives == "484", "{codes:?} dial {text}: {gives}"),
            }
        }
    }
}

/// The least is best.
fn order(row: usize, code: &str) -> (usize, bool, usize, usize) {
    let literals = count(code, |c| c != 'X' && c != 'N');
    (usize::MAX - literals, code.contains('N'), usize::MAX - count(code, |c| c == 'X'), row)
}
