//! Claims that trials decide.

use super::evidence::{ENOUGH, bad, ids, never, three, worst_mutated};
use super::{Evidence, Finding, Verdict};
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
    let decides = match (&trials, &would) {
        (Some((_, found)), _) if found.k > 0 => *found,
        (_, Some((_, found))) | (Some((_, found)), None) => *found,
        (None, None) => {
            return Finding::not_measured(
                "no walk of another thread and no mutation by a walker with raw loads",
            );
        }
    };
    let tried = trials.map(|(cell, found)| format!("crash in a frame {} ({})", count(found), cell.cell.id));
    Finding {
        verdict: existence(decides),
        figure: tried.into_iter().chain(mutated).collect::<Vec<_>>().join("; "),
        cells: ids(&cells, crash),
        section: if would.is_some() { "mutations" } else { "" },
    }
}

fn existence(found: Count) -> Verdict {
    if found.k > 0 {
        Verdict::Supported
    } else if found.bound() <= ENOUGH {
        Verdict::Refuted
    } else {
        Verdict::NotMeasured
    }
}

/// C2
pub fn pinned_in_hook(evidence: Evidence) -> Finding {
    universal(&evidence.cells(&["hook"], |_| true), "no trial of workload hook")
}

/// C3: the walker with raw loads and the guarded one, each against "nothing goes wrong".
pub fn own_thread_signal(evidence: Evidence) -> Finding {
    let subjects = |walker: &str| raw(walker) || walker == "guarded";
    let mut cells = evidence.cells(&["signal"], subjects);
    // A stepped window is the same in every trial: one that went well is no sample of anything, one that did not is one more
    // case.
    let stepped = evidence.cells(&["step"], subjects);
    cells.extend(stepped.iter().copied().filter(|cell| bad(cell).k > 0));
    let mut finding = universal(&cells, "no trial of workload signal by pr-b1 or guarded");
    // Walks, and not the boundaries themselves: at some there was no thread state, and strides pass over others.
    let walks: u64 = stepped.iter().map(|cell| cell.walks).sum();
    if walks > 0 {
        let wrong = stepped.iter().filter(|cell| bad(cell).k > 0).count();
        finding.figure.push_str(&format!(
            "; stepped: walks at {} instruction boundaries in {} windows × walkers, {wrong} of them with an event",
            grouped(walks),
            stepped.len()
        ));
    }
    finding
}

/// Cells whose answers nobody judged can show neither a wrong stack nor that there is none: they are left out.
fn universal(cells: &[&CellStats], absent: &str) -> Finding {
    let cells: Vec<&CellStats> = cells.iter().copied().filter(|cell| cell.cell.judged).collect();
    let cells = cells.as_slice();
    if cells.is_empty() {
        return Finding::not_measured(absent);
    }
    let wrong = cells.iter().filter(|cell| bad(cell).k > 0).count();
    // The newest first: that is what a review is about.
    let mut interpreters: Vec<&str> = cells.iter().map(|cell| cell.cell.interpreter.as_str()).collect();
    interpreters.sort_by_key(|tag| std::cmp::Reverse(version(tag)));
    interpreters.dedup();
    let lines: Vec<String> = interpreters
        .into_iter()
        .filter_map(|tag| {
            let of_tag: Vec<&CellStats> =
                cells.iter().copied().filter(|cell| cell.cell.interpreter == tag).collect();
            let (cell, _) = worst(&of_tag, |cell| Some(bad(cell)))?;
            Some(format!("worst on {tag}: {} by {}, {}", cell.cell.target, cell.cell.walker, three(cell)))
        })
        .collect();
    Finding {
        verdict: never(cells, bad),
        figure: format!("{wrong} of {} cells with an event; {}", cells.len(), lines.join("; ")),
        cells: ids(cells, bad),
        section: "",
    }
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
    let verdict = match never(&cells, crash) {
        Verdict::Supported if errors == 0 => Verdict::NotMeasured,
        verdict => verdict,
    };
    Finding {
        verdict,
        figure: format!(
            "crash in a frame at worst {} ({}); {errors} trials with an error instead; impossible at worst {}",
            count(found),
            cell.cell.id,
            worst(&cells, |cell| cell.judged(Event::Impossible))
                .map_or_else(|| "not judged".to_owned(), |(_, found)| count(found)),
        ),
        cells: ids(&cells, crash),
        section: "",
    }
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
        || "cost ratio not measured".to_owned(),
        |(interpreter, ratio)| format!("cost ×{} ({interpreter})", estimate(ratio.estimate)),
    );
    let mutated = survived_mutations(evidence);
    let survivors: Vec<&CellStats> = pairs.iter().map(|pair| pair.1).collect();
    // A cell in which guarded died; where there is none, the one in which the raw walk died most.
    let share = |cell: &CellStats| crash(cell).k as f64 / crash(cell).n.max(1) as f64;
    let shown =
        pairs.iter().max_by(|a, b| share(a.1).total_cmp(&share(b.1)).then(share(a.0).total_cmp(&share(b.0))));
    if let Some(&(bare, cell)) = shown {
        let found = crash(cell);
        let mut cells = ids(&survivors, crash);
        cells.push(bare.cell.id.clone());
        let tried = format!(
            "where pr-b1 crashed {}, guarded crashed {} ({}/{}/{})",
            count(crash(bare)),
            count(found),
            cell.cell.interpreter,
            cell.cell.workload,
            cell.target_label()
        );
        let verdict = at_a_price(never(&survivors, crash), dear);
        return match mutated {
            // Too few trials, but nothing against it: then the mutated walks may decide.
            Some(mutated) if verdict == Verdict::NotMeasured => {
                let figure = format!("{tried}, too few trials to decide; {}; {price}", mutated.figure);
                Finding { figure, cells, verdict: at_a_price(mutated.verdict, dear), ..mutated }
            }
            _ => Finding { verdict, figure: format!("{tried}; {price}"), cells, section: "" },
        };
    }
    match mutated {
        Some(mutated) => Finding {
            figure: format!("{}; {price}", mutated.figure),
            verdict: at_a_price(mutated.verdict, dear),
            ..mutated
        },
        None => {
            Finding::not_measured("no cell or mutation in which pr-b1 crashed was also walked by guarded")
        }
    }
}

/// The claim has a second half, "at a small cost": where our own target for that is missed, it is not wholly supported.
fn at_a_price(verdict: Verdict, dear: bool) -> Verdict {
    if dear && verdict == Verdict::Supported { Verdict::Mixed } else { verdict }
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
        "on mutated memory pr-b1 would crash in {} walks ({place}), guarded in {}, with {} faults survived ({met})",
        count(bare),
        count(guarded),
        grouped(recovered.k)
    );
    Some(Finding { verdict, figure, cells: Vec::new(), section: "mutations" })
}

/// C7: a violation refutes; silence proves nothing, since no record says that the checker was there.
pub fn contract(evidence: Evidence) -> Finding {
    // Not soaks: there a violation is another result of the program, which the signals alone may be the cause of.
    let cells = evidence.cells(&["hook", "signal", "other", "step"], |_| true);
    let violations = |cell: &CellStats| cell.count(Event::ContractViolation);
    match worst(&cells, |cell| Some(violations(cell))) {
        Some((cell, found)) if found.k > 0 => Finding {
            verdict: never(&cells, violations),
            figure: format!("contract violation {} ({})", count(found), cell.cell.id),
            cells: ids(&cells, violations),
            section: "",
        },
        _ => Finding::not_measured(
            "no violation in the records, and none of them says that the contract checker was on",
        ),
    }
}
