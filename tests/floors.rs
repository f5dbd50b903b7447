//! The floors of `src/` (`src/lib.rs` has the picture): imports go down only, siblings do not know each other, and the world
//! stays on the floors that are for it.

use std::fs;
use std::path::{Path, PathBuf};

/// Every top-level module and its floor. `lib.rs` only lists them.
const FLOORS: &[(u8, &[&str])] = &[
    (
        0,
        &[
            "alarms",
            "deadlines",
            "digits",
            "guarded",
            "ids",
            "pages",
            "rejection",
            "settings",
            "sip",
            "timing",
            "transmit",
        ],
    ),
    (1, &["auth", "link", "location", "plan", "transaction", "trunk"]),
    (2, &["hot_desk", "proxy", "registrar", "service"]),
    (3, &["event", "node", "phone"]),
    (4, &["config", "net", "shutdown", "storage", "telemetry"]),
    (5, &["admin", "cli", "main"]),
];

/// What a module may use of its own floor, beside itself: words are made of words, and the node tells events.
const SIBLINGS: &[(&str, &[&str])] = &[
    ("*", &["ids", "timing", "transmit"]),
    ("deadlines", &["pages"]),
    ("settings", &["digits"]),
    ("sip", &["settings"]),
    ("rejection", &["sip"]),
    ("node", &["event"]),
    ("cli", &["admin"]),
    ("main", &["cli"]),
];

/// Where the world begins.
const WORLD: u8 = 4;

/// What is found in the world only.
const WORLDLY: &[&str] = &["Instant::now", "SystemTime::now", "std::fs", "std::env", "tokio", "UdpSocket", "getrandom"];

#[test]
fn imports_go_down_only() {
    let broken: Vec<String> = sources().iter().flat_map(|source| source.broken_imports()).collect();
    assert!(broken.is_empty(), "\n{}\n", broken.join("\n"));
}

#[test]
fn rsip_is_named_in_sip_only() {
    let broken: Vec<String> = sources()
        .iter()
        .filter(|source| source.module != "sip")
        .flat_map(|source| source.naming("rsip", "is named in src/sip/ only"))
        .collect();
    assert!(broken.is_empty(), "\n{}\n", broken.join("\n"));
}

#[test]
fn the_world_is_touched_from_floor_4_on_only() {
    let below: Vec<Source> = sources().into_iter().filter(|source| source.floor < WORLD).collect();
    let rule =
        format!("belongs to floor {WORLD} and above: below it, time, datagrams and randomness come in as arguments");
    let broken: Vec<String> =
        below.iter().flat_map(|source| WORLDLY.iter().flat_map(|word| source.naming(word, &rule))).collect();
    assert!(broken.is_empty(), "\n{}\n", broken.join("\n"));
}

#[test]
fn the_rules_find_what_breaks_them() {
    let source = |module: &str, text: &str| Source::new(Path::new("src/x.rs"), module, text);
    let wrong = |module, text| source(module, text).broken_imports();
    assert_eq!(
        wrong("plan", "use crate::node::Node;"),
        ["src/x.rs:1: plan (floor 1) uses node (floor 3): imports go down only"]
    );
    assert_eq!(wrong("plan", "use crate::{\n    ids,\n    link::{Token, sip},\n};").len(), 1);
    assert_eq!(wrong("plan", "fn f() { crate::link::f() }").len(), 1);
    assert_eq!(wrong("plan", "use super::link::f;").len(), 1);
    assert_eq!(
        wrong("sip", "use crate::{settings, timing};\nuse crate::digits;"),
        ["src/x.rs:2: sip (floor 0) uses digits, a sibling: modules of one floor do not know each other"]
    );
    assert!(wrong("plan", "use crate::sip::Uri; // crate::node\n/// See [`crate::node`].\n").is_empty());
    assert!(wrong("plan", "#[cfg(test)]\nmod tests {\n    use crate::node::Node;\n}\n").is_empty());
    assert_eq!(wrong("plan", "#[cfg(test)]\nmod tests {\n    fn f() {}\n}\nuse crate::node::Node;").len(), 1);
    assert_eq!(source("plan", "let a = std::time::Instant::now();").naming("Instant::now", "no").len(), 1);
    assert!(source("plan", "let tokio_like = 1; // tokio").naming("tokio", "no").is_empty());
}

/// One file without its comments and tests; the lines keep their numbers.
struct Source {
    path: PathBuf,
    module: String,
    floor: u8,
    lines: Vec<String>,
}

impl Source {
    fn new(path: &Path, module: &str, text: &str) -> Self {
        let floor = floor_of(module)
            .unwrap_or_else(|| panic!("{}: give the module {module} a floor in tests/floors.rs", path.display()));
        Self { path: path.to_owned(), module: module.to_owned(), floor, lines: code_lines(text) }
    }

    fn broken_imports(&self) -> Vec<String> {
        self.imports().into_iter().filter_map(|(line, used)| self.judge(line, &used)).collect()
    }

    fn judge(&self, line: usize, used: &str) -> Option<String> {
        let floor = floor_of(used)?;
        let allowed = |who: &str| SIBLINGS.iter().any(|(name, words)| *name == who && words.contains(&used));
        if used == self.module
            || floor < self.floor
            || floor == self.floor && (allowed(&self.module) || floor == 0 && allowed("*"))
        {
            return None;
        }
        let (place, me) = (self.place(line), format!("{} (floor {})", self.module, self.floor));
        Some(if floor == self.floor {
            format!("{place}: {me} uses {used}, a sibling: modules of one floor do not know each other")
        } else {
            format!("{place}: {me} uses {used} (floor {floor}): imports go down only")
        })
    }

