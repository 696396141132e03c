//! Law L11: no code, key or secret in a log, an error or a `Debug` text. Alone in its program, because what a log gets to
//! see is decided once for all threads.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "what surrounds a test may stop at the first surprise as the test itself may"
)]

#[expect(dead_code, reason = "other tests ask more of the peer")]
mod peer;

use std::sync::{Arc, Mutex};

use peer::{Peer, answer};
use tilld_domain::ids::{ProviderKey, ProviderOrderId};
use tilld_domain::money::Currency;
use tilld_domain::secret::Secret;
use tilld_domain::voucher::VoucherCode;
use tilld_providers::finperks::{Finperks, Settings};
use tilld_providers::gift_local::{self, GiftLocal, Location};
use tilld_providers::vouchers::{ValidateFacts, Vouchers};
use tilld_providers::{CODE_MARK, GiftCards, StoredRequest};

const SECRET: &str = "test-secret-0123456789abcdef";
const KEY: &str = "0199d8a0-7c5b-7c1e-a1b2-6f1f6f0c0001";

/// Collects what is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn neither_log_nor_debug_text_holds_a_code_a_key_or_a_secret() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    let mut shown = Vec::new();
    tracing::subscriber::with_default(subscriber, || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let echo = r#"{"error_code":"invalid_body_parameters","message":"SCAN-0042 LINE-CODE","fields":{"store_id":"SCAN-0042"}}"#;
            let lines = r#"{"id":"o1","state":"completed","receipt_printing":{"lines":["LINE-CODE"]}}"#;
            let peer = Peer::start(vec![answer("400 Bad Request", echo), answer("200 OK", lines)]);
            let secret = Secret::new(SECRET.to_owned());
            let settings =
                Settings::new(peer.base.clone(), "KEY-ID-77".to_owned(), secret, "DE".parse().unwrap());
            let (key, order): (ProviderKey, ProviderOrderId) = (KEY.parse().unwrap(), "o1".parse().unwrap());
            shown.push(format!("{:?}", settings.secret));
            let finperks = Finperks::new(settings).unwrap();
            let request = StoredRequest(format!(r#"{{"product_code":"{CODE_MARK}"}}"#));
            let code = "SCAN-0042".parse().unwrap();
            shown.push(format!("{request:?}{code:?}{finperks:?}"));
            shown.push(format!("{:?}", finperks.create(&key, &request, Some(&code)).await));
            let confirm = StoredRequest("{}".to_owned());
            shown.push(format!("{:?}", finperks.confirm(&order, &confirm).await));

            let echo = r#"{"message":"No gift 987654321098 or gl-7hQ2mZr50EUR of VOUCHER-ID."}"#;
            let seen = r#"{"voucher":{"voucherID":"VOUCHER-ID","isRedeemable":true,"voucherEligibleValue":5,
                "senderDescription":"Mira 987654321098","voucherPresentValueDescription":"gl-7hQ2mZr50EUR"}}"#;
            let answered = r#"{"voucher":{"voucherID":"VOUCHER-ID","senderDescription":"Mira"}}"#;
            let peer = Peer::start(vec![
                answer("422 Unprocessable Entity", echo),
                answer("200 OK", seen),
                answer("200 OK", answered),
            ]);
            let euros = Currency::from_code("EUR").unwrap();
            let api_key = Secret::new(SECRET.to_owned());
            let settings = gift_local::Settings::new(peer.base.clone(), api_key, Location::OfTheKey, euros);
            shown.push(format!("{settings:?}"));
            let gift_local = GiftLocal::new(settings).unwrap();
            let number = VoucherCode::number("987654321098").unwrap();
            let token = VoucherCode::token("gl-7hQ2mZr50EUR").unwrap();
            let ticket = Secret::new(r#"{"items":["BASKET-LINE"]}"#.to_owned());
            let facts = ValidateFacts { ticket: Some(&ticket), ..ValidateFacts::default() };
            shown.push(format!("{gift_local:?}{number:?}{facts:?}"));
            shown.push(format!("{:?}", gift_local.validate(&number, facts).await));
            shown.push(format!("{:?}", gift_local.validate(&token, facts).await));
            // The stored body holds the voucher's id, which the journal may have and the log may not.
            let body = StoredRequest(r#"{"amount":5.00,"voucherID":"VOUCHER-ID"}"#.to_owned());
            shown.push(format!("{:?}", gift_local.redeem(&key, &body, Some(&number)).await));
            assert_eq!(peer.all().await.len(), 3);
        });
    });
    let logged = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(logged.contains("/v1/retail_orders") && logged.contains("store_id"), "{logged}");
    assert!(logged.contains("redemption/validate-gift") && logged.contains("redeem-gift"), "{logged}");
    for (what, text) in [("log", &logged), ("debug", &shown.concat())] {
        for secret in [
            "SCAN-0042",
            "LINE-CODE",
            SECRET,
            "KEY-ID-77",
            "Signature=",
            KEY,
            "987654321098",
            "gl-7hQ2mZr50EUR",
            "VOUCHER-ID",
            "BASKET-LINE",
            "Mira",
        ] {
            assert!(!text.contains(secret), "{secret} in the {what}:\n{text}");
        }
    }
}
