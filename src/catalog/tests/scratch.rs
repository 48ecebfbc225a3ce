//! What killed processes leave where the system keeps what is temporary.

use std::os::unix::fs::{MetadataExt, symlink};

use super::*;
use crate::catalog::scratch::remove_leftovers;

#[test]
fn what_killed_processes_leave_is_removed_and_nothing_else() {
    let place = tempfile::tempdir().unwrap();
    let within = place.path();
    let user = fs::metadata(within).unwrap().uid();
    let held = Scratch::create_in(within).unwrap();
    fs::write(held.path().join("spilled"), "rows").unwrap();
    let make = |name: &str, lock: bool| {
        fs::create_dir_all(within.join(name).join("spilled/datafusion-x")).unwrap();
        fs::write(within.join(name).join("spilled/datafusion-x/1"), "rows").unwrap();
        if lock {
            fs::write(within.join(name).join("lock"), "process 1").unwrap();
        }
    };
    for (name, lock) in [
        ("fusewire-1-0123456789abcdef", true),
        ("fusewire-4194304-ffffffffffffffff", true),
        // What is not known to be one of these stays.
        ("fusewire-2-0123456789abcdef", false),
        ("fusewire-3-0123456789abcdef.new", true),
        ("fusewire-bench-0123456789abcdef", true),
        ("fusewire-4-0123456789abcde", true),
        ("datafusion-1-0123456789abcdef", true),
    ] {
        make(name, lock);
    }
    // A lock that leads elsewhere is not followed, and neither is a directory.
    let outside = within.join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("lock"), "mine").unwrap();
    make("fusewire-5-0123456789abcdef", false);
    symlink(outside.join("lock"), within.join("fusewire-5-0123456789abcdef/lock")).unwrap();
    symlink(&outside, within.join("fusewire-6-0123456789abcdef")).unwrap();
    // Nobody writes into this one, and nobody waits until somebody does.
    make("fusewire-7-0123456789abcdef", false);
    let pipe = within.join("fusewire-7-0123456789abcdef/lock");
    assert!(Command::new("mkfifo").arg(pipe).status().unwrap().success());
    remove_leftovers(within, user + 1);
    assert!(within.join("fusewire-1-0123456789abcdef").exists(), "it is another user's");
    remove_leftovers(within, user);
    let mut left: Vec<String> = fs::read_dir(within)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .filter(|name| !held.path().ends_with(name))
        .collect();
    left.sort();
    let expected = [
        "datafusion-1-0123456789abcdef",
        "fusewire-2-0123456789abcdef",
        "fusewire-3-0123456789abcdef.new",
        "fusewire-4-0123456789abcde",
        "fusewire-5-0123456789abcdef",
        "fusewire-6-0123456789abcdef",
        "fusewire-7-0123456789abcdef",
        "fusewire-bench-0123456789abcdef",
        "outside",
    ];
    assert_eq!(left, expected);
    assert_eq!(fs::read(outside.join("lock")).unwrap(), b"mine");
    assert_eq!(fs::read(held.path().join("spilled")).unwrap(), b"rows", "whoever is there keeps what is its own");
    let path = held.path().to_owned();
    drop(held);
    assert!(!path.exists());
}
