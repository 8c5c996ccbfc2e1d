//! Models of `sync::Seqlock`, the cell of the line cache: `scripts/loom`.
//!
//! loom models no signals: a handler is a second thread here, which shows the orderings between threads; that a handler on the
//! writer's own thread gives up is a unit test of the cell.
#![cfg(loom)]

use loom::sync::Arc;
use loom::thread;
use sigwalk::sync::Seqlock;

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

#[test]
fn two_writers_and_a_reader_that_sees_whole_writes() {
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
        assert_eq!(cell.writes(), u64::from(ours) + u64::from(theirs));
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

/// The cell with one ordering weakened: the bugs that the models above must be able to find.
mod planted {
    use loom::sync::Arc;
    use loom::sync::atomic::{AtomicU64, Ordering, fence};
    use loom::thread;

    #[derive(Clone, Copy, PartialEq)]
    pub enum Bug {
        None,
        NoFenceOfTheReader,
        NoFenceOfTheWriter,
        RelaxedEnd,
        NoLock,
    }

    struct Cell {
        sequence: AtomicU64,
        words: [AtomicU64; 2],
        bug: Bug,
    }

    impl Cell {
        fn read(&self) -> Option<[u64; 2]> {
            let before = self.sequence.load(Ordering::Acquire);
            let words = core::array::from_fn(|index| self.words[index].load(Ordering::Relaxed));
            if self.bug != Bug::NoFenceOfTheReader {
                fence(Ordering::Acquire);
            }
            let after = self.sequence.load(Ordering::Relaxed);
            (before == after && before & 1 == 0).then_some(words)
        }

        fn try_write(&self, words: [u64; 2]) {
            let sequence = self.sequence.load(Ordering::Relaxed);
            if sequence & 1 == 1 {
                return;
            }
            if self.bug == Bug::NoLock {
                self.sequence.store(sequence + 1, Ordering::Relaxed);
            } else if self
                .sequence
                .compare_exchange(sequence, sequence + 1, Ordering::Acquire, Ordering::Relaxed)
                .is_err()
            {
                return;
            }
            if self.bug != Bug::NoFenceOfTheWriter {
                fence(Ordering::Release);
            }
            for (place, word) in self.words.iter().zip(words) {
                place.store(word, Ordering::Relaxed);
            }
            let end = if self.bug == Bug::RelaxedEnd { Ordering::Relaxed } else { Ordering::Release };
            self.sequence.store(sequence + 2, end);
        }
    }

    pub fn model(bug: Bug) {
        super::bounded(move || {
            let words = [AtomicU64::new(0), AtomicU64::new(0)];
            let cell = Arc::new(Cell { sequence: AtomicU64::new(0), words, bug });
            let writer = {
                let cell = Arc::clone(&cell);
                thread::spawn(move || cell.try_write([1, 1]))
            };
            let reader = {
                let cell = Arc::clone(&cell);
                thread::spawn(move || cell.read())
            };
            cell.try_write([2, 2]);
            let seen = reader.join().unwrap();
            assert!(super::is_whole(seen), "torn: {seen:?}");
            writer.join().unwrap();
            let left = cell.read();
            assert!(super::is_whole(left), "torn: {left:?}");
        });
    }
}

use planted::Bug;

#[test]
fn the_twin_is_sound_without_a_bug() {
    planted::model(Bug::None);
}

#[test]
#[should_panic(expected = "torn")]
fn a_reader_without_its_fence_is_found() {
    planted::model(Bug::NoFenceOfTheReader);
}

#[test]
#[should_panic(expected = "torn")]
fn a_writer_without_its_fence_is_found() {
    planted::model(Bug::NoFenceOfTheWriter);
}

#[test]
#[should_panic(expected = "torn")]
fn a_relaxed_end_of_a_write_is_found() {
    planted::model(Bug::RelaxedEnd);
}

#[test]
#[should_panic(expected = "torn")]
fn writers_that_do_not_exclude_each_other_are_found() {
    planted::model(Bug::NoLock);
}
