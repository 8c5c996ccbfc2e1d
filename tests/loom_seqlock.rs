//! Models of `sync::Seqlock`, the cell of the line cache: `scripts/loom`.
//!
//! loom models no signals: a handler is a second thread here, which shows the orderings between threads; that a handler on the
//! writer's own thread gives up is a unit test of the cell.
#![cfg(loom)]

use loom::sync::Arc;
use loom::thread;
use sigwalk::sync::Seqlock;
use sigwalk::sync::planted::{Bug, plant};

/// Words of one write are the same number.
fn is_whole(seen: Option<[u64; 2]>) -> bool {
    seen.is_none_or(|[first, second]| first == second)
}

/// Three threads; two preemptions are enough for each of the bugs below, and all interleavings would take minutes.
fn bounded(model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(2);
    builder.check(model);
}

fn two_writers_and_a_reader() {
    bounded(|| {
        let cell = Arc::new(Seqlock::<2>::new());
        let writer = {
            let cell = Arc::clone(&cell);
            thread::spawn(move || cell.try_write([1, 1]))
        };
        let reader = {
            let cell = Arc::clone(&cell);
            thread::spawn(move || cell.read())
        };
        let ours = cell.try_write([2, 2]);
        let theirs = writer.join().unwrap();
        let seen = reader.join().unwrap();
        assert!(is_whole(seen), "torn: {seen:?}");
        assert!(ours || theirs, "one of two writers succeeds");
        let left = cell.read();
        assert!(left == Some([1, 1]) || left == Some([2, 2]), "{left:?}");
        assert_eq!(cell.writes(), u64::from(ours) + u64::from(theirs), "a write is lost");
    });
}

#[test]
fn a_writer_that_reads_afterwards_and_another_writer() {
    loom::model(|| {
        let cell = Arc::new(Seqlock::<2>::new());
        let writer = {
            let cell = Arc::clone(&cell);
            thread::spawn(move || cell.try_write([1, 1]))
        };
        let ours = cell.try_write([2, 2]);
        let seen = cell.read();
        assert!(is_whole(seen), "torn: {seen:?}");
        assert!(seen != Some([0, 0]) || !ours, "the write is lost");
        assert!(writer.join().unwrap() || ours);
    });
}

#[test]
fn two_writes_in_a_row_and_a_reader() {
    loom::model(|| {
        let cell = Arc::new(Seqlock::<2>::new());
        let reader = {
            let cell = Arc::clone(&cell);
            thread::spawn(move || cell.read())
        };
        assert!(cell.try_write([1, 1]) && cell.try_write([2, 2]));
        let seen = reader.join().unwrap();
        assert!(is_whole(seen), "torn: {seen:?}");
    });
}

#[test]
fn two_writers_and_a_reader_that_sees_whole_writes() {
    two_writers_and_a_reader();
}

#[test]
#[should_panic(expected = "torn")]
fn a_reader_without_its_fence_is_found() {
    plant(Bug::NoAcquireFence, two_writers_and_a_reader);
}

#[test]
#[should_panic(expected = "torn")]
fn a_writer_without_its_fence_is_found() {
    plant(Bug::NoReleaseFence, two_writers_and_a_reader);
}

#[test]
#[should_panic(expected = "torn")]
fn a_relaxed_end_of_a_write_is_found() {
    plant(Bug::RelaxedStores, two_writers_and_a_reader);
}

#[test]
#[should_panic(expected = "a write is lost")]
fn writers_that_do_not_exclude_each_other_are_found() {
    plant(Bug::TornExchange, two_writers_and_a_reader);
}
