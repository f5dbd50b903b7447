//! SPEC 2.1: `hotdesk demo` plays the whole story by itself.

use std::fs;
use std::process::{Child, Command, Stdio};

fn demo(directory: &std::path::Path) -> Child {
    Command::new(env!("CARGO_BIN_EXE_hotdesk"))
        .arg("demo")
        .current_dir(directory)
        .env_remove("RUST_LOG")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts")
}

#[test]
fn two_demos_side_by_side_tell_the_story_without_files_and_leave_nothing_behind() {
    let directory = std::env::temp_dir().join(format!("hotdesk-demo-{}", std::process::id()));
    fs::create_dir_all(&directory).expect("an empty directory");
    let both = [demo(&directory), demo(&directory)].map(|child| child.wait_with_output().expect("it ends"));
    let left = fs::read_dir(&directory).expect("the directory").count();
    fs::remove_dir_all(&directory).expect("removed");
    assert_eq!(left, 0, "nothing is left behind");
    for output in both {
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success() && err.is_empty(), "{out}\n{err}");
        assert_eq!(out.matches("\n   held: ").count(), 8, "{out}");
        assert!(!out.contains("FAILED") && out.trim_end().ends_with("8 steps held"), "{out}");
        assert!(!out.contains('\u{1b}'), "no colours in a pipe");
        let longest = out.lines().map(|line| line.chars().count()).max();
        assert!(longest <= Some(120), "{longest:?}");
    }
}
