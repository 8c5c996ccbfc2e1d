//! On a real stack of whichever interpreter PYO3_PYTHON names.

use super::{Model, Named, Verdict, fields, walk};
use crate::alone;
use crate::word::{is_writable, load, store};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use sigwalk::walk::{Detail, End, Request};
use sigwalk_embed::Live;
use std::collections::BTreeMap;

/// Names of every kind: ASCII, Latin-1, two and four bytes a code point. NFKC, which identifiers go through, leaves them.
const SOURCE: &str = "
def make(names):
    source = ''
    for index, name in enumerate(names):
        callee = names[index + 1] + '()' if index + 1 < len(names) else 'bottom()'
        source += f'class C{index}:\\n    def {name}():\\n        return {callee}\\n{name} = C{index}.{name}\\n'
    exec(compile(source, 'ordner/größe.py', 'exec'), globals())
make(['plain', 'häßlich', 'Ωμέγα', '𠀀字'])
plain()
";

const LOADS: u32 = 200_000;

#[test]
fn damaged_names_are_missing_or_wrong_and_come_back() {
    print!("{}", alone::run("mutate::names::tests::damage"));
}

#[test]
#[ignore = "run by damaged_names_are_missing_or_wrong_and_come_back, in a process of its own"]
fn damage() {
    alone::on_a_stack(SOURCE, at_bottom);
}

fn at_bottom(live: &'static Live) {
    let request = Request::new(&live.interpreter, live.tstate().unwrap(), Detail::Line);
    let undisturbed = walk(live, &request, LOADS);
    assert_eq!((undisturbed.walk.end, undisturbed.spent), (End::Complete, false));
    assert_eq!(undisturbed.names.len(), undisturbed.frames.len());
    let shown = format!("{:?}", undisturbed.names[0].each_ref().map(text));
    assert_eq!(shown, r#"["ordner/gr\\xf6\\xdfe.py", "\\U00020000\\u5b57", "C3.𠀀字"]"#);

    let mut seen = BTreeMap::<(&str, &str), BTreeMap<Verdict, u32>>::new();
    let mut random = ChaCha8Rng::seed_from_u64(5);
    let mut change = |field: &'static str, model: &'static str, at, width, value| -> Option<Named> {
        let before = load(at, width);
        assert_ne!(before, value, "{field}, {model}");
        if !is_writable(at) {
            return None;
        }
        store(at, width, value);
        let named = walk(live, &request, LOADS);
        store(at, width, before);
        assert!(!named.spent, "{field}, {model}: {value:#x}");
        assert_eq!(named.frames, undisturbed.frames, "{field}, {model}: no name is part of a walk");
        *seen.entry((field, model)).or_default().entry(named.against(&undisturbed)).or_default() += 1;
        Some(named)
    };
    for frame in &undisturbed.frames[..4] {
        let of_code: Vec<_> = fields(live, frame.code).collect();
        assert!(of_code.len() > 15, "{of_code:?}");
        for (field, at, width) in of_code {
            let before = load(at, width);
            for model in ALL.into_iter().filter(|&model| applies_to(model, field)) {
                for _ in 0..20 {
                    change(field, model_name(model), at, width, model.value(before, &mut random));
                }
            }
            let mask = u64::MAX >> (64 - width * 8);
            for (model, value) in
                [("nothing mapped", 0x1000), ("one bit", before ^ 8), ("one more", before.wrapping_add(1))]
            {
                if value & mask != before {
                    change(field, model, at, width, value & mask);
                }
            }
        }
        let name = |wanted: &str| fields(live, frame.code).find(|(field, ..)| *field == wanted).unwrap();
        let mut verdict = |wanted: &'static str, change_to: fn(u64) -> u64| {
            let (_, at, width) = name(wanted);
            change(wanted, "known", at, width, change_to(load(at, width))).map(|it| it.against(&undisturbed))
        };
        for pointer in ["code.co_filename", "code.co_name", "code.co_qualname"] {
            assert_eq!(verdict(pointer, |_| 0), Some(Verdict::Missing), "{pointer}");
        }
        // Length and kind are checked as far as they can be.
        for (field, change_to, expected) in [
            ("qualname.ob_type", (|word| word ^ 16) as fn(u64) -> u64, Verdict::Missing),
            ("qualname.length", |_| 1 << 31, Verdict::Missing),
            ("qualname.length", |length| length - 1, Verdict::Wrong),
            ("qualname.state", |state| state | 7 << 2, Verdict::Missing),
            ("qualname.data", |byte| byte ^ 1, Verdict::Wrong),
        ] {
            let found = verdict(field, change_to);
            assert!(found.is_none_or(|found| found == expected), "{field}: {found:?}");
        }
    }
    assert_eq!(walk(live, &request, LOADS).against(&undisturbed), Verdict::Same, "all of it came back");
    let tiny = walk(live, &request, 10);
    assert!(tiny.spent && tiny.walk.end != End::Complete, "the budget is one");
    for ((field, model), verdicts) in &seen {
        println!("{field:20} {model:16} {verdicts:?}");
    }
    for model in ALL {
        let of_model = seen.iter().filter(|((_, name), _)| *name == model_name(model));
        let mut verdicts: Vec<_> = of_model.flat_map(|(_, verdicts)| verdicts.keys()).collect();
        verdicts.sort();
        verdicts.dedup();
        assert!(verdicts.len() > 1, "{}: {verdicts:?}", model_name(model));
    }
}

fn text(name: &super::Name) -> String {
    match name {
        super::Name::Missing => "missing".into(),
        super::Name::Text { bytes, .. } => String::from_utf8(bytes.clone()).unwrap(),
    }
}

const ALL: [Model; 3] = [Model::Length, Model::Kind, Model::State];

fn applies_to(model: Model, field: &str) -> bool {
    match model {
        Model::Length => field.ends_with(".length"),
        Model::Kind | Model::State => field.ends_with(".state"),
    }
}

fn model_name(model: Model) -> &'static str {
    match model {
        Model::Length => "name-length",
        Model::Kind => "name-kind",
        Model::State => "name-state",
    }
}
