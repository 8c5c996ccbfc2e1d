//! Claims that trials decide.

use super::evidence::{ENOUGH, bad, existence, ids, never, three, worst_event, worst_mutated};
use super::{Evidence, Finding, Sure, Verdict};
use crate::model::cell::{CellStats, Count, Event, worst};
use crate::model::ratio::measured;
use crate::text::number::{count, estimate, grouped};

/// Walkers without any protection of their loads.
fn raw(walker: &str) -> bool {
    matches!(walker, "pr-b1" | "pr-b1-hops" | "cpython-c")
}

fn crash(cell: &CellStats) -> Count {
    cell.count(Event::CrashFrame)
}

/// C1: one crash in a frame is enough; none is evidence only when the bound is low.
pub fn dangling(evidence: Evidence) -> Finding {
    let cells = evidence.cells(&["other"], raw);
    let would = worst_mutated(evidence, "pr-b1", |_| true, |row| row.would_crash);
    let mutated = would.as_ref().map(|(interpreter, found)| {
        format!("on mutated memory pr-b1 would crash in {} walks ({interpreter})", count(*found))
    });
    let trials = worst(&cells, |cell| Some(crash(cell)));
    let live = trials.as_ref().is_some_and(|(_, found)| found.k > 0);
    let decides = match (&trials, &would) {
        (Some((_, found)), _) if live => *found,
        (_, Some((_, found))) | (Some((_, found)), None) => *found,
        (None, None) => {
            return Finding::not_measured(
                "no walk of another thread and no mutation by a walker with raw loads",
            );
        }
    };
    let verdict = existence(decides);
    let says = match verdict {
        Verdict::Supported if live => "walks of other threads died in a frame",
        Verdict::Supported => "no walk of another thread died here, but walks of damaged frames would have",
        Verdict::Refuted => "no raw walk died, in enough tries",
        _ => "no raw walk died, in too few tries",
    };
    let tried = trials.map(|(cell, found)| format!("crash in a frame {} ({})", count(found), cell.cell.id));
    let mut figures = if live { [tried, mutated] } else { [mutated, tried] }.into_iter().flatten();
    let figure = figures.next().unwrap_or_default();
    let finding = Finding::new(verdict, says, figure)
        .detailed(figures)
        .resting_on(Sure::trials(&cells))
        .resting_on(Sure::walks(evidence, "pr-b1", |_| true))
        .of(ids(&cells, crash));
    if would.is_some() { finding.at("mutations") } else { finding }
}

/// C2
pub fn pinned_in_hook(evidence: Evidence) -> Finding {
    universal(&evidence.cells(&["hook"], |_| true), &[], "no trial of workload hook")
}

/// C3: the walker with raw loads and the guarded one, each against "nothing goes wrong".
pub fn own_thread_signal(evidence: Evidence) -> Finding {
    let subjects = |walker: &str| raw(walker) || walker == "guarded";
    let stepped = evidence.cells(&["step"], subjects);
    let sampled = evidence.cells(&["signal"], subjects);
    universal(&sampled, &stepped, "no trial of workload signal by pr-b1 or guarded").detailed([
        "walkers judged: pr-b1, pr-b1-hops, cpython-c and guarded; a stepped window counts as a cell where something went wrong in it"
            .to_owned(),
    ])
}

