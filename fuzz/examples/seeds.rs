//! Writes the inputs that are taken from real interpreters to `DIRECTORY/TARGET`: see `scripts/seeds`.

use sigwalk_fuzz::names;
use std::path::Path;
use std::{env, fs};

fn main() {
    let root = env::args_os().nth(1).expect("a directory");
    for (target, inputs) in [("names", names::captured())] {
        let dir = Path::new(&root).join(target);
        fs::create_dir_all(&dir).expect("a directory can be made");
        for (name, input) in inputs {
            fs::write(dir.join(name), input).expect("a file can be written");
        }
    }
}
