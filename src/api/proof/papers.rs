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
    let first = json!({"is_copy": false, "paper": "printed", "proof": "process_id"});
    assert_eq!(house.print(&path).await.json(), first);
    house.printer_will(JobOutcome::Unknown { fault: Fault::PaperOut, bytes_sent: 100 });
    let unclear = json!({"is_copy": true, "copy": 1, "paper": "unclear", "fault": "paper_out"});
    assert_eq!(house.print(&path).await.json(), unclear);
    let seen = house.get(&format!("{path}/slip")).await.text();
    assert!(seen.contains("Gutschein eingelöst") && !seen.lines().any(is_mark), "{seen}");
    house.printer_will(JobOutcome::Printed { proof: Proof::ProcessId, replaced: 0 });
    let numbered = json!({"is_copy": true, "copy": 2, "paper": "printed", "proof": "process_id"});
    assert_eq!(house.print(&path).await.json(), numbered, "what may be out keeps its number");
    house.post(&format!("{path}/reverse"), "k2", "").await;
    house.until(&path, "cleared").await;
    assert_eq!(house.print(&path).await.json(), first);
}

#[tokio::test]
async fn after_a_restart_what_may_have_been_printed_is_a_copy_without_a_number_and_what_is_new_is_known() {
    let house = House::bare().await;
    let five = r#"{"amount":"5.00","currency":"EUR"}"#;
    let first = json!({"is_copy": false, "paper": "printed", "proof": "process_id"});
    let path = house.redeemed("k1", MONEY, "B1", five).await;
    assert_eq!(house.print(&path).await.json(), first);
    assert!(!house.last_slip().lines().any(is_mark));

    let house = house.started_again().await;
    for _ in 0..2 {
        let again = house.print(&path).await.json();
        assert_eq!(again, json!({"is_copy": true, "paper": "printed", "proof": "process_id"}));
        let marks: Vec<_> = house.last_slip().lines().filter(|row| is_mark(row)).map(str::to_owned).collect();
        assert!(
            marks.len() == 2 && marks.iter().all(|row| row.chars().all(|sign| !sign.is_numeric())),
            "{marks:?}"
        );
    }
    let numbered = json!({"is_copy": true, "copy": 1, "paper": "printed", "proof": "process_id"});
    house.post(&format!("{path}/reverse"), "k2", "").await;
    house.until(&path, "cleared").await;
    let new = house.redeemed("k3", MONEY, "B2", five).await;
    for path in [path, new] {
        assert_eq!(
            (house.print(&path).await.json(), house.print(&path).await.json()),
            (first.clone(), numbered.clone())
        );
    }
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
