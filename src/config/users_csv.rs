//! `users_csv`: a header line of user keys, then a user per line. An empty cell is a key that is not there.

use toml::{Table, Value};

use super::document::{At, Document};
use super::nearest::nearest;
use super::problem::{Report, Spot};
use super::raw::UserRow;

/// The columns that a file may have, as the keys of `[[users]]`.
const TEXTS: [&str; 16] = [
    "extension",
    "name",
    "password",
    "ha1_md5",
    "ha1_sha256",
    "login_code",
    "login_code_hash",
    "profile",
    "caller_id",
    "rights",
    "time_profile",
    "out_of_hours_rights",
    "forward.unconditional",
    "forward.busy",
    "forward.no_answer",
    "forward.unreachable",
];
const FLAGS: [&str; 2] = ["outgoing_bar", "do_not_disturb"];
const NUMBERS: [&str; 2] = ["priority", "forward.after"];

/// Reads the file that `at` names.
pub fn read(at: At<'_>, name: &str, report: &mut Report) -> Option<(Document, Vec<UserRow>)> {
    let path = at.document.path(name);
    let bytes = match report.files.bytes(&path) {
        Ok(bytes) => bytes,
        Err(why) => {
            report.error(at, format!("cannot read {}: {why}", path.display()));
            return None;
        }
    };
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(&*bytes);
    let file = Spot::file(path.display().to_string());
    let columns = columns(&mut reader, &file, report)?;
    let (mut rows, mut lines) = (Vec::new(), Vec::new());
    for record in reader.records() {
        match record {
            Ok(record) => {
                let line = record.position().map_or(0, |position| position.line() as u32);
                rows.extend(row(&columns, &record, &Spot { line, ..file.clone() }, report));
                lines.resize(rows.len(), line);
            }
            Err(why) => {
                let line = why.position().map_or(0, |position| position.line() as u32);
                report.error_at(Spot { line, ..file.clone() }, format!("not CSV: {}", plainly(&why)));
            }
        }
    }
    Some((Document::csv(&path, lines), rows))
}

fn columns(reader: &mut csv::Reader<&[u8]>, file: &Spot, report: &mut Report) -> Option<Vec<String>> {
    let spot = Spot { line: 1, ..file.clone() };
    let header = match reader.headers() {
        Ok(header) => header,
        Err(why) => {
            report.error_at(spot, format!("not CSV: {}", plainly(&why)));
            return None;
        }
    };
    let known = || TEXTS.iter().chain(&FLAGS).chain(&NUMBERS).copied();
    let columns: Vec<String> = header.iter().map(str::to_owned).collect();
    for (index, column) in columns.iter().enumerate() {
        let spot = Spot { key: column.clone(), ..spot.clone() };
        if !known().any(|key| key == column) {
            let instead = nearest(column, known()).map(|key| format!("; did you mean `{key}`?")).unwrap_or_default();
            report.error_at(spot, format!("unknown key{instead}"));
        } else if columns[..index].contains(column) {
            report.error_at(spot, "stands there twice");
        }
    }
    Some(columns)
}

fn row(columns: &[String], record: &csv::StringRecord, spot: &Spot, report: &mut Report) -> Option<UserRow> {
    let mut table = Table::new();
    for (column, cell) in columns.iter().zip(record).filter(|(_, cell)| !cell.is_empty()) {
        match value(column, cell) {
            Ok(Some(value)) => put(&mut table, column, value),
            Ok(None) => {}
            Err(expected) => {
                let spot = Spot { key: column.clone(), ..spot.clone() };
                report.error_at(spot, format!("{expected} is needed, not `{cell}`"));
            }
        }
    }
    match table.try_into() {
        Ok(row) => Some(row),
        Err(why) => {
            report.error_at(spot.clone(), why.message().to_owned());
            None
        }
    }
}

/// The cell as TOML would have it; `None` for a column that was already told to be unknown.
fn value(column: &str, cell: &str) -> Result<Option<Value>, &'static str> {
    if FLAGS.contains(&column) {
        return cell.parse().map(|flag| Some(Value::Boolean(flag))).map_err(|_| "true or false");
    }
    if NUMBERS.contains(&column) {
        return cell.parse().map(|number| Some(Value::Integer(number))).map_err(|_| "a whole number");
    }
    let known = TEXTS.contains(&column);
    Ok(known.then(|| Value::String(cell.to_owned())))
}

fn put(table: &mut Table, column: &str, value: Value) {
    match column.split_once('.') {
        Some((outer, inner)) => {
            let below = table.entry(outer).or_insert_with(|| Value::Table(Table::new()));
            if let Value::Table(below) = below {
                below.insert(inner.to_owned(), value);
            }
        }
        None => {
            table.insert(column.to_owned(), value);
        }
    }
}

fn plainly(why: &csv::Error) -> String {
    match why.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("{len} cells where the header has {expected_len}")
        }
        csv::ErrorKind::Utf8 { .. } => "not UTF-8".to_owned(),
        _ => why.to_string(), // the crate's enum is open
    }
}