    /// Every module of the crate that is named after `crate::` (or `hotdesk::` in `main`), also in a group, with its line.
    fn imports(&self) -> Vec<(usize, String)> {
        let mut found = Vec::new();
        for (index, line) in self.lines.iter().enumerate() {
            for start in ["crate::", "hotdesk::", self.root()] {
                for (at, _) in line.match_indices(start).filter(|(at, _)| is_word_start(line, *at)) {
                    let rest = &line[at + start.len()..];
                    match rest.strip_prefix('{') {
                        Some(group) => found.extend(self.group(index, group)),
                        None => found.push((index, word(rest))),
                    }
                }
            }
        }
        found
    }

    /// What `crate::` may also be called in this file.
    fn root(&self) -> &'static str {
        match self.path.components().count() {
            2 => "super::",
            3 if self.path.ends_with("mod.rs") => "super::",
            _ => "super::super::",
        }
    }

    /// The first segments of `{a, b::{c, d}, e::f}`, which begins with `first` and may go on for lines.
    fn group(&self, index: usize, first: &str) -> Vec<(usize, String)> {
        let (mut found, mut depth, mut at_start) = (Vec::new(), 1, true);
        let rest = self.lines.iter().enumerate().skip(index + 1).map(|(index, line)| (index, line.as_str()));
        for (index, line) in std::iter::once((index, first)).chain(rest) {
            for (at, c) in line.char_indices() {
                match c {
                    '{' => depth += 1,
                    '}' => depth -= 1,
                    ',' => at_start = depth == 1,
                    c if c.is_alphanumeric() && at_start => {
                        found.push((index, word(&line[at..])));
                        at_start = false;
                    }
                    _ => {}
                }
                if depth == 0 {
                    return found;
                }
            }
        }
        found
    }

    fn naming(&self, name: &str, rule: &str) -> Vec<String> {
        let names = |line: &&String| {
            line.match_indices(name)
                .any(|(at, _)| is_word_start(line, at) && !line[at + name.len()..].starts_with(is_word))
        };
        let line = |(index, line): (usize, &String)| Some(index).filter(|_| names(&line));
        let found = self.lines.iter().enumerate().filter_map(line);
        found.map(|index| format!("{}: `{name}` {rule}", self.place(index))).collect()
    }

    fn place(&self, index: usize) -> String {
        format!("{}:{}", self.path.display(), index + 1)
    }
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files = files(&root.join("src"));
    assert!(files.len() > 20, "src/ was not found");
    let tests: Vec<PathBuf> = files.iter().flat_map(|(path, text)| modules_of_tests(path, text)).collect();
    let is_test = |path: &Path| tests.iter().any(|module| path.with_extension("").starts_with(module));
    let mut sources = Vec::new();
    for (path, text) in files.iter().filter(|(path, _)| !is_test(path)) {
        let relative = path.strip_prefix(root).expect("below the root");
        let module = relative.components().nth(1).expect("a name").as_os_str().to_string_lossy();
        match module.trim_end_matches(".rs") {
            "lib" => {}
            module => sources.push(Source::new(relative, module, text)),
        }
    }
    sources
}

/// Every file of Rust below, with its text, in order.
fn files(root: &Path) -> Vec<(PathBuf, String)> {
    let (mut directories, mut files) = (vec![root.to_owned()], Vec::new());
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(&directory).expect("src/ can be read") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                directories.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).expect("text");
                files.push((path, text));
            }
        }
    }
    files.sort();
    files
}

/// What a file names as `#[cfg(test)] mod NAME;`, as paths without an ending.
fn modules_of_tests(path: &Path, text: &str) -> Vec<PathBuf> {
    let directory = if path.ends_with("mod.rs") || path.ends_with("lib.rs") {
        path.with_file_name("")
    } else {
        path.with_extension("")
    };
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let named = |pair: &[&str]| {
        let (_, name) = pair[1].strip_suffix(';')?.split_once("mod ")?;
        Some(directory.join(name)).filter(|_| pair[0] == "#[cfg(test)]")
    };
    lines.windows(2).filter_map(named).collect()
}

fn floor_of(module: &str) -> Option<u8> {
    FLOORS.iter().find(|(_, modules)| modules.contains(&module)).map(|(floor, _)| *floor)
}

/// The lines of a formatted file with comments and `#[cfg(test)]` items blanked.
fn code_lines(text: &str) -> Vec<String> {
    let (mut lines, mut test_ends_at) = (Vec::new(), None::<String>);
    let mut test_begins = false;
    for line in text.lines() {
        let indent = &line[..line.len() - line.trim_start().len()];
        let mut code = line.split("//").next().unwrap_or_default().to_owned();
        if let Some(end) = &test_ends_at {
            if line == end {
                test_ends_at = None;
            }
            code.clear();
        } else if line.trim_start().starts_with("#[cfg(test)]") {
            test_begins = true;
        } else if test_begins && !line.trim_start().starts_with("#[") {
            test_begins = false;
            if line.trim_end().ends_with('{') {
                test_ends_at = Some(format!("{indent}}}"));
            }
            code.clear();
        }
        lines.push(code);
    }
    lines
}

fn word(text: &str) -> String {
    text.chars().take_while(|c| is_word(*c)).collect()
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn is_word_start(line: &str, at: usize) -> bool {
    !line[..at].ends_with(is_word)
}
