//! What single checks are worth, merged over runs.

use super::cell::Count;
use sigwalk_record::{Check, Harm};
use std::collections::BTreeMap;

/// (interpreter, family, check, field, model)
pub type Key = (String, String, String, String, String);

/// The key of a row.
pub fn key(row: &Check) -> Key {
    let text = |text: &String| text.clone();
    (text(&row.interpreter), text(&row.family), text(&row.check), text(&row.field), text(&row.model))
}

/// A kind of harm: a name and how to find it.
pub type Kind = (&'static str, fn(&Harm) -> u64);

/// The kinds of harm, worst first.
pub const HARMS: [Kind; 3] =
    [("crash", |harm| harm.crash), ("hang", |harm| harm.hang), ("silent", |harm| harm.silent)];

/// What a healthy stack can show, by the model of a control row.
pub const CONTROLS: [&str; 4] = ["healthy", "entry frame", "init shim", "just-created frame"];

/// (interpreter, family, check)
pub type Of<'a> = (&'a str, &'a str, &'a str);

/// All rows by key.
#[derive(Debug, Default)]
pub struct Checks(pub BTreeMap<Key, Check>);

impl Checks {
    /// Adds a row to what is known under its key.
    pub fn add(&mut self, row: Check) {
        match self.0.entry(key(&row)) {
            std::collections::btree_map::Entry::Occupied(mut known) => {
                let stacks = known.get().stacks + row.stacks;
                add(known.get_mut(), &row);
                known.get_mut().stacks = stacks;
            }
            std::collections::btree_map::Entry::Vacant(place) => {
                place.insert(row);
            }
        }
    }

    /// Sums over fields and models of what was changed.
    pub fn sums(&self) -> BTreeMap<Of<'_>, Check> {
        self.sums_of(|row| !row.is_control())
    }

    /// Sums over one of the healthy stacks.
    pub fn controls(&self, model: &str) -> BTreeMap<Of<'_>, Check> {
        self.sums_of(|row| row.is_control() && row.model == model)
    }

    /// The models of control rows: those that are known, in their order, and then others.
    pub fn control_models(&self) -> Vec<&str> {
        let mut found: Vec<&str> =
            self.0.values().filter(|row| row.is_control()).map(|row| row.model.as_str()).collect();
        found.sort_by_key(|model| (CONTROLS.iter().position(|known| known == model).unwrap_or(9), *model));
        found.dedup();
        found
    }

    fn sums_of(&self, keep: impl Fn(&Check) -> bool) -> BTreeMap<Of<'_>, Check> {
        let mut sums = BTreeMap::<Of<'_>, Check>::new();
        for row in self.0.values().filter(|row| keep(row)) {
            let sum = sums.entry((&row.interpreter, &row.family, &row.check)).or_default();
            add(sum, row);
            // Fields and models may share their stacks: the largest number of one row is what is certain.
            sum.stacks = sum.stacks.max(row.stacks);
        }
        sums
    }
}

/// Harm without any check and with all of them, of one interpreter and family. The checks of a campaign see the same faults; where
/// they did not, that with the most walks is taken.
pub fn bare_and_whole<'a>(
    sums: &'a BTreeMap<Of<'a>, Check>,
    interpreter: &str,
    family: &str,
) -> Option<&'a Check> {
    sums.iter()
        .filter(|((of, whose, _), row)| (*of, *whose) == (interpreter, family) && row.walks > 0)
        .map(|(_, row)| row)
        // Of equals the last, whichever check it is of: they are equal in what is asked.
        .max_by_key(|row| row.walks)
}

/// Harm of one kind, of all walks.
pub fn of_walks(row: &Check, harm: &Harm, kind: Kind) -> Count {
    Count { k: (kind.1)(harm), n: row.walks }
}

/// Of the walks that do this harm without any check: those in which this check alone prevents it.
pub fn alone(row: &Check, kind: Kind) -> Count {
    Count { k: (kind.1)(&row.alone), n: (kind.1)(&row.bare) }
}

/// Of the walks that do no harm with all checks: those that do this harm when only this check is off.
pub fn only(row: &Check, kind: Kind) -> Count {
    Count { k: (kind.1)(&row.only), n: row.walks - row.whole.all() }
}

/// Walks that do harm with this check and none without it, all others on.
pub fn worse(row: &Check) -> Count {
    Count { k: row.worse, n: row.walks }
}

/// Of the walks that do no harm without any check: those that this check alone refuses although their answer was right.
pub fn alarms(row: &Check) -> Count {
    Count { k: row.alarms, n: row.walks - row.bare.all() }
}

/// Of the walks that do no harm with all checks: those refused only because of this one.
pub fn only_alarms(row: &Check) -> Count {
    Count { k: row.only_alarms, n: row.walks - row.whole.all() }
}

/// Why the row contradicts itself, if it does. Every count above is then one of its n.
pub fn contradiction(row: &Check) -> Option<&'static str> {
    let sum = |harm: &Harm| HARMS.iter().try_fold(0_u64, |sum, (_, k)| sum.checked_add(k(harm)));
    let within = |harm: &Harm, n: u64| sum(harm).is_some_and(|sum| sum <= n);
    if !within(&row.bare, row.walks) || !within(&row.whole, row.walks) {
        return Some("more harm than walks");
    }
    if HARMS.iter().any(|(_, k)| k(&row.alone) > k(&row.bare)) {
        return Some("prevents alone more than there is without any check");
    }
    if !within(&row.only, row.walks - row.whole.all()) {
        return Some("prevents alone of all checks more than does no harm with all of them");
    }
    let alarms = row.alarms > row.walks - row.bare.all() || row.only_alarms > row.walks - row.whole.all();
    (alarms || row.worse > row.walks).then_some("more false alarms, or more made worse, than walks")
}

fn add(known: &mut Check, row: &Check) {
    let Check {
        schema: _,
        interpreter: _,
        family: _,
        check: _,
        field: _,
        model: _,
        walks,
        stacks: _,
        bare,
        whole,
        alone,
        only,
        worse,
        alarms,
        only_alarms,
    } = row;
    known.walks += walks;
    for (known, harm) in [
        (&mut known.bare, bare),
        (&mut known.whole, whole),
        (&mut known.alone, alone),
        (&mut known.only, only),
    ] {
        known.crash += harm.crash;
        known.hang += harm.hang;
        known.silent += harm.silent;
    }
    known.worse += worse;
    known.alarms += alarms;
    known.only_alarms += only_alarms;
}
