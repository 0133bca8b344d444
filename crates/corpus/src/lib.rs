//! Inputs for parsers: good ones, bad ones and nasty ones from files, and what becomes of them when they are damaged.
//!
//! A corpus is a directory with one input a file; the file's name says what it is. [`Corpus::check`] first shows a property every
//! input as it is, then mutants of them: bits flipped, pieces cut out, repeated, or taken from another input, and tokens in between
//! that parsers stumble over. The mutants are the same in every run, so that a test either fails or does not; with
//! `ROWLOCK_FUZZ_SECONDS` set they are new ones, for so long. A failure prints the smallest input that still fails, and it belongs
//! into the corpus from then on.
//!
//! The same directories are the corpora of the coverage-guided targets in `fuzz/`.

mod mutation;

use std::path::Path;
use std::time::{Duration, Instant};
use std::{env, fs, io};

use proptest::prelude::{Strategy, any};
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

use mutation::Mutation;

/// How long to look for new failures, in seconds. A test's parameter, not a setting of the product.
const SECONDS: &str = "ROWLOCK_FUZZ_SECONDS";

/// Mutations of one input, at most.
const MUTATIONS_MAX: usize = 6;

/// Inputs of one kind.
#[derive(Clone, Debug)]
pub struct Corpus {
    inputs: Vec<Vec<u8>>,
}

impl Corpus {
    /// The files of this directory, in the order of their names; those whose names begin with a dot are not inputs.
    ///
    /// # Errors
    /// If the directory or one of its files can't be read, or there is none.
    pub fn read(directory: impl AsRef<Path>) -> io::Result<Self> {
        let entries = fs::read_dir(directory)?.map(|entry| entry.map(|entry| entry.path()));
        let mut files = entries.collect::<io::Result<Vec<_>>>()?;
        files.retain(|file| !file.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b".")));
        files.sort();
        let inputs = files.into_iter().map(fs::read).collect::<io::Result<Vec<_>>>()?;
        if inputs.is_empty() { Err(io::ErrorKind::NotFound.into()) } else { Ok(Self { inputs }) }
    }

    /// The inputs as they are.
    pub fn inputs(&self) -> &[Vec<u8>] {
        &self.inputs
    }

    /// Shows `property` every input, then `cases` mutants; or mutants for as long as `ROWLOCK_FUZZ_SECONDS` says.
    ///
    /// # Panics
    /// If the property panics for one of them: that is how it fails.
    #[expect(clippy::panic, reason = "a property that does not hold fails the test that checks it")]
    pub fn check(&self, cases: u32, property: impl Fn(&[u8])) {
        for input in &self.inputs {
            property(input);
        }
        let seconds = env::var(SECONDS).ok().and_then(|text| text.parse().ok()).map(Duration::from_secs_f64);
        let ends = Instant::now() + seconds.unwrap_or_default();
        loop {
            let config = Config { cases, failure_persistence: None, max_shrink_time: 20_000, ..Config::default() };
            let mut runner = match seconds {
                Some(_) => TestRunner::new(config),
                None => TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha)),
            };
            let run = runner.run(&self.mutants(), |mutant| {
                property(&mutant);
                Ok::<(), TestCaseError>(())
            });
            match run {
                Ok(()) if Instant::now() >= ends => return,
                Ok(()) => {}
                Err(TestError::Fail(reason, mutant)) => panic!("{reason}\nfor the input b\"{}\"", mutant.escape_ascii()),
                Err(TestError::Abort(reason)) => panic!("{reason}"),
            }
        }
    }

    /// An input after a few mutations.
    fn mutants(&self) -> impl Strategy<Value = Vec<u8>> + use<> {
        let inputs = self.inputs.clone();
        let mutations = proptest::collection::vec(Mutation::any(), 1..=MUTATIONS_MAX);
        (any::<proptest::sample::Index>(), mutations).prop_map(move |(input, mutations)| {
            let mut mutant = inputs[input.index(inputs.len())].clone();
            for mutation in &mutations {
                mutation.apply(&mut mutant, &inputs);
            }
            mutant
        })
    }
}
