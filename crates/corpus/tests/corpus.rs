//! A corpus shows its inputs as they are, damages them in every way, and fails when a property does.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

use corpus::Corpus;

fn directory() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/src"))
}

fn shown(corpus: &Corpus, cases: u32) -> Vec<Vec<u8>> {
    let shown = RefCell::new(Vec::new());
    corpus.check(cases, |input| shown.borrow_mut().push(input.to_vec()));
    shown.into_inner()
}

#[test]
fn every_input_comes_first_and_then_as_many_mutants_as_asked_for_the_same_each_time() {
    let corpus = Corpus::read(directory()).unwrap();
    assert_eq!(corpus.inputs().len(), 2);
    let seen = shown(&corpus, 200);
    assert_eq!(&seen[..2], corpus.inputs());
    if std::env::var_os("ROWLOCK_FUZZ_SECONDS").is_none() {
        assert_eq!(seen.len(), 202);
        assert_eq!(shown(&corpus, 200), seen);
    }
    let mutants: BTreeSet<_> = seen[2..].iter().collect();
    assert!(mutants.len() > 190, "only {} of 200 differ", mutants.len());
    assert!(mutants.iter().any(|mutant| mutant.len() < 500) && mutants.iter().any(|mutant| mutant.len() > 6000));
}

#[test]
fn a_property_that_does_not_hold_fails_with_the_input() {
    let corpus = Corpus::read(directory()).unwrap();
    let nul = |input: &[u8]| assert!(!input.contains(&0), "a NUL");
    let failure = catch_unwind(AssertUnwindSafe(|| corpus.check(500, nul))).unwrap_err();
    let text = failure.downcast_ref::<String>().unwrap();
    assert!(text.contains("a NUL") && text.contains("\\x00"), "{text}");
}

#[test]
fn a_directory_without_inputs_is_no_corpus() {
    assert!(Corpus::read("/nonexistent").is_err());
    // It has directories, which are no inputs.
    assert!(Corpus::read(env!("CARGO_MANIFEST_DIR")).is_err());
}