/// Cells whose answers nobody judged can show neither a wrong stack nor that there is none: they are left out. A stepped window is
/// the same in every trial: one that went well is no sample of anything, one that did not is one more case.
fn universal<'a>(sampled: &[&'a CellStats], stepped: &[&'a CellStats], absent: &str) -> Finding {
    let judged = |cells: &[&'a CellStats]| -> Vec<&'a CellStats> {
        cells.iter().copied().filter(|cell| cell.cell.judged).collect()
    };
    let (sampled, stepped) = (judged(sampled), judged(stepped));
    let mut cells = sampled.clone();
    cells.extend(stepped.iter().copied().filter(|cell| bad(cell).k > 0));
    if cells.is_empty() {
        return Finding::not_measured(absent);
    }
    let wrong = cells.iter().filter(|cell| bad(cell).k > 0).count();
    let verdict = never(&cells, bad);
    let says = match verdict {
        Verdict::Supported => "no cell had a crash, a hang or a wrong stack".to_owned(),
        Verdict::NotMeasured => "no crash, hang or wrong stack, in too few trials".to_owned(),
        _ => format!(
            "{wrong} of {} cells had a crash, a hang or a wrong stack: which, depends on walker and target",
            cells.len()
        ),
    };
    // The newest first: that is what a review is about.
    let mut interpreters: Vec<&str> = sampled.iter().map(|cell| cell.cell.interpreter.as_str()).collect();
    interpreters.sort_by_key(|tag| std::cmp::Reverse(version(tag)));
    interpreters.dedup();
    let lines = interpreters.into_iter().filter_map(|tag| {
        let of_tag: Vec<&CellStats> =
            sampled.iter().copied().filter(|cell| cell.cell.interpreter == tag).collect();
        let (cell, _) = worst(&of_tag, |cell| Some(bad(cell)))?;
        Some(format!("worst on {tag}: {} by {}, {}", cell.cell.target, cell.cell.walker, three(cell)))
    });
    let figure = match worst(&sampled, |cell| Some(bad(cell))) {
        None => String::new(),
        Some((cell, found)) if found.k == 0 => {
            format!("0 in every cell; weakest bound {}", count(found))
                + &format!(" ({})", cell.cell.interpreter)
        }
        Some((cell, _)) => {
            let (event, found) = worst_event(cell);
            format!("worst cell: {event} {} ({})", count(found), cell.cell.id)
        }
    };
    // Walks, and not the boundaries themselves: at some there was no thread state, and strides pass over others.
    let walks: u64 = stepped.iter().map(|cell| cell.walks).sum();
    let windows = (walks > 0).then(|| {
        let wrong = stepped.iter().filter(|cell| bad(cell).k > 0).count();
        format!(
            "stepped: walks at {} instruction boundaries in {} windows × walkers, {wrong} of them with an event",
            grouped(walks),
            stepped.len()
        )
    });
    let lines: Vec<String> = lines.collect();
    let counted = format!("{wrong} of {} cells with an event", cells.len());
    let finding = Finding::new(verdict, says, figure)
        .detailed([counted])
        .detailed(lines)
        .detailed(windows)
        .resting_on(Sure::trials(&sampled))
        .of(ids(&cells, bad));
    if stepped.is_empty() { finding } else { finding.at("stepping") }
}

/// C5: no crash, and at least one error, or the readers never met what they are to survive.
pub fn out_of_process(evidence: Evidence) -> Finding {
    let cells =
        evidence.cells(&["hook", "signal", "other", "step"], |walker| matches!(walker, "remote" | "syscall"));
    let Some((cell, found)) = worst(&cells, |cell| Some(crash(cell))) else {
        return Finding::not_measured("no trial by remote or syscall");
    };
    let errors: u64 =
        cells.iter().map(|cell| cell.count(Event::RecoveredFault).k.max(cell.count(Event::Rejected).k)).sum();
    let wrong = cells.iter().any(|cell| cell.judged(Event::Impossible).is_some_and(|count| count.k > 0));
    let (verdict, says) = match never(&cells, crash) {
        Verdict::Supported if errors == 0 => {
            (Verdict::NotMeasured, "remote and syscall met nothing that they had to survive")
        }
        Verdict::Supported if wrong => (
            Verdict::Supported,
            "remote and syscall never crashed and report errors; wrong stacks without an error remain",
        ),
        Verdict::Supported => {
            (Verdict::Supported, "remote and syscall never crashed, and said so where they could not read")
        }
        Verdict::NotMeasured => {
            (Verdict::NotMeasured, "remote and syscall never crashed, in too few trials of some cells")
        }
        verdict => (verdict, "remote or syscall crashed in a frame"),
    };
    Finding::new(verdict, says, format!("crash in a frame at worst {} ({})", count(found), cell.cell.id))
        .detailed([
            format!("{errors} trials with an error instead"),
            format!(
                "an error is no answer, and no error no proof: impossible at worst {}",
                worst(&cells, |cell| cell.judged(Event::Impossible)).map_or_else(
                    || "not judged".to_owned(),
                    |(cell, found)| format!("{} ({})", count(found), cell.cell.id)
                ),
            ),
        ])
        .resting_on(Sure::trials(&cells))
        .of(ids(&cells, crash))
}

/// C6: identical cells but for the walker; the raw one must have crashed somewhere, or survival proves nothing.
pub fn guarded_against_raw(evidence: Evidence) -> Finding {
    let place = |cell: &CellStats| {
        let cell = &cell.cell;
        (cell.interpreter.clone(), cell.workload.clone(), cell.target.clone(), cell.params.clone())
    };
    let bare = evidence.cells(&["signal", "other", "step"], |walker| walker == "pr-b1");
    let guarded = evidence.cells(&["signal", "other", "step"], |walker| walker == "guarded");
    let pairs: Vec<_> = bare
        .iter()
        .filter(|bare| crash(bare).k > 0)
        .filter_map(|bare| {
            guarded.iter().find(|guarded| place(guarded) == place(bare)).map(|guarded| (*bare, *guarded))
        })
        // A stepped window is the same in every trial (see `own_thread_signal`): its one trial without a crash bounds nothing, and
        // must not undo what a thousand trials elsewhere say.
        .filter(|(_, guarded)| guarded.cell.workload != "step" || crash(guarded).k > 0)
        .collect();
    let dearest = measured(evidence.ratios, "guarded_vs_raw")
        .max_by(|a, b| a.1.estimate.value.total_cmp(&b.1.estimate.value));
    let dear = dearest.is_some_and(|(_, ratio)| !ratio.met);
    let price = dearest.map_or_else(
        || UNPRICED.to_owned(),
        |(interpreter, ratio)| format!("cost ×{} ({interpreter})", estimate(ratio.estimate)),
    );
    let mutated = survived_mutations(evidence);
    let survivors: Vec<&CellStats> = pairs.iter().map(|pair| pair.1).collect();
    // A cell in which guarded died; where there is none, the one in which the raw walk died most.
    let share = |cell: &CellStats| crash(cell).k as f64 / crash(cell).n.max(1) as f64;
    let shown =
        pairs.iter().max_by(|a, b| share(a.1).total_cmp(&share(b.1)).then(share(a.0).total_cmp(&share(b.0))));
    let Some(&(bare, cell)) = shown else {
        return match mutated {
            None => {
                Finding::not_measured("no cell or mutation in which pr-b1 crashed was also walked by guarded")
            }
            Some(mutated) => priced(mutated, &price, dear),
        };
    };
    let mut cells = ids(&survivors, crash);
    cells.push(bare.cell.id.clone());
    let tried = format!(
        "where pr-b1 crashed {}, guarded crashed {} ({}/{}/{})",
        count(crash(bare)),
        count(crash(cell)),
        cell.cell.interpreter,
        cell.cell.workload,
        cell.target_label()
    );
    match (never(&survivors, crash), mutated) {
        // Too few trials, but nothing against it: then the mutated walks may decide.
        (Verdict::NotMeasured, Some(mutated)) => {
            let few = format!("{tried}, too few trials to decide");
            priced(mutated, &price, dear).detailed([few]).resting_on(Sure::trials(&survivors)).of(cells)
        }
        (verdict, _) => {
            let says = survival(verdict).to_owned();
            priced(Finding::new(verdict, says, tried), &price, dear)
                .resting_on(Sure::trials(&survivors))
                .of(cells)
        }
    }
}

fn survival(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Supported => "guarded never crashed where the raw walk did",
        Verdict::Mixed => "guarded crashed in some of the places where the raw walk did",
        Verdict::Refuted => "guarded crashed where the raw walk did",
        Verdict::NotMeasured => "guarded did not crash where the raw walk did, in too few trials",
    }
}

