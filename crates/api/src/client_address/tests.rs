use std::path::Path;

use corpus::Corpus;

use super::*;

const CASES: u32 = 20_000;

fn trusted(items: &[&str]) -> TrustedProxies {
    let items: Vec<String> = items.iter().map(|item| (*item).to_owned()).collect();
    TrustedProxies::parse(&items).unwrap()
}

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// Where a request comes from that `peer` sends with these lines, behind 10.0.0.0/8 and `2001:db8:10::/48`.
fn client(peer: &str, lines: &[&str]) -> String {
    let proxies = trusted(&["10.0.0.0/8", "2001:db8:10::/48"]);
    proxies.client(address(peer), lines.iter().map(|line| line.as_bytes())).to_string()
}

#[test]
fn a_peer_that_is_not_trusted_is_the_client_whatever_it_says() {
    for lines in [&[][..], &["203.0.113.9"], &["10.1.1.1", "203.0.113.9, 10.1.1.1"]] {
        assert_eq!(client("198.51.100.7", lines), "198.51.100.7");
        assert_eq!(client("2001:db8::7", lines), "2001:db8::7");
        assert_eq!(trusted(&[]).client(address("127.0.0.1"), lines.iter().map(|line| line.as_bytes())), address("127.0.0.1"));
    }
}

#[test]
fn behind_trusted_proxies_it_is_the_right_most_address_that_is_not_trusted() {
    for (lines, expected) in [
        (&["203.0.113.9"][..], "203.0.113.9"),
        (&["1.1.1.1, 203.0.113.9"], "203.0.113.9"),
        (&["1.1.1.1,203.0.113.9,10.2.2.2"], "203.0.113.9"),
        (&["1.1.1.1", "203.0.113.9", "10.2.2.2, 2001:db8:10::2"], "203.0.113.9"),
        (&["203.0.113.9, 10.2.2.2", ""], "10.0.0.1"),
        (&["nonsense, 203.0.113.9"], "203.0.113.9"),
        (&["203.0.113.9, nonsense"], "10.0.0.1"),
        (&["203.0.113.9, nonsense, 10.2.2.2"], "10.2.2.2"),
        // One of our own asks.
        (&["10.3.3.3, 10.2.2.2"], "10.3.3.3"),
        (&[], "10.0.0.1"),
    ] {
        assert_eq!(client("10.0.0.1", lines), expected, "{lines:?}");
        assert_eq!(client("::ffff:10.0.0.1", lines), expected, "{lines:?}");
    }
}

#[test]
fn an_address_is_read_as_proxies_write_it() {
    for (entry, expected) in [
        ("203.0.113.9", "203.0.113.9"),
        (" \t203.0.113.9 ", "203.0.113.9"),
        ("203.0.113.9:51234", "203.0.113.9"),
        ("2001:db8::9", "2001:db8::9"),
        ("[2001:db8::9]", "2001:db8::9"),
        ("[2001:db8::9]:51234", "2001:db8::9"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("[::ffff:203.0.113.9]:1", "203.0.113.9"),
    ] {
        assert_eq!(entry_address(entry.as_bytes()), Some(address(expected)), "{entry}");
    }
    for entry in ["", " ", "unknown", "_hidden", "203.0.113", "203.0.113.9:", "203.0.113.256", "[203.0.113.9", "fe80::1%eth0"] {
        assert_eq!(entry_address(entry.as_bytes()), None, "{entry}");
    }
    assert_eq!(entry_address(b"203.0.113.9\xff"), None);
}

#[test]
fn only_so_many_entries_are_read() {
    let own = vec!["10.2.2.2"; ENTRIES_MAX - 1].join(",");
    assert_eq!(client("10.0.0.1", &[&format!("203.0.113.9,{own}")]), "203.0.113.9");
    assert_eq!(client("10.0.0.1", &[&format!("203.0.113.9,10.2.2.2,{own}")]), "10.2.2.2");
}

#[test]
fn proxies_are_addresses_and_networks() {
    let proxies = trusted(&["192.0.2.7", "10.0.0.0/8", "2001:db8::/32", "::1", "::ffff:192.0.2.8"]);
    for inside in ["192.0.2.7", "10.255.0.1", "2001:db8:ffff::1", "::1", "192.0.2.8"] {
        assert!(proxies.trusts(address(inside)), "{inside}");
    }
    for outside in ["192.0.2.6", "11.0.0.0", "2001:db9::", "::2", "0.0.0.1"] {
        assert!(!proxies.trusts(address(outside)), "{outside}");
    }
    for wrong in ["", "proxy", "10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/", "10.0.0/8", "::ffff:10.0.0.0/104", "0.0.0.0/0", "::/0"] {
        assert!(TrustedProxies::parse(&[wrong.to_owned()]).is_err(), "{wrong}");
    }
}

/// The property that all of it is for: behind a proxy, what a client writes itself changes nothing.
#[test]
fn whatever_a_client_sends_its_proxy_has_the_last_word() {
    let proxies = trusted(&["10.0.0.0/8", "2001:db8:10::/48"]);
    let corpus = Corpus::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus/forwarded_for")).unwrap();
    corpus.check(CASES, |sent| {
        for real in ["203.0.113.9", "2001:db8::9"] {
            for added in [real.to_owned(), format!("{real}, 10.2.2.2"), format!("{real},10.2.2.2,2001:db8:10::2")] {
                let one_line = [sent, b", ", added.as_bytes()].concat();
                assert_eq!(proxies.client(address("10.0.0.1"), [one_line.as_slice()].into_iter()), address(real));
                let two_lines = [sent, added.as_bytes()];
                assert_eq!(proxies.client(address("2001:db8:10::1"), two_lines.into_iter()), address(real));
            }
        }
        // From a client, it is not even read; from a proxy, it leads to an address in any case.
        assert_eq!(proxies.client(address("198.51.100.7"), [sent].into_iter()), address("198.51.100.7"));
        let _ = proxies.client(address("10.0.0.1"), sent.split(|byte| *byte == b'\n'));
    });
}
