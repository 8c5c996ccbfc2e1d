//! Writes the inputs that are taken from real interpreters to `DIRECTORY/TARGET`: see `scripts/seeds`.

use sigwalk_fuzz::{names, records};
use std::path::Path;
use std::{env, fs};

fn main() {
    let root = env::args_os().nth(1).expect("a directory");
    for (target, inputs) in [("names", names::captured()), ("records", records())] {
        let dir = Path::new(&root).join(target);
        fs::create_dir_all(&dir).expect("a directory can be made");
        for (name, input) in inputs {
            fs::write(dir.join(name), input).expect("a file can be written");
        }
    }
}

/// The files in seeds/records, behind the byte that says which one it is.
fn records() -> Vec<(String, Vec<u8>)> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds/records");
    let input = |(index, name): (u8, &&str)| {
        let file = fs::read(dir.join(name)).expect("one file of every kind");
        ((*name).to_owned(), [&[index], &file[..]].concat())
    };
    (0..).zip(&records::FILES).map(input).collect()
}
