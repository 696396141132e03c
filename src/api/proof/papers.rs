//! The papers of vouchers through the door: printed as often as a till asks, and told when they are not.

use serde_json::json;
use tilld_devices::printer::Fault;

use super::voucher::MONEY;
use super::*;

impl House {
    async fn print(&self, path: &str) -> Answered {
        self.send(let_in("POST", &format!("{path}/print")).body(Body::empty()).unwrap()).await
    }
}

#[tokio::test]
async fn a_look_a_redemption_and_its_reversal_are_printed() {
    let house = House::bare().await;
    let printed = json!({"paper": "printed", "proof": "process_id"});
    let check = house.looked_at(MONEY).await;
    assert_eq!(house.print(&format!("/v1/vouchers/{check}")).await.json(), printed);
    let path = house.redeemed("k1", MONEY, "B1", r#"{"amount":"5.00","currency":"EUR"}"#).await;
    assert_eq!(house.print(&path).await.json(), printed);
    house.printer_will(JobOutcome::Unknown { fault: Fault::PaperOut, bytes_sent: 100 });
    assert_eq!(house.print(&path).await.json(), json!({"copy": 1, "paper": "unclear", "fault": "paper_out"}));
    let seen = house.get(&format!("{path}/slip")).await.text();
    assert!(seen.contains("Gutschein eingelöst") && !seen.contains("KOPIE"), "{seen}");
    house.printer_will(JobOutcome::Printed { proof: Proof::ProcessId, replaced: 0 });
    let numbered = json!({"copy": 2, "paper": "printed", "proof": "process_id"});
    assert_eq!(house.print(&path).await.json(), numbered, "what may be out keeps its number");
    house.post(&format!("{path}/reverse"), "k2", "").await;
    house.until(&path, "cleared").await;
    assert_eq!(house.print(&path).await.json(), printed);
}

#[tokio::test]
async fn a_paper_that_was_begun_is_printed_to_its_end_whoever_hangs_up() {
    let house = House::bare().await;
    let check = house.looked_at(MONEY).await;
    let redemption = house.redeemed("k1", MONEY, "B1", r#"{"amount":"5.00","currency":"EUR"}"#).await;
    for path in [format!("/v1/vouchers/{check}"), redemption] {
        let before = house.jobs();
        house.hold_slips();
        {
            let asking = house.print(&path);
            tokio::pin!(asking);
            while house.jobs() == before {
                tokio::select! {
                    answer = &mut asking => panic!("{}", answer.text()),
                    () = tokio::task::yield_now() => {}
                }
            }
        }
        house.let_slips_go();
        let ended = tokio::time::timeout(std::time::Duration::from_mins(1), house.slips_ended(before + 1));
        assert!(ended.await.is_ok(), "{path} stayed in the middle");
    }
}

#[tokio::test]
async fn papers_that_nobody_waits_for_leave_room_at_the_printer() {
    let house = House::bare().await;
    let check = format!("/v1/vouchers/{}", house.looked_at(MONEY).await);
    house.hold_slips();
    for _ in 0..20 {
        let asking = house.print(&check);
        tokio::pin!(asking);
        // Long enough for it to come as far as it can.
        for _ in 0..100 {
            tokio::select! {
                biased;
                answer = &mut asking => panic!("{}", answer.text()),
                () = tokio::task::yield_now() => {}
            }
        }
    }
    assert_eq!(house.jobs(), 4);
    house.let_slips_go();
    house.slips_ended(4).await;
    assert_eq!(house.print(&check).await.json(), json!({"paper": "printed", "proof": "process_id"}));
    assert_eq!(house.jobs(), 5, "who hung up while it waited gets no paper");
}

#[tokio::test]
async fn what_is_over_or_not_there_is_not_printed() {
    let house = House::bare().await;
    let none = "019bb0d5-6a3c-7c11-9f9e-0d6a5b1c2d3e";
    for id in [none, "x", "%00"] {
        let look = house.print(&format!("/v1/vouchers/{id}")).await;
        assert_eq!(look.problem(), (409, "check_expired".to_owned()), "{id}");
        let redemption = house.print(&format!("/v1/redemptions/{id}")).await;
        assert_eq!(redemption.problem(), (404, "redemption_unknown".to_owned()), "{id}");
    }
    *house.vouchers.redeems.lock().unwrap() = voucher::Redeems::Refuse;
    let refused = house.redeemed("k1", MONEY, "B1", r#"{"amount":"5.00","currency":"EUR"}"#).await;
    assert_eq!(house.print(&refused).await.problem(), (409, "redemption_closed".to_owned()));
}
