//! Names of what a walk may call or write, as indices that fit into a ledger: the same in the process that counts and in its parent.

use super::interposed::Interposed;
use super::kind::Kind;
use super::ledger::LABELS;

/// What a store may hit, apart from reference counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The thread state.
    State,
    /// The evaluation breaker.
    Breaker,
    /// The GIL.
    Gil,
    /// Data of libpython.
    Libpython,
    /// Data of another library.
    Library,
    /// The C library's heap.
    Heap,
    /// Anonymous memory: objects, the data stack.
    Anonymous,
}

const PLACES: [(Place, Kind, &str); 7] = [
    (Place::State, Kind::ThreadState, "write to the thread state"),
    (Place::Breaker, Kind::Breaker, "write to the evaluation breaker"),
    (Place::Gil, Kind::Gil, "write to the GIL"),
    (Place::Libpython, Kind::Store, "write to data of libpython"),
    (Place::Library, Kind::Store, "write to data of another library"),
    (Place::Heap, Kind::Store, "write to the C library's heap"),
    (Place::Anonymous, Kind::Store, "write to the interpreter's memory"),
];

/// Types whose reference counts have a label of their own.
pub const TYPES: [&str; 13] = [
    "code",
    "frame",
    "function",
    "dict",
    "tuple",
    "str",
    "bytes",
    "int",
    "type",
    "NoneType",
    "generator",
    "list",
    "object of another type",
];

/// The names, in the order: functions of the C library, places, types.
#[derive(Debug)]
pub struct Labels {
    functions: Vec<(String, Kind)>,
}

impl Labels {
    /// The labels of this process.
    pub fn new(interposed: Option<Interposed>) -> Labels {
        let functions: Vec<(String, Kind)> = interposed
            .map(Interposed::functions)
            .unwrap_or_default()
            .into_iter()
            .map(|(name, kind)| (name, Kind::named(&kind).expect("interpose.c uses the names of Kind")))
            .collect();
        assert!(functions.len() + PLACES.len() + TYPES.len() <= LABELS);
        Labels { functions }
    }

    /// The functions of the C library that are counted, each with its kind; their labels are their indices.
    pub fn functions(&self) -> &[(String, Kind)] {
        &self.functions
    }

    /// Label and kind of a write to this place.
    ///
    /// # Signal safety
    /// Arithmetic.
    pub fn place(&self, place: Place) -> (usize, Kind) {
        (self.functions.len() + place as usize, PLACES[place as usize].1)
    }

    /// Label of a write to the reference count of an object of this type.
    ///
    /// # Signal safety
    /// Arithmetic.
    pub fn refcount(&self, of: u8) -> (usize, Kind) {
        (self.functions.len() + PLACES.len() + usize::from(of), Kind::Refcount)
    }

    /// The name of a label; `None` for one that is not used.
    pub fn name(&self, label: usize) -> Option<String> {
        let rest = label.checked_sub(self.functions.len());
        match rest {
            None => Some(self.functions[label].0.clone()),
            Some(place) if place < PLACES.len() => Some(PLACES[place].2.to_owned()),
            Some(rest) => TYPES.get(rest - PLACES.len()).map(|name| format!("reference count of a {name}")),
        }
    }
}
