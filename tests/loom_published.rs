//! Models of `sync::Published`: `RUSTFLAGS="--cfg loom" cargo test --release --test 'loom_*'`, or `scripts/loom`.
//!
//! loom models no signals: the handler is a second thread here, which shows the orderings between threads and nothing
//! about re-entry.
#![cfg(loom)]

use loom::sync::Arc;
use loom::thread;
use sigwalk::sync::planted::{Bug, plant};
use sigwalk::sync::{Full, Published};

const FIRST: [u64; 3] = [1, 10, 100];
const SECOND: [u64; 3] = [2, 20, 200];

fn two_entries_and_a_reader() {
    loom::model(|| {
        let list = Arc::new(Published::<2>::new());
        let handler = {
            let list = Arc::clone(&list);
            thread::spawn(move || [list.last(), list.last()])
        };
        list.push(FIRST).unwrap();
        list.push(SECOND).unwrap();
        let [before, after] = handler.join().unwrap();
        for seen in [before, after] {
            assert!(matches!(seen, None | Some(FIRST | SECOND)), "torn: {seen:?}");
        }
        // The first word of an entry is its number.
        let number = |seen: Option<[u64; 3]>| seen.map_or(0, |words| words[0]);
        assert!(number(before) <= number(after), "{before:?} and then {after:?}");
        assert_eq!(list.last(), Some(SECOND));
    });
}

#[test]
fn an_entry_is_there_for_whoever_was_told_of_it() {
    loom::model(|| {
        let list = Arc::new(Published::<1>::new());
        let installed = Arc::new(loom::sync::atomic::AtomicBool::new(false));
        let handler = {
            let (list, installed) = (Arc::clone(&list), Arc::clone(&installed));
            // The kernel runs a handler only after it was installed, and that is after the entry was published.
            thread::spawn(move || installed.load(loom::sync::atomic::Ordering::Acquire).then(|| list.last()))
        };
        list.push(FIRST).unwrap();
        installed.store(true, loom::sync::atomic::Ordering::Release);
        assert!(matches!(handler.join().unwrap(), None | Some(Some(FIRST))));
    });
}

#[test]
fn two_readers_and_a_writer() {
    loom::model(|| {
        let list = Arc::new(Published::<2>::new());
        let readers: Vec<_> = (0..2)
            .map(|_| {
                let list = Arc::clone(&list);
                thread::spawn(move || list.last())
            })
            .collect();
        list.push(FIRST).unwrap();
        for reader in readers {
            let seen = reader.join().unwrap();
            assert!(matches!(seen, None | Some(FIRST)), "torn: {seen:?}");
        }
    });
}

#[test]
fn a_full_list_keeps_its_last_entry() {
    loom::model(|| {
        let list = Arc::new(Published::<1>::new());
        list.push(FIRST).unwrap();
        let handler = {
            let list = Arc::clone(&list);
            thread::spawn(move || list.last())
        };
        assert_eq!(list.push(SECOND), Err(Full));
        assert_eq!(handler.join().unwrap(), Some(FIRST));
    });
}

#[test]
fn a_reader_sees_whole_entries_and_the_count_only_grows() {
    two_entries_and_a_reader();
}

#[test]
#[should_panic(expected = "torn")]
fn a_relaxed_count_is_found() {
    plant(Bug::RelaxedStores, two_entries_and_a_reader);
}

#[test]
#[should_panic(expected = "torn")]
fn a_relaxed_load_of_the_count_is_found() {
    plant(Bug::RelaxedLoads, two_entries_and_a_reader);
}