/// Said where no cost ratio is in the records.
const UNPRICED: &str = "cost ratio not measured";

/// The claim has a second half, "at a small cost": where our own target for that is missed, it is not wholly supported.
fn priced(finding: Finding, price: &str, dear: bool) -> Finding {
    let finding = finding.detailed([price.to_owned()]);
    match finding.verdict {
        Verdict::Supported if dear => Finding {
            verdict: Verdict::Mixed,
            says: format!(
                "{}; that it costs no more than our target did not show on every build",
                finding.says
            ),
            ..finding
        },
        Verdict::Supported if price == UNPRICED => Finding {
            verdict: Verdict::Mixed,
            says: format!("{}; what it costs was not timed here", finding.says),
            ..finding
        },
        _ => finding,
    }
}

/// The numbers of a tag, for ordering: 3.13.15d after 3.13.5.
fn version(tag: &str) -> Vec<u64> {
    tag.split('.')
        .map(|part| part.trim_end_matches(|c: char| !c.is_ascii_digit()).parse().unwrap_or(0))
        .collect()
}

/// Mutated walks: a fault of `guarded` counts as recovered, and that it was is shown by the process that went on. Without
/// one recovered fault nothing was survived.
fn survived_mutations(evidence: Evidence) -> Option<Finding> {
    let (place, bare) = worst_mutated(evidence, "pr-b1", |_| true, |row| row.would_crash)?;
    let (_, guarded) = worst_mutated(evidence, "guarded", |_| true, |row| row.would_crash)?;
    let (met, recovered) = worst_mutated(evidence, "guarded", |_| true, |row| row.recovered)?;
    if bare.k == 0 {
        return None;
    }
    let verdict = match guarded.k {
        0 if guarded.bound() <= ENOUGH && recovered.k > 0 => Verdict::Supported,
        0 => Verdict::NotMeasured,
        _ if guarded.interval().high < bare.interval().low => Verdict::Mixed,
        _ => Verdict::Refuted,
    };
    let figure = format!(
        "on mutated memory pr-b1 would crash in {} walks ({place}), guarded in {}",
        count(bare),
        count(guarded)
    );
    Some(
        Finding::new(verdict, survival(verdict), figure)
            .detailed([format!("{} faults survived ({met})", grouped(recovered.k))])
            .resting_on(Sure::walks(evidence, "guarded", |_| true))
            .at("mutations"),
    )
}
