//! Reading records of every version there was. A reader gets rows of [`SCHEMA`], whatever wrote them; a row of a version that is
//! not known is refused, never guessed.
//!
//! | version | what changed |
//! |---|---|
//! | 1 | the first. While it was the version, fields came that default to what their absence meant (`judged`, `stack`, `ids`, `bug`, `boundaries`, `illegal`, `missed`, `shard`, `hops`, `wrong_code`, `wrong_name`), the seed of a trial became that of its round instead of its own, and a mutation's `class` became `model` |
//! | 2 | what version 1 had become. A mutation has a `model`, and `class` is no field of it |

use crate::{
    Allocated, Check, Coexistence, Contract, Cost, Count, Freed, Injection, Lifetime, Manifest, Mutation,
    SCHEMA, Trial,
};
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::error::Category;
use serde_json::{Map, Value};
use std::fmt;

/// The oldest version that is read.
pub const OLDEST: u32 = 1;

/// A record of this crate: a line of a file, or a manifest.
pub trait Record: DeserializeOwned {
    /// The oldest version whose rows have the shape of today, but for fields that may be missing.
    const SHAPED_SINCE: u32 = OLDEST;

    /// Its version.
    fn schema(&mut self) -> &mut u32;

    /// Gives a row of an older shape that of the next version, step by step, and says whether it had the older one. Of rows older
    /// than [`Record::SHAPED_SINCE`] only.
    fn reshape(_from: u32, _row: &mut Map<String, Value>) -> bool {
        false
    }
}

macro_rules! records {
    ($($record:ty),*) => {$(
        impl Record for $record {
            fn schema(&mut self) -> &mut u32 {
                &mut self.schema
            }
        }
    )*};
}
records!(Allocated, Check, Coexistence, Contract, Cost, Count, Freed, Injection, Lifetime, Manifest, Trial);

impl Record for Mutation {
    const SHAPED_SINCE: u32 = 2;

    fn schema(&mut self) -> &mut u32 {
        &mut self.schema
    }

    fn reshape(from: u32, row: &mut Map<String, Value>) -> bool {
        if from == 1
            && !row.contains_key("model")
            && let Some(class) = row.remove("class")
        {
            row.insert("model".into(), class);
            return true;
        }
        false
    }
}

/// Why a record was not read.
#[derive(Debug)]
pub enum Unread {
    /// No JSON: at the end of a file, a line that was cut short.
    Text(serde_json::Error),
    /// JSON without a version: no record of ours.
    NoSchema,
    /// Of a version that this one does not know.
    Schema(u64),
    /// Of a version that is known, and not as that version has it.
    Shape(serde_json::Error),
}

impl fmt::Display for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unread::Text(error) | Unread::Shape(error) => write!(f, "not a record ({error})"),
            Unread::NoSchema => f.write_str("no schema"),
            Unread::Schema(schema) => {
                write!(
                    f,
                    "schema {schema}, this version reads {OLDEST} to {SCHEMA}; use the version that wrote it"
                )
            }
        }
    }
}

impl std::error::Error for Unread {}

/// Reads a record of any version, as one of today's.
///
/// # Errors
/// It is no record, or of a version that is not known.
pub fn read<T: Record>(bytes: &[u8]) -> Result<T, Unread> {
    #[derive(Deserialize)]
    struct Versioned {
        schema: u64,
    }
    let whole = serde_json::from_slice::<T>(bytes);
    // The usual case is parsed once: a million rows are read in this way.
    let error = match whole {
        Ok(mut row) => {
            let schema = row.schema();
            if (T::SHAPED_SINCE..=SCHEMA).contains(schema) {
                *schema = SCHEMA;
                return Ok(row);
            }
            None
        }
        Err(error) => Some(error),
    };
    let schema = match serde_json::from_slice::<Versioned>(bytes) {
        Ok(Versioned { schema }) => schema,
        // `[1, 2]` is JSON, too, and serde takes a list for a record: what is behind its fields is a syntax error then.
        Err(error)
            if error.classify() == Category::Data || serde_json::from_slice::<IgnoredAny>(bytes).is_ok() =>
        {
            return Err(Unread::NoSchema);
        }
        Err(error) => return Err(Unread::Text(error)),
    };
    if !(u64::from(OLDEST)..=u64::from(SCHEMA)).contains(&schema) {
        return Err(Unread::Schema(schema));
    }
    match error {
        Some(error) if schema >= u64::from(T::SHAPED_SINCE) => Err(Unread::Shape(error)),
        error => reshaped(bytes, schema as u32, error),
    }
}

/// `error` is why the row is none of today's as it stands.
fn reshaped<T: Record>(bytes: &[u8], schema: u32, error: Option<serde_json::Error>) -> Result<T, Unread> {
    let mut row: Map<String, Value> = serde_json::from_slice(bytes).map_err(Unread::Shape)?;
    let mut older = false;
    for from in schema..SCHEMA {
        older |= T::reshape(from, &mut row);
    }
    // A field that stands twice is damage, and a map would take the last: it only answers for rows that need it.
    if let Some(error) = error.filter(|_| !older) {
        return Err(Unread::Shape(error));
    }
    row.insert("schema".into(), SCHEMA.into());
    serde_json::from_value(Value::Object(row)).map_err(Unread::Shape)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn mutation(schema: u64, name: &str) -> Vec<u8> {
        let mut row = serde_json::to_value(Mutation { walks: 3, ..Mutation::default() }).unwrap();
        let row = row.as_object_mut().unwrap();
        let model = row.remove("model").unwrap();
        row.insert(name.into(), json!(if model == "" { json!("unmapped") } else { model }));
        row.insert("schema".into(), schema.into());
        serde_json::to_vec(row).unwrap()
    }

    #[test]
    fn a_class_of_version_1_is_a_model() {
        for name in ["class", "model"] {
            let row: Mutation = read(&mutation(1, name)).unwrap();
            assert_eq!((row.model.as_str(), row.schema, row.walks), ("unmapped", SCHEMA, 3), "{name}");
        }
        assert!(read::<Mutation>(&mutation(2, "model")).is_ok());
        assert!(matches!(read::<Mutation>(&mutation(2, "class")), Err(Unread::Shape(_))));
    }

    #[test]
    fn a_field_that_stands_twice_is_damage() {
        for schema in [1, 2] {
            let row = String::from_utf8(mutation(schema, "model")).unwrap();
            let twice = row.replacen('{', "{\"walks\":4,", 1);
            let found = read::<Mutation>(twice.as_bytes());
            assert!(matches!(found, Err(Unread::Shape(_))), "{schema}: {found:?}");
        }
    }

    #[test]
    fn versions_that_are_not_known_are_refused() {
        for schema in [0, u64::from(SCHEMA) + 1, u64::from(u32::MAX) + 1] {
            let found = read::<Mutation>(&mutation(schema, "model"));
            assert!(matches!(found, Err(Unread::Schema(found)) if found == schema), "{found:?}");
        }
    }

    #[test]
    fn what_is_no_record_says_why() {
        assert!(matches!(read::<Mutation>(b"{\"schema\":1,\"wal"), Err(Unread::Text(_))));
        assert!(matches!(read::<Mutation>(b"[1,2]"), Err(Unread::NoSchema)));
        assert!(matches!(read::<Mutation>(b"{\"schema\":\"1\"}"), Err(Unread::NoSchema)));
        for schema in [1, 2] {
            let short = format!("{{\"schema\":{schema}}}");
            assert!(matches!(read::<Mutation>(short.as_bytes()), Err(Unread::Shape(_))), "{schema}");
        }
    }
}
