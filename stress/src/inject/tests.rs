//! On a real stack of whichever interpreter PYO3_PYTHON names.

use super::{Plan, Rows, TIERS, on_this_stack, pages};
use crate::alone;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use sigwalk::addr::Addr;
use sigwalk::frame::{Frame, FrameBuf};
use sigwalk::reader::{FaultKind, RawReader, Reader};
use sigwalk::walk::{Detail, Request, Walk, strict};
use sigwalk::walkers::{self, Entry, Reads, Walker, unregistered};
use sigwalk_embed::Live;
use sigwalk_record::{Injection, Mode};

/// Frames of the data stack, of a generator, behind C code and of a method; a line table with long entries.
const SOURCE: &str = "
class Node:
    def __init__(self, k):
        self.r = plain(k)
def plain(k):
    return sorted((k,),
        key=callback)
def callback(k):
    return sum(x for x in numbers(k))
def numbers(k):
    yield 1
    yield recursive(k)
def recursive(k):
    if k: return recursive(k - 1)
    bottom()
    return 0
Node(9)
";

#[test]
fn every_load_of_a_live_walk_can_fail() {
    print!("{}", alone::run("inject::tests::sweeps"));
}

#[test]
fn deaths_belong_to_the_walker_and_the_page() {
    print!("{}", alone::run("inject::tests::planted"));
}

