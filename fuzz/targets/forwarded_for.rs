//! `X-Forwarded-For`: whatever a client sends, the proxy that adds to it has the last word.
#![no_main]

#[path = "../../crates/api/src/client_address.rs"]
#[expect(dead_code, reason = "a part of the server")]
mod client_address;

use std::net::{IpAddr, Ipv4Addr};
use std::sync::LazyLock;

use client_address::TrustedProxies;
use libfuzzer_sys::fuzz_target;

const PROXY: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1));
const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 9));

static PROXIES: LazyLock<TrustedProxies> =
    LazyLock::new(|| TrustedProxies::parse(&["10.0.0.0/8".to_owned()]).expect("a network"));

fuzz_target!(|sent: &[u8]| {
    let with_more = [sent, b", 203.0.113.9, 10.2.2.2"].concat();
    assert_eq!(PROXIES.client(PROXY, [with_more.as_slice()].into_iter()), CLIENT);
    assert_eq!(PROXIES.client(PROXY, [sent, b"203.0.113.9"].into_iter()), CLIENT);
    assert_eq!(PROXIES.client(CLIENT, [sent].into_iter()), CLIENT);
    let heard = PROXIES.client(PROXY, sent.split(|byte| *byte == b'\n'));
    assert!(heard == PROXY || !sent.is_empty());
    assert_eq!(heard.to_canonical(), heard);
    let Ok(text) = str::from_utf8(sent) else { return };
    if let Ok(proxies) = TrustedProxies::parse(&[text.to_owned()]) {
        // No network but the whole world has one address of either half.
        let halves = [Ipv4Addr::new(127, 0, 0, 1), Ipv4Addr::new(128, 0, 0, 1)];
        assert!(!halves.into_iter().all(|address| proxies.trusts(IpAddr::V4(address))), "{text:?}");
    }
});
