//! Redeeming, in the trade's language. The scripts lie in `scripts/guests/`, one behaviour a file; each also loses its power
//! after every line, and the books must agree all the same.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use tilld_tests::{guest, script};

macro_rules! scripts {
    ($($name:ident),* $(,)?) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                let text = include_str!(concat!("scripts/guests/", stringify!($name), ".guest"));
                tokio::time::timeout(script::SCRIPT_LIMIT, guest::run(text)).await.expect("the script ends");
            }
        )*

        /// The power goes after every line.
        mod crashes {
            use tilld_tests::{guest, script};

            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() {
                    let text = include_str!(concat!("scripts/guests/", stringify!($name), ".guest"));
                    let (_, lines) = script::read(text);
                    for count in 1..=lines.len() {
                        let crash = guest::crash_after(text, count);
                        tokio::time::timeout(script::SCRIPT_LIMIT, crash).await.expect("the crash is settled");
                    }
                }
            )*
        }

        /// A script that no test runs proves nothing.
        #[test]
        fn every_script_is_run() {
            let listed = [$(stringify!($name)),*];
            for file in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/guests")).unwrap() {
                let name = file.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned();
                assert!(listed.contains(&name.as_str()), "{name} is not listed");
            }
        }
    };
}

scripts! {
    a_basket_that_is_never_completed_is_asked_about,
    a_clock_that_is_set_back_makes_no_look_younger,
    a_completed_basket_is_given_back_by_a_manager_alone,
    a_gift_is_redeemed_by_its_link,
    a_gift_is_redeemed_in_parts_until_nothing_is_left,
    a_journal_that_cannot_be_written_redeems_nothing,
    a_late_arrival_does_not_hide_behind_a_reversal,
    a_look_that_is_not_answered_is_repeated,
    a_part_of_a_gift_is_redeemed,
    a_power_cut_before_the_redeem_arrived_is_not_applied,
    a_power_cut_in_the_redeem_is_found_out_by_the_sealed_code,
    a_promotional_voucher_is_a_discount_under_terms,
    a_provider_that_cannot_be_asked_is_no_connection,
    a_reading_that_could_not_be_written_is_read_again,
    a_redeem_of_everything_whose_answer_was_lost_counts,
    a_redeem_that_a_gateway_gave_up_on_is_found_out,
    a_redeem_that_arrives_late_is_seen_also_after_a_restart_with_another_clock,
    a_redeem_that_arrives_late_is_seen_and_is_a_case,
    a_redeem_that_is_answered_while_the_journal_is_down_is_told_when_it_heals,
    a_redeem_that_was_lost_on_its_way_is_not_applied,
    a_redeem_whose_answer_was_lost_counts_by_what_is_left,
    a_redeem_whose_code_is_lost_is_not_applied_by_two_scans,
    a_redeem_whose_code_is_lost_is_settled_by_another_scan,
    a_refused_redeem_takes_nothing,
    a_request_that_was_the_same_is_known_by_its_own_key,
    a_reversal_goes_on_after_a_power_cut,
    a_reversal_goes_on_while_the_journal_is_down,
    a_reversal_is_sent_at_once_when_a_manager_wants_it,
    a_reversal_on_the_same_voucher_is_no_late_arrival_either,
    a_reversal_that_is_not_found_is_asked_again_after_the_quiet_time,
    a_reversal_that_is_refused_is_a_managers_case,
    a_reversal_that_nobody_has_confirmed_is_a_case,
    a_reversal_whose_second_call_is_not_known_is_a_case,
    a_reversal_without_an_answer_is_asked_for_again,
    a_spent_voucher_is_no_wrong_code,
    a_start_on_a_full_disk_gives_back_what_is_owed,
    a_success_that_the_till_asks_for_again_in_time_counts,
    a_success_that_the_till_never_heard_of_is_given_back,
    a_ticket_that_limits_a_voucher_hides_no_redeem,
    a_ticket_that_limits_what_is_told_is_a_managers_case,
    a_voucher_in_another_currency_is_not_taken_for_the_shops,
    a_voucher_that_cannot_be_read_again_calls_the_manager,
    a_voucher_that_changed_oddly_is_a_managers_case,
    a_voucher_that_was_not_used_gets_its_value_back,
    a_wrong_scan_is_refused_before_anything_is_sent,
    all_of_a_gift_with_leading_zeros_is_redeemed_by_hand,
    an_open_case_of_a_voucher_does_not_keep_the_counter_from_the_right_time,
    an_open_question_blocks_the_basket,
    another_redeem_of_the_voucher_is_no_late_arrival,
    completing_one_basket_leaves_what_is_left_as_evidence_for_another,
    five_wrong_codes_lock_the_terminal_until_a_manager_comes,
    items_are_redeemed_whole,
    less_was_granted_and_nobody_says_anything,
    less_was_granted_and_that_is_enough,
    less_was_granted_and_that_is_not_enough,
    more_than_there_is_is_refused_before_anything_is_sent,
    nothing_goes_back_to_a_voucher_that_must_tell_what_happened,
    one_voucher_for_two_baskets_is_redeemed_one_after_the_other,
    the_open_basket_gives_the_value_back,
    the_papers_of_a_voucher,
    the_quiet_time_of_a_reversal_begins_anew_after_a_restart,
    the_same_request_gets_the_same_answer,
    the_times_of_a_redemption_are_the_shops,
    the_same_scan_twice_gets_the_same_answer,
    two_vouchers_pay_for_one_basket,
    what_cannot_be_redeemed_says_so,
    what_is_left_in_all_is_no_sign_that_less_was_granted,
    what_was_seen_a_while_ago_is_looked_at_again,
    what_was_seen_expires,
    wrong_codes_are_forgiven_after_ten_minutes,
}
