//! Models of the page that a trial's process shares with its parent (stress/src/page.rs, and the witness of attempt.rs):
//! `scripts/loom`.
//!
//! What matters for ordering on that page is `sync::Kept` (the first impossible stack) and `sync::Seqlock` (where a process died; its
//! models are tests/loom_seqlock.rs) beside plain counters. So the model is a page of one counter and one `Kept`: walks are counted by
//! the thread that walked and by a handler on another one, either leaves its words, the parent looks while they run and after.
//!
//! What loom cannot show here: that another process is one more thread (to memory it is); what the kernel orders, as that a parent
//! sees everything of a child that it waited for, which is why the parent looks while they run; a handler on the same thread (a unit
//! test of `Kept` interrupts it before each operation); and a child that is killed half-way: it leaves no words, and its counts.
//! Preemptions are not bounded.
#![cfg(loom)]

use loom::sync::Arc;
use loom::sync::atomic::{AtomicU64, Ordering::Relaxed};
use loom::thread;
use sigwalk::sync::Kept;
use sigwalk::sync::planted::{Bug, plant};

#[derive(Default)]
struct Page {
    walks: [AtomicU64; 2],
    witness: Kept<2>,
}

impl Page {
    /// A walk of walker 1 or 2 that was wrong.
    fn walk(&self, walker: u64) -> bool {
        self.walks[walker as usize - 1].fetch_add(1, Relaxed);
        self.witness.keep([walker, walker])
    }

    /// Whose the words are, where they are there: whole, and after the walk was counted.
    fn seen(&self) -> Option<u64> {
        let [walker, same] = self.witness.get()?;
        assert!(walker == same && walker != 0, "torn: {walker} {same}");
        let walks = self.walks[walker as usize - 1].load(Relaxed);
        assert_eq!(walks, 1, "a witness of a walk that was not counted");
        Some(walker)
    }
}

fn model() {
    loom::model(|| {
        let page = Arc::new(Page::default());
        let walkers: Vec<_> = (1..=2)
            .map(|walker| {
                let page = Arc::clone(&page);
                thread::spawn(move || page.walk(walker))
            })
            .collect();
        let early = page.seen();
        let kept: Vec<bool> = walkers.into_iter().map(|walker| walker.join().unwrap()).collect();
        assert_eq!(kept.iter().filter(|kept| **kept).count(), 1, "the first one is kept, and no other");
        let late = page.seen().expect("somebody was first");
        assert!(kept[late as usize - 1], "the words of who was first");
        assert!(early.is_none_or(|early| early == late), "never replaced");
    });
}

#[test]
fn a_parent_sees_a_whole_witness_of_counted_walks() {
    model();
}

#[test]
#[should_panic(expected = "torn")]
fn a_relaxed_publishing_is_found() {
    plant(Bug::RelaxedStores, model);
}

#[test]
#[should_panic(expected = "torn")]
fn a_parent_that_acquires_nothing_is_found() {
    plant(Bug::RelaxedLoads, model);
}

#[test]
#[should_panic(expected = "the first one is kept")]
fn two_that_are_first_are_found() {
    plant(Bug::TornExchange, model);
}
