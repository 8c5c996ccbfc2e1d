//! Every load of every walker fails in turn, over threads of real interpreters: no walk panics, and none calls an answer
//! complete that is not the undisturbed one.
//!
//! The walks are made in child processes that map nothing where the images were captured, so that a load which does not go
//! through the reader is a real SIGSEGV, and is counted as the death of its child.

#[path = "injection/images.rs"]
mod images;
#[path = "injection/planted.rs"]
mod planted;
#[path = "injection/sweep.rs"]
mod sweep;

use images::Captured;
use sigwalk::walkers::{self, Entry, Reads};
use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::Command;
use sweep::{Asked, Counts, Mode, Sweep};

const IMAGE: &str = "SIGWALK_INJECTION_IMAGE";
const WALKER: &str = "SIGWALK_INJECTION_WALKER";

/// Exit status of a child some of whose own memory is where the image was.
const IN_THE_WAY: i32 = 77;
/// Such children in a row. Addresses are random: that it happens once is rare, and that it happens ever again is no chance.
const TRIES: u32 = 16;

fn entry(name: &str) -> &'static Entry {
    walkers::named(name)
        .or_else(|| planted::ALL.iter().find(|entry| entry.name == name))
        .unwrap_or_else(|| panic!("no walker {name}"))
}

/// How a child ended.
#[derive(Debug, PartialEq, Eq)]
enum Ended {
    /// By sweep and mode.
    Counted(Vec<(String, Counts)>),
    Died {
        signal: i32,
    },
}

/// The sweeps of one walker over one image, in a process of their own.
fn in_a_child(image: &Path, walker: &str) -> Ended {
    for _ in 0..TRIES {
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child", "--ignored", "--nocapture", "--test-threads=1"])
            .env(IMAGE, image)
            .env(WALKER, walker)
            .output()
            .unwrap();
        if let Some(signal) = output.status.signal() {
            return Ended::Died { signal };
        }
        if output.status.code() == Some(IN_THE_WAY) {
            continue;
        }
        let text = String::from_utf8(output.stdout).unwrap();
        let about = format!("{walker} over {}\n{text}", image.display());
        assert!(output.status.success(), "{about}{}", String::from_utf8_lossy(&output.stderr));
        let rows = text.lines().filter_map(|line| line.strip_prefix("row ")?.split_once(' '));
        let rows: Vec<_> =
            rows.map(|(sweep, counts)| (sweep.to_string(), counts.parse().expect("counts"))).collect();
        assert_eq!(rows.len(), 2 * Asked::ALL.len(), "{about}");
        if rows.iter().any(|(_, counts): &(String, Counts)| counts.silent > 0) {
            println!("{about}");
        }
        return Ended::Counted(rows);
    }
    panic!("memory of {TRIES} processes was where {} was captured", image.display());
}

/// Not a test: what the others run.
#[test]
#[ignore = "the child of the other tests"]
fn child() {
    let (Some(image), Ok(walker)) = (std::env::var_os(IMAGE), std::env::var(WALKER)) else { return };
    let captured = Captured::read(Path::new(&image));
    if captured.mapped_here().is_some() {
        std::process::exit(IN_THE_WAY);
    }
    // Of panics the number counts.
    std::panic::set_hook(Box::new(|_| {}));
    let regions = captured.regions();
    // The harness prints the test's name without an end of the line.
    println!();
    for asked in Asked::ALL {
        let sweep = Sweep { entry: entry(&walker), captured: &captured, regions: &regions, asked };
        for mode in [Mode::Transient, Mode::Persistent] {
            println!("row {asked:?}-{mode:?} {}", sweep.run(mode));
        }
    }
    assert_eq!(captured.mapped_here(), None, "nothing was mapped meanwhile");
}

fn minor(image: &Path) -> String {
    let name = image.file_stem().unwrap().to_string_lossy();
    name.split_once('-').expect("version-name").0.to_string()
}

#[test]
fn every_load_of_every_walker_fails_in_turn() {
    let mut rows = BTreeMap::<_, Counts>::new();
    let mut deaths = 0;
    for image in images::all() {
        for entry in walkers::ALL {
            let swept = match in_a_child(&image, entry.name) {
                Ended::Counted(swept) => swept,
                Ended::Died { signal } => {
                    println!("{} over {}: died of signal {signal}", entry.name, image.display());
                    deaths += 1;
                    continue;
                }
            };
            if entry.reads != Reads::Raw && !entry.copies {
                let longest = |sweep| swept.iter().find(|(name, _)| name == sweep).unwrap().1.longest;
                let about = format!("{} over {}: the cache answers", entry.name, image.display());
                assert!(longest("Warm-Persistent") < longest("Cold-Persistent"), "{about}");
            }
            for (sweep, counts) in swept {
                let (asked, mode) = sweep.split_once('-').unwrap();
                // When nothing can be read any more, every walk says so; but for one that has its answer: it is only about to keep
                // its last line, or has copied all but what it announced and did not need.
                if mode == "Persistent" && asked != "Cold" && !entry.copies {
                    assert_eq!(counts.unharmed, 0, "{} over {}, {sweep}", entry.name, image.display());
                }
                let mode = mode.to_string();
                rows.entry((entry.name, minor(&image), mode)).or_default().add(counts);
            }
        }
    }
    println!(
        "{:12} {:8} {:10} longest n, walks, fault, rejected, unharmed, silent, panic, failed loads",
        "", "", ""
    );
    for ((walker, minor, mode), counts) in &rows {
        println!("{walker:12} {minor:8} {mode:10} {counts}");
    }
    println!("deaths: {deaths}");
    assert_eq!(deaths, 0, "loads that went past the reader");
    let versions: std::collections::BTreeSet<_> = rows.keys().map(|(_, minor, _)| minor).collect();
    assert!(versions.len() >= 5, "{versions:?}");
    for ((walker, minor, mode), counts) in &rows {
        let about = format!("{walker} on {minor}, {mode}: {counts:?}");
        assert_eq!((counts.panic, counts.silent), (0, 0), "{about}");
        // Each n of each sweep was tried: of the longest, at least.
        assert!(counts.walks >= counts.longest && counts.longest > 5, "{about}");
        if entry(walker).reads == Reads::Raw {
            // Each failure would have been the process's death.
            assert_eq!(counts.fault, counts.walks, "{about}");
        }
    }
}

#[test]
fn a_load_past_the_reader_is_a_death() {
    for image in images::all() {
        assert_eq!(in_a_child(&image, "planted-direct"), Ended::Died { signal: libc::SIGSEGV });
    }
}

#[test]
fn planted_lies_and_panics_are_counted() {
    let image = &images::all()[0];
    for (walker, panics) in [("planted-optimist", false), ("planted-careless", true)] {
        let Ended::Counted(rows) = in_a_child(image, walker) else { panic!("{walker} died") };
        for (sweep, counts) in rows {
            let seen = if panics { counts.panic } else { counts.silent };
            assert!(seen > 0, "{walker}, {sweep}: {counts:?}");
        }
    }
}
