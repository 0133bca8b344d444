//! The list of scenarios is complete: none that the ports name or that is written is left out.

use std::collections::BTreeSet;
use std::fs;

macro_rules! names {
    ($argument:expr; $($scenario:ident)*) => {
        [$(stringify!($scenario)),*]
    };
}

fn listed() -> BTreeSet<String> {
    store_contract::each_scenario!([names]()).into_iter().map(str::to_owned).collect()
}

#[test]
fn every_scenario_that_the_ports_name_is_listed() {
    let ports = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../domain/src/ports.rs")).unwrap();
    let promises = ports.lines().filter(|line| line.trim_start().starts_with("///")).collect::<Vec<_>>().join("\n");
    // In the ports' prose a name in round and code brackets is a scenario's.
    let named: BTreeSet<String> =
        promises.split("(`").skip(1).filter_map(|rest| rest.split('`').next()).map(str::to_owned).collect();
    assert!(named.len() >= 20, "{named:?}");
    assert_eq!(named.difference(&listed()).collect::<Vec<_>>(), Vec::<&String>::new());
}

#[test]
fn every_scenario_that_is_written_is_listed() {
    let mut written = BTreeSet::new();
    for file in fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/src/scenarios")).unwrap() {
        let text = fs::read_to_string(file.unwrap().path()).unwrap();
        written.extend(text.lines().filter_map(|line| Some(line.strip_prefix("pub async fn ")?.split('(').next()?.to_owned())));
    }
    assert_eq!(written, listed());
}
