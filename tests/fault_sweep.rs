//! The n-th load fails, for every n that a walk makes: no walk panics, each ends as a fault, and the frames before it
//! stay.
#![cfg(not(loom))]

mod image;

use image::readers::{Mode, NthFails};
use image::{Entry, Function, Generator, Incomplete, MINORS, OlderChunk, Process, Slot};
use sigwalk::frame::{Frame, FrameBuf};
use sigwalk::layout::{Head, Outermost};
use sigwalk::reader::{Before, ImageReader, Reader};
use sigwalk::walk::{Detail, End, Request, Site, Truncated, Walk};
use sigwalk::walkers::{self, Walker};
use std::collections::BTreeSet;

const STACK: &[Slot] =
    &[Function, Entry, Generator, Incomplete, OlderChunk, Function, OlderChunk, Function, Entry];

/// What the sweep over a walker saw: the sites that failed, and how many frames were left for each n.
struct Sweep {
    sites: BTreeSet<Site>,
    kept: Vec<usize>,
}

fn sweep<W: Walker>(process: &Process, mode: Mode) -> Sweep {
    let regions = process.regions();
    let mut seen = Sweep { sites: BTreeSet::new(), kept: Vec::new() };
    for nth in 1.. {
        let failing = NthFails::new(nth, mode);
        let hook = |load| failing.before(load);
        let reader = Before::new(ImageReader::new(&regions), &hook);
        let mut frames = [Frame::default(); 16];
        let mut out = FrameBuf::new(&mut frames);
        let walk = walk::<W, _>(&reader, &process.request(Detail::Line), &mut out);
        let about = format!("3.{}, load {nth}, {mode:?}", process.minor());
        if !failing.hit() {
            assert_eq!((walk.end, out.frames()), (End::Complete, &process.expected[..]), "{about}");
            return seen;
        }
        if mode == Mode::Place && failing.was_poison() && walk.end == End::Complete {
            // Poison is damage in a line table, and of what is damaged only what is needed is read again.
            assert_eq!(out.frames(), &process.expected[..], "{about}");
            // Of the frame whose first load failed before.
            seen.kept.extend(seen.kept.last().copied());
            continue;
        }
        let End::Truncated(Truncated::Fault(site, _)) = walk.end else { panic!("{about}: {walk:?}") };
        let kept = out.frames().len();
        assert_eq!(out.frames(), &process.expected[..kept], "{about}, at {}", site.name());
        seen.sites.insert(site);
        seen.kept.push(kept);
    }
    unreachable!()
}

fn walk<W: Walker, R: Reader>(reader: &R, request: &Request<'_>, out: &mut FrameBuf<'_>) -> Walk {
    W::walk(reader, request, out)
}

/// The sites that every walker loads from, in this version.
fn common(process: &Process) -> BTreeSet<Site> {
    let mut sites = BTreeSet::from([
        Site::TstateHead,
        Site::FramePrevious,
        Site::FrameExecutable,
        Site::FrameOwner,
        Site::FrameInstruction,
        Site::CodeType,
        Site::CodeUnits,
        Site::CodeFirsttraceable,
        Site::CodeFirstlineno,
        Site::CodeLinetable,
        Site::LinetableSize,
        Site::Linetable,
    ]);
    if matches!(process.layout().thread.head, Head::Cframe { .. }) {
        sites.insert(Site::Cframe);
    }
    sites
}

#[test]
fn strict_reports_every_load_that_fails_and_keeps_the_frames_before() {
    for minor in MINORS {
        let process = Process::new(minor, STACK);
        let mut sites = common(&process);
        sites.extend([Site::TstateDatastack, Site::Chunk, Site::CodeRefcount, Site::LinetableType]);
        match process.layout().frame.outermost {
            Outermost::BaseFrame(_) => _ = sites.insert(Site::TstateBaseFrame),
            Outermost::IsEntry(_) => _ = sites.insert(Site::FrameIsEntry),
            Outermost::EntryFrame => {}
        }
        let place = sweep::<walkers::Strict>(&process, Mode::Place);
        assert_eq!(place.sites, sites, "3.{minor}");
        // A load of the chain fails: the frames within stay. Then the second pass comes by, frame by frame, and then lines.
        let mut passes: Vec<_> = place.kept.clone();
        passes.dedup();
        assert_eq!(passes, [0, 1, 2, 3, 4, 0, 1, 2, 3, 0, 1, 2, 3], "3.{minor}");
        // When nothing can be read any more, nothing can be judged, and no line be found: frames of an earlier pass are no
        // evidence.
        let everything = sweep::<walkers::Strict>(&process, Mode::Everything);
        let (before, lines) = everything.kept.split_at(everything.kept.len() - loads_for_lines(&place.kept));
        assert!(before.iter().all(|kept| *kept == 0), "3.{minor}");
        assert!(lines.is_sorted(), "3.{minor}");
    }
}

/// Loads after the count of kept frames fell back to 0 for the last time: those of the lines.
fn loads_for_lines(kept: &[usize]) -> usize {
    let fall = kept.windows(2).rposition(|pair| pair[1] < pair[0]).expect("there are three passes");
    kept.len() - fall - 1
}

fn pr_walks_frame_by_frame<W: Walker>() {
    for minor in MINORS {
        let process = Process::new(minor, STACK);
        let mut sites = common(&process);
        sites.extend([Site::FrameGlobals, Site::FrameBuiltins]);
        if process.layout().code.monitoring.is_some() {
            sites.insert(Site::CodeMonitoring);
        }
        for mode in [Mode::Place, Mode::Everything] {
            let seen = sweep::<W>(&process, mode);
            assert_eq!(seen.sites, sites, "3.{minor}");
            assert!(seen.kept.is_sorted(), "3.{minor}: frames before a fault stay");
            assert_eq!(seen.kept.last(), Some(&process.expected.len()), "3.{minor}");
        }
    }
}

#[test]
fn pr_b1_would_crash_at_every_load_and_keeps_the_frames_before() {
    pr_walks_frame_by_frame::<walkers::PrB1>();
}

#[test]
fn pr_b1_hops_would_crash_at_every_load_and_keeps_the_frames_before() {
    pr_walks_frame_by_frame::<walkers::PrB1Hops>();
}
