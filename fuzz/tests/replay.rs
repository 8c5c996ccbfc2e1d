//! The bodies of the targets on kept and pseudo-random inputs.

use sigwalk_fuzz::{layout, line_table, names, records, remote_elf, seed, walk};
use std::path::Path;
use std::{fs, thread};

/// splitmix64: the same inputs on every machine.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn bytes(&mut self, most: usize) -> Vec<u8> {
        let len = self.next() as usize % (most + 1);
        (0..len).map(|_| self.next() as u8).collect()
    }
}

/// Every input that is kept for a target, and every one that a run of the fuzzer left here.
fn replay(target: &str, run: fn(&[u8])) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut count = 0;
    for dir in ["inputs", "corpus", "artifacts"] {
        let Ok(files) = fs::read_dir(root.join(dir).join(target)) else { continue };
        for file in files {
            let path = file.unwrap().path();
            println!("{}", path.display());
            run(&fs::read(path).unwrap());
            count += usize::from(dir == "inputs");
        }
    }
    assert!(count > 0, "no inputs in inputs/{target}");
}

#[test]
fn kept_inputs() {
    replay("walk", walk::run_bytes);
    replay("line_table", line_table::run);
    replay("layout", layout::run);
    replay("names", names::run_bytes);
    replay("remote_elf", remote_elf::run_bytes);
    replay("records", records::run_bytes);
}

#[test]
fn random_walks() {
    let mut random = Random(1);
    for _ in 0..20_000 {
        walk::run_bytes(&random.bytes(walk::MAX_INPUT));
    }
}

#[test]
fn random_tables() {
    let mut random = Random(2);
    for round in 0..100_000 {
        let mut input = random.bytes(200);
        // Every other one well-formed at least where entries begin and go on.
        if round % 2 == 0 && input.len() > 8 {
            input[8] |= 0x80;
            for byte in &mut input[9..] {
                *byte &= if *byte % 3 == 0 { 0xff } else { 0x3f };
            }
        }
        line_table::run(&input);
    }
}

#[test]
fn random_layouts() {
    let mut random = Random(3);
    for _ in 0..20_000 {
        // One or two words of a good table changed to something near an offset.
        let mut input = vec![random.next() as u8, 1 | (random.next() as u8 & 8)];
        for _ in 0..=random.next() % 2 {
            input.extend((random.next() as u16 % 100).to_le_bytes());
            let value = random.next() >> (random.next() % 64);
            input.extend((value & !7).to_le_bytes());
        }
        layout::run(&input);
        layout::run(&random.bytes(layout::MAX_INPUT));
    }
}

#[test]
fn random_names() {
    let mut random = Random(5);
    for _ in 0..20_000 {
        // Most of the repairs, so that more than the type is looked at.
        let mut input = random.bytes(names::MAX_INPUT);
        if let Some(repair) = input.get_mut(2) {
            *repair |= 7 & random.next() as u8;
        }
        names::run_bytes(&input);
    }
    for (_, captured) in names::captured() {
        for index in 0..captured.len() {
            let mut input = captured.clone();
            input[index] ^= 1 << (random.next() % 8);
            names::run_bytes(&input);
        }
    }
}

/// Every kept input of the target with one byte changed, `times` times.
fn near_kept_inputs(target: &str, seed: u64, times: usize, run: fn(&[u8])) {
    let mut random = Random(seed);
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("inputs").join(target);
    let mut files: Vec<_> = fs::read_dir(dir).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    for file in files {
        let input = fs::read(file).unwrap();
        for _ in 0..times {
            let mut other = input.clone();
            let index = random.next() as usize % other.len().max(1);
            if let Some(byte) = other.get_mut(index) {
                *byte = if random.next() & 1 == 0 { random.next() as u8 } else { *byte ^ 1 };
            }
            run(&other);
        }
    }
}

#[test]
fn damaged_files() {
    near_kept_inputs("remote_elf", 6, 200, remote_elf::run_bytes);
    near_kept_inputs("records", 7, 200, records::run_bytes);
}

#[test]
fn an_endless_walk_is_told_from_a_long_one() {
    let loads = walk::undisturbed_loads();
    println!("longest undisturbed walk: {loads} loads");
    assert!(loads * 10 < walk::RAW_LOADS, "{loads} loads");
}

#[test]
fn walkers_agree_with_cpython_on_undisturbed_images() {
    assert!(seed::tags().len() >= 5, "{:?}", seed::tags());
    for (index, (name, _)) in seed::FILES.iter().enumerate() {
        assert_eq!(walk::disagreements(index), Vec::<String>::new(), "{name}");
    }
}

#[test]
fn the_same_input_twice_leaves_no_trace() {
    let mut random = Random(4);
    thread::spawn(move || {
        for _ in 0..2000 {
            walk::run_bytes(&random.bytes(walk::MAX_INPUT));
        }
        for index in 0..seed::FILES.len() {
            assert_eq!(walk::disagreements(index), Vec::<String>::new(), "mutations were not undone");
        }
    })
    .join()
    .unwrap();
}
