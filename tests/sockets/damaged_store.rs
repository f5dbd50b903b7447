//! SPEC 4.5, DESIGN §5: a database that can't be used as it is. The program says which and what to do, ends with 2 and leaves the file
//! alone, or it starts and what was confirmed is there; it never starts without a word with less.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, UNIX_EPOCH};

use redb::{Database, ReadableDatabase, TableDefinition};

use super::agent::Agent;
use super::message::status;
use super::support::{Network, hotdesk};

const ABOUT: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("about");
const RECORDS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("records");

/// A network whose London has confirmed a binding of 201, and has ended; its database.
fn stopped() -> (Network, Agent, PathBuf) {
    let network = Network::new();
    network.edit("network.toml", "[network]\n", "[network]\ndata_dir = \"data\"\n");
    let mut running = network.run(&["--site", "london"]);
    let ada = Agent::registered(&network, "london", "201");
    running.signal("TERM");
    assert_eq!(running.end().code(), Some(0));
    let file = network.directory.join("data/london.redb");
    (network, ada, file)
}

/// Starts London: what it said and its exit code, or `None` for that if it serves; it is ended then.
fn try_to_start(network: &Network) -> (String, Option<i32>) {
    let log = network.directory.join("log-of-a-try");
    let mut child = hotdesk("run", &network.config(), &["--site", "london"])
        .stdout(Stdio::piped())
        .stderr(File::create(&log).expect("a log"))
        .spawn()
        .expect("the program starts");
    let out = BufReader::new(child.stdout.take().expect("a pipe"));
    let (sender, lines) = mpsc::channel();
    thread::spawn(move || out.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
    let mut said = std::iter::from_fn(|| lines.recv_timeout(Duration::from_secs(20)).ok());
    let code = match said.any(|line| line.starts_with("ready")) {
        true => {
            child.kill().expect("our child");
            child.wait().expect("our child");
            None
        }
        false => Some(child.wait().expect("our child").code().unwrap_or(-1)),
    };
    (fs::read_to_string(&log).expect("the log"), code)
}

fn is_refused(network: &Network, file: &PathBuf, why: &str) {
    let before = fs::read(file).ok();
    let (said, code) = try_to_start(network);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("london.redb") && said.contains(why) && !said.contains("panicked"), "{said}");
    assert!(fs::read(file).ok() == before, "the file stays as it was");
}

#[test]
fn one_that_was_cut_short_is_refused() {
    let (network, _ada, file) = stopped();
    let whole = fs::read(&file).expect("there");
    for length in [100, 4_096, whole.len() / 2, whole.len() - 1] {
        fs::write(&file, &whole[..length]).expect("written");
        is_refused(&network, &file, "restore a copy");
    }
    fs::write(&file, whole).expect("written");
    assert_eq!(try_to_start(&network).1, None);
}

#[test]
fn one_with_wrong_bytes_in_it_loses_nothing_without_a_word() {
    let (network, ada, file) = stopped();
    let whole = fs::read(&file).expect("there");
    let used: Vec<usize> =
        (0..whole.len()).step_by(512).filter(|at| whole[*at..*at + 64].iter().any(|byte| *byte != 0)).collect();
    for at in used.iter().copied().step_by(1 + used.len() / 24) {
        let mut broken = whole.clone();
        broken[at..at + 64].iter_mut().for_each(|byte| *byte ^= 0xa5);
        fs::write(&file, &broken).expect("written");
        let (said, code) = try_to_start(&network);
        let named = said.contains("london.redb: the database can't be used");
        match code {
            Some(code) => assert!(code == 2 && named, "wrong bytes at {at}: exit code {code}: {said}"),
            None if said.contains("live=1") => {}
            None => assert!(said.contains("201"), "wrong bytes at {at}, and nothing is said of what is lost: {said}"),
        }
    }
    fs::write(&file, whole).expect("written");
    let _running = network.run(&["--site", "london"]);
    assert_eq!(status(&ada.register(300)), 200);
}

#[test]
fn one_of_a_later_release_is_refused() {
    let (network, _ada, file) = stopped();
    let database = Database::create(&file).expect("a database");
    let transaction = database.begin_write().expect("begun");
    transaction.open_table(ABOUT).expect("there").insert("format", 9_u32.to_le_bytes().as_slice()).expect("written");
    transaction.commit().expect("written");
    drop(database);
    let (said, code) = try_to_start(&network);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("london.redb: written by a later release (format 9, this one reads up to 1)"), "{said}");
    // What the later release wrote is still there for it.
    let database = Database::open(&file).expect("a database");
    let view = database.begin_read().expect("begun");
    let format = view.open_table(ABOUT).expect("there").get("format").expect("read").expect("there").value().to_vec();
    assert_eq!(format, 9_u32.to_le_bytes());
    assert!(view.open_table(RECORDS).expect("there").get("201").expect("read").is_some());
}

#[test]
fn one_of_before_there_were_versions_and_optional_keys_is_read_and_gets_its_version() {
    let (network, ada, file) = stopped();
    let last = fs::metadata(&file).and_then(|file| file.modified()).expect("there");
    fs::remove_file(&file).expect("there");
    let since_1970 = last.duration_since(UNIX_EPOCH).expect("later").as_millis();
    let uri = ada.contact();
    let uri = uri.trim_matches(['<', '>']);
    let record = format!(
        "{{\"resident\":{{\"login\":7,\"bindings\":[{{\"serial\":1,\"uri\":\"{uri}\",\"device\":{{\"call_id\":\"old\"}},\"cseq\":3,\
         \"updated\":{since_1970},\"expires\":{},\"flow\":\"127.0.0.1:5060\"}}]}}}}",
        since_1970 + 300_000
    );
    let database = Database::create(&file).expect("a database");
    let transaction = database.begin_write().expect("begun");
    transaction.open_table(RECORDS).expect("made").insert("201", record.as_bytes()).expect("written");
    transaction.commit().expect("written");
    drop(database);
    let mut running = network.run(&["--site", "london"]);
    let charles = Agent::registered(&network, "london", "202");
    let call = charles.call("201");
    ada.pick_up_with(&charles, &call);
    running.signal("TERM");
    running.end();
    let database = Database::open(&file).expect("a database");
    let about = database.begin_read().expect("begun").open_table(ABOUT).expect("there");
    let format = about.get("format").expect("read").expect("there");
    assert_eq!(format.value(), 1_u32.to_le_bytes());
}

#[test]
fn a_folder_that_cannot_be_written_is_an_error_that_names_it() {
    let network = Network::new();
    network.edit("network.toml", "[network]\n", "[network]\ndata_dir = \"network.toml/data\"\n");
    let (said, code) = try_to_start(&network);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("can't make the folder") && said.contains("network.toml/data"), "{said}");
    network.edit("network.toml", "network.toml/data", "data");
    fs::create_dir_all(network.directory.join("data/london.redb")).expect("made");
    let (said, code) = try_to_start(&network);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("london.redb: the database can't be used"), "{said}");
}