fn swept(live: &Live, plan: &Plan, walkers: &[&'static Entry]) -> (Vec<Injection>, Rows) {
    let request = Request::new(&live.interpreter, live.tstate().unwrap(), Detail::Line);
    let (mut rows, mut random) = (Rows::default(), ChaCha8Rng::seed_from_u64(3));
    on_this_stack(live, &request, walkers, &mut random, plan, &mut rows).unwrap();
    let records: Vec<_> = rows.records("tag").collect();
    for row in &records {
        assert_eq!(row.walks, row.noticed + row.unharmed + row.silent + row.hang + row.crash, "{row:?}");
        println!("{}", serde_json::to_string(row).unwrap());
    }
    println!("pages that stay: {}; silent: {:?}; deaths: {:?}", rows.excluded, rows.silent, rows.deaths);
    (records, rows)
}

#[test]
#[ignore = "run by every_load_of_a_live_walk_can_fail, in a process of its own"]
fn sweeps() {
    alone::on_a_stack(SOURCE, |live| {
        let all: Vec<_> = walkers::ALL.iter().collect();
        let (records, _) = swept(live, &Plan { rate_walks: 200, pages: true }, &all);
        let of = |walker: &str| records.iter().filter(|row| row.walker == walker).collect::<Vec<_>>();
        for entry in walkers::ALL {
            // The shim of a specialised __init__ may be refused by the walker with CPython's checks alone; see
            // stress/tests/walk_equality.rs.
            if entry.name == "pr-b1-hops" && of(entry.name).is_empty() {
                continue;
            }
            let raw = entry.reads == Reads::Raw;
            assert_eq!(of(entry.name).len(), 2 + TIERS.len() + usize::from(!raw), "{}", entry.name);
            for row in of(entry.name) {
                assert_eq!((row.silent, row.hang, row.unprotected), (0, 0, 0), "{row:?}");
                assert_eq!(row.interpreter, "tag");
                match row.mode {
                    Mode::Transient | Mode::Persistent => {
                        assert_eq!(row.walks, row.longest, "{row:?}");
                        assert!(row.walks > 4, "{row:?}");
                        assert_eq!(row.crash, if raw { row.walks } else { 0 }, "{row:?}");
                    }
                    Mode::Rate => assert_eq!(row.walks, 200, "{row:?}"),
                    // The thread state, the data stack, code objects and their tables are never on one page.
                    Mode::Page => assert!(row.walks > 2 && row.noticed > 2 && row.crash == 0, "{row:?}"),
                }
            }
        }
    });
}

/// Reads a word of the thread state past its reader, which the walk reads, too.
struct Direct;

impl Walker for Direct {
    fn walk<R: Reader>(reader: &R, request: &Request<'_>, out: &mut FrameBuf<'_>) -> Walk {
        let walk = strict::walk(reader, request, out);
        direct(request.tstate.plus(request.interpreter.layout.thread.datastack_chunk));
        walk
    }
}

#[allow(unsafe_code, reason = "what is planted")]
fn direct(at: Addr) {
    // SAFETY: dies where the page is away, in a child that is forked for it.
    let _ = unsafe { RawReader::new() }.u64(at);
}

/// Takes a load that fails for the end of the chain.
struct Optimist;

impl Walker for Optimist {
    fn walk<R: Reader>(reader: &R, request: &Request<'_>, out: &mut FrameBuf<'_>) -> Walk {
        let walk = strict::walk(reader, request, out);
        if walk.fault().is_some() { Walk { end: sigwalk::walk::End::Complete, ..walk } } else { walk }
    }
}

/// Tries again, as long as the thread state cannot be read.
struct Patient;

impl Walker for Patient {
    fn walk<R: Reader>(reader: &R, request: &Request<'_>, out: &mut FrameBuf<'_>) -> Walk {
        let word = request.tstate.plus(request.interpreter.layout.thread.datastack_chunk);
        while reader.u64(word).is_err_and(|fault| fault.kind != FaultKind::Budget) {}
        strict::walk(reader, request, out)
    }
}

static PATIENT: Entry = unregistered::<Patient>("planted-patient", "what cannot be read is read again");
static DIRECT: Entry = unregistered::<Direct>("planted-direct", "one load goes past the reader");
static OPTIMIST: Entry =
    unregistered::<Optimist>("planted-optimist", "a load that fails is the end of the chain");

#[test]
#[ignore = "run by deaths_belong_to_the_walker_and_the_page, in a process of its own"]
fn planted() {
    alone::on_a_stack(SOURCE, |live| {
        let plan = Plan { rate_walks: 20, pages: true };
        let guarded = walkers::named("guarded").unwrap();
        let (records, rows) = swept(live, &plan, &[guarded, &DIRECT, &OPTIMIST, &PATIENT]);
        let page = |walker: &str| {
            records.iter().find(|row| row.walker == walker && row.mode == Mode::Page).unwrap().clone()
        };
        // The page of the thread state, and no other: the walks behind a death are made, too.
        let (sound, direct) = (page("guarded"), page("planted-direct"));
        assert_eq!((direct.walks, direct.crash, direct.unprotected), (sound.walks, 1, 1));
        let deaths = ["planted-direct died of signal 11", "planted-patient died of signal 27"];
        assert_eq!(rows.deaths.len(), deaths.len(), "{:?}", rows.deaths);
        for (found, expected) in rows.deaths.iter().zip(deaths) {
            assert!(found.starts_with(&format!("{expected}: the page of a thread state at")), "{found}");
        }
        assert_eq!((sound.crash, sound.silent), (0, 0));
        let patient = page("planted-patient");
        assert_eq!((patient.walks, patient.hang, patient.crash), (sound.walks, 1, 0));
        // When nothing can be read any more from the first load on, it asks until its budget is spent.
        let persistent = |row: &&Injection| row.walker == "planted-patient" && row.mode == Mode::Persistent;
        assert_eq!(records.iter().find(persistent).map(|row| row.hang), Some(1));
        let optimist = page("planted-optimist");
        assert_eq!((optimist.noticed, optimist.silent), (0, sound.noticed));

        // Raw loads: every page that a strict walk would have noticed is a death.
        let raw = walkers::named("pr-b1").unwrap();
        let request = Request::new(&live.interpreter, live.tstate().unwrap(), Detail::Line);
        let mut frames = [Frame::default(); 64];
        let mut out = FrameBuf::new(&mut frames);
        (raw.live)(&live.readers, &request, &mut out);
        let mut rows = Rows::default();
        pages::on_this_stack(live, &request, &[(raw, out.frames().to_vec())], &mut rows).unwrap();
        let row = rows.records("tag").next().unwrap();
        println!("{row:?}");
        assert!(row.walks > 2 && row.crash == row.walks && row.unprotected == 0, "{row:?}");
    });
}
