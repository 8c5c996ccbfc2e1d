//! JSON schemas, made of the types that are written. `reports/schemas/` keeps one file a version; a test holds them to this.

use crate::json;
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use sigwalk_record::{
    Allocated, Check, Coexistence, Contract, Cost, Count, Freed, Injection, Lifetime, Manifest, Mutation,
    Trial,
};

/// What has a schema. All but `summary` and `compare` are records.
pub const KINDS: [&str; 14] = [
    "manifest",
    "trial",
    "mutation",
    "check",
    "injection",
    "freed",
    "contract",
    "coexistence",
    "lifetime",
    "allocated",
    "cost",
    "count",
    "summary",
    "compare",
];

/// The schema of one of [`KINDS`], as text.
pub fn schema(kind: &str) -> String {
    match kind {
        "manifest" => of::<Manifest>(),
        "trial" => of::<Trial>(),
        "mutation" => of::<Mutation>(),
        "check" => of::<Check>(),
        "injection" => of::<Injection>(),
        "freed" => of::<Freed>(),
        "contract" => of::<Contract>(),
        "coexistence" => of::<Coexistence>(),
        "lifetime" => of::<Lifetime>(),
        "allocated" => of::<Allocated>(),
        "cost" => of::<Cost>(),
        "count" => of::<Count>(),
        "compare" => of::<json::Document<'static>>(),
        _ => of::<json::Summary<'static>>(),
    }
}

fn of<T: JsonSchema>() -> String {
    // As it is written: what may be left out when it is empty is not required.
    let schema = SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<T>();
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    /// `SIGWALK_WRITE_SCHEMAS=1 cargo test -p sigwalk-report schemas` writes them after a version was raised. A schema that changed without
    /// that is a change of what other programs read.
    #[test]
    fn the_schemas_that_are_kept_are_those_of_the_code() {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas");
        for kind in KINDS {
            let version = match kind {
                "summary" => json::SCHEMA,
                "compare" => json::COMPARE_SCHEMA,
                _ => sigwalk_record::SCHEMA,
            };
            let path = directory.join(format!("{kind}.v{version}.schema.json"));
            if std::env::var_os("SIGWALK_WRITE_SCHEMAS").is_some() {
                std::fs::create_dir_all(&directory).unwrap();
                std::fs::write(&path, schema(kind)).unwrap();
            }
            let kept = std::fs::read_to_string(&path).unwrap_or_default();
            assert!(kept == schema(kind), "{} is not what the code writes", path.display());
        }
    }
}
