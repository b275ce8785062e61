//! The fuzz targets without the fuzzer: every input of the committed corpora, and mutations of them that are the same in each run.
//!
//! `cargo xtask fuzz` searches for new ones.
#![allow(clippy::unwrap_used)]

use std::{fs, panic::catch_unwind, path::Path};

#[path = "../fuzz/src/lib.rs"]
#[allow(unreachable_pub, dead_code)]
mod fuzz;

/// Mutations for each target.
const MUTATIONS: usize = 2000;
/// No input grows over this, in bytes.
const INPUT_BYTES_MAX: usize = 2048;

fn replay(name: &str) {
    let (_, target) = fuzz::TARGETS
        .iter()
        .find(|(known, _)| *known == name)
        .unwrap();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz/corpus")
        .join(name);
    let mut corpus: Vec<Vec<u8>> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| fs::read(entry.unwrap().path()).unwrap())
        .collect();
    // The order in which a folder is listed is nobody's promise.
    corpus.sort();
    assert!(corpus.len() > 10, "{} is all but empty", folder.display());

    for input in &corpus {
        run(*target, input);
    }
    let mut random = Random(0x5eed);
    for _ in 0..MUTATIONS {
        let mut input = corpus[random.below(corpus.len())].clone();
        for _ in 0..=random.below(4) {
            let other = &corpus[random.below(corpus.len())];
            mutate(&mut input, other, &mut random);
        }
        run(*target, &input);
    }
}

/// What is wrong must say on which input.
fn run(target: fn(&[u8]), input: &[u8]) {
    if catch_unwind(|| target(input)).is_err() {
        panic!("on the input {input:02x?}");
    }
}

fn mutate(input: &mut Vec<u8>, other: &[u8], random: &mut Random) {
    let at = random.below(input.len() + 1);
    let len = random
        .below(16.min(input.len() - at + 1) + 1)
        .min(input.len() - at);
    match random.below(6) {
        0 => input.insert(at, random.byte()),
        1 => drop(input.drain(at..at + len)),
        2 => {
            let piece = input[at..at + len].to_vec();
            input.splice(at..at, piece);
        }
        3 => {
            let from = random.below(other.len() + 1);
            let to = other.len().min(from + 1 + random.below(64));
            input.splice(at..at, other[from..to].iter().copied());
        }
        change => {
            if let Some(byte) = input.get_mut(at) {
                *byte = match change {
                    4 => *byte ^ 1 << random.below(8),
                    _ => random.byte(),
                };
            }
        }
    }
    input.truncate(INPUT_BYTES_MAX);
}

/// A small generator (xorshift*), the same everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() >> 33) as usize % end
    }

    /// Often one of those at which things change.
    fn byte(&mut self) -> u8 {
        const EDGES: [u8; 12] = [
            0, 1, 8, 0x7d, 0x7e, 0x7f, 0x80, 0x81, 0x82, 0x88, 0xfe, 0xff,
        ];
        let random = self.next();
        if random & 1 == 0 {
            EDGES[(random >> 33) as usize % EDGES.len()]
        } else {
            (random >> 56) as u8
        }
    }
}

macro_rules! targets {
    ($($name:ident)*) => {
        $(
            #[test]
            fn $name() {
                replay(stringify!($name));
            }
        )*

        #[test]
        fn no_target_is_left_out() {
            let known: Vec<_> = fuzz::TARGETS.iter().map(|(name, _)| *name).collect();
            assert_eq!(known, [$(stringify!($name)),*]);
        }
    };
}

targets! {
    frames
    connection_server
    connection_client
    handshake_server
    handshake_client
    deflate
    differential
    extended_connect
    proxy_answers
    proxy_settings
}
