//! Selling, in the trade's language. The scripts lie in `scripts/`, one behaviour a file; each also loses its power in the middle, and the
//! books must agree all the same. Not after every line, because that takes minutes: after every third that the daemon hears of, and
//! after every line of the happy path. `TILLD_EVERY_LINE=1 cargo test -p tilld-tests --test sales crashes` does it after all of them.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use tilld_tests::script;

macro_rules! scripts {
    ($($name:ident),* $(,)?) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                let text = include_str!(concat!("scripts/", stringify!($name), ".till"));
                tokio::time::timeout(script::SCRIPT_LIMIT, script::run(text)).await.expect("the script ends");
            }
        )*

        /// The power goes in the middle, and the shop goes on; in the end nothing is open, and the books agree.
        mod crashes {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() {
                    let text = include_str!(concat!("scripts/", stringify!($name), ".till"));
                    super::cut(stringify!($name), text).await;
                }
            )*
        }

        /// A script that no test runs proves nothing.
        #[test]
        fn every_script_is_run() {
            let listed = [$(stringify!($name)),*];
            for file in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/scripts")).unwrap() {
                let path = file.unwrap().path();
                if path.is_dir() {
                    continue;
                }
                let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
                assert!(listed.contains(&name.as_str()), "{name} is not listed");
            }
        }
    };
}

scripts! {
    a_cancelled_sale_closes_also_where_the_provider_cannot_take_it_back,
    a_cancelled_sale_is_taken_back_at_the_provider,
    a_card_of_three_that_fails_gives_back_its_own_part,
    a_card_refused_before_the_payment_is_not_collected,
    a_card_that_became_live_in_silence_is_undone,
    a_card_that_is_live_although_its_confirm_was_refused_is_undone,
    a_card_whose_slip_of_information_is_missing_prints_nothing_by_itself,
    a_case_is_not_closed_while_its_undo_is_on_the_wire,
    a_catalogue_that_could_not_be_fetched_is_asked_for_again,
    a_clock_behind_the_journal_sells_nothing_until_the_provider_has_told_its_time,
    a_clock_that_is_set_back_delays_no_healing,
    a_clock_that_is_set_moves_no_deadline,
    a_clock_that_is_wrong_sells_nothing_until_it_is_right,
    a_clock_that_nobody_confirms_forgets_no_code,
    a_confirm_answer_cut_short_is_unknown,
    a_confirm_answer_that_nobody_can_read_is_unknown,
    a_confirm_that_cannot_be_sent_is_tried_again_and_then_owed,
    a_confirm_that_is_answered_while_the_journal_is_down_is_written_when_it_heals,
    a_confirm_that_is_put_off_is_sent_again_while_the_customer_waits,
    a_confirm_that_is_written_when_the_customer_has_gone_is_undone,
    a_confirm_that_takes_its_time_is_waited_for,
    a_copy_has_no_number_and_proves_nothing,
    a_create_is_sent_again_when_the_provider_asks_for_a_pause,
    a_create_that_is_lost_twice_is_abandoned,
    a_customer_is_not_waited_for_after_a_restart_with_an_earlier_clock,
    a_date_refused_in_an_undo_stops_selling_too,
    a_date_that_the_provider_refuses_stops_selling_and_owed_undos_wait,
    a_fresh_undo_does_not_stand_behind_old_ones,
    a_journal_that_cannot_be_written_takes_no_new_sale_and_heals_by_itself,
    a_line_that_nobody_can_read_makes_staff_look,
    a_live_card_without_its_lines_is_undone,
    a_lost_confirm_answer_is_found_out,
    a_lost_confirm_request_is_sent_again_once,
    a_lost_create_answer_is_asked_for_again_under_its_key,
    a_number_answers_for_its_own_card_and_only_where_it_is_asked_about,
    a_paper_that_stopped_above_its_foot_proves_nothing,
    a_pause_that_the_provider_wants_is_not_cut_short,
    a_power_cut_before_the_payment_asks_whether_it_was_paid,
    a_power_cut_between_confirm_and_answer_is_looked_up,
    a_power_cut_in_the_create_repeats_it_under_its_key,
    a_power_cut_that_lasts_longer_than_a_customer_waits,
    a_power_cut_while_a_slip_is_printed_asks_what_is_on_the_paper,
    a_power_cut_while_a_slip_waits_for_paper_forgets_nothing,
    a_printed_card_is_sold_for_cash,
    a_printer_that_vanishes_leaves_a_question,
    a_printer_too_small_for_numbers_prints_none,
    a_product_with_a_short_window_calls_the_manager_early,
    a_provider_that_asks_for_a_pause_is_obeyed_in_the_undo_too,
    a_provider_that_never_takes_the_card_back_is_a_case_for_the_manager,
    a_provider_that_refuses_a_repeated_key_is_not_believed_to_have_refused_the_card,
    a_receipt_belongs_to_one_sale,
    a_receipt_can_be_tried_again_after_nothing_was_sold,
    a_refusal_is_looked_up_after_a_power_cut_however_late,
    a_refused_confirm_is_looked_up_before_the_money_goes_back,
    a_sale_that_is_finished_after_a_power_cut_waits_for_the_line_again,
    a_sale_whose_only_card_is_refused_takes_no_money,
    a_slip_is_known_by_its_number_after_a_power_cut,
    a_slip_that_stopped_is_asked_about_after_a_power_cut,
    a_slip_that_waited_for_paper_is_not_printed_for_a_customer_who_has_gone,
    a_slip_that_was_whole_when_the_power_went_is_known_by_its_number,
    a_slip_that_went_on_and_stopped_on_its_way_is_not_printed_again_by_itself,
    a_sold_card_is_copied_with_a_number_also_after_a_power_cut,
    a_sold_cards_code_is_kept_for_a_day,
    a_spent_card_is_a_case_for_the_manager,
    a_start_on_a_full_disk_undoes_what_is_owed,
    a_success_that_comes_after_the_debt_and_a_power_cut_changes_nothing,
    a_success_that_comes_after_the_debt_changes_nothing,
    after_three_attempts_the_paper_is_collected,
    an_activated_card_is_sold_also_without_its_slip,
    an_activated_card_is_sold_by_card,
    an_activated_card_whose_confirm_stays_unknown_is_kept_by_the_shop,
    an_open_case_does_not_keep_the_counter_from_the_right_time,
    an_open_question_blocks_its_sale,
    an_order_that_got_old_while_the_power_was_off_is_taken_back,
    an_order_that_nobody_pays_for_gets_old,
    an_outage_of_a_day_does_not_fill_the_journal,
    an_undo_goes_on_after_a_decision_that_could_not_be_written,
    an_undo_is_asked_for_until_it_is_acknowledged,
    an_undo_is_sent_at_once_when_a_manager_wants_it,
    an_undo_of_an_order_that_failed_is_closed,
    an_undo_that_comes_too_late_is_a_managers_case_and_still_asked_for,
    an_undo_that_does_not_get_through_calls_the_manager,
    an_undo_that_fails_while_the_disk_is_full_keeps_its_pauses_when_it_heals,
    an_undo_that_was_carried_out_unseen_is_closed_when_it_is_asked_again,
    an_undo_waits_for_a_confirm_that_is_still_running,
    every_open_question_is_listed_for_whom_it_is,
    hostile_lines_reach_the_paper_as_text,
    lines_in_another_shape_reach_the_paper_too,
    lines_that_a_look_up_does_not_show_are_asked_for_by_a_second_confirm,
    money_in_and_no_confirm_goes_back_when_the_customer_wants_it,
    money_in_and_no_confirm_is_a_question_after_a_power_cut,
    no_more_sales_are_open_at_once_than_the_shop_allows,
    nobody_who_finishes_a_paid_sale_after_a_power_cut_gives_the_money_back,
    not_found_is_not_believed_at_once,
    of_two_happenings_that_one_cannot_be_written_loses_no_other,
    paper_out_before_the_slip_and_the_customer_wants_the_money,
    paper_out_before_the_slip_asks_for_paper,
    paper_out_in_the_middle_of_the_slip_is_printed_again,
    paper_that_comes_after_the_money_went_back_prints_nothing,
    paper_that_comes_while_the_journal_is_down_prints_when_it_is_up,
    paper_that_must_be_collected_is_asked_for_after_a_power_cut_too,
    silence_after_the_payment_gives_the_money_back,
    that_a_slip_goes_on_is_written_before_it_does,
    the_code_of_a_card_that_was_taken_back_is_forgotten_at_once,
    the_code_on_a_slip_proves_that_it_is_on_paper,
    the_number_at_the_foot_of_a_slip_proves_its_attempt,
    the_quiet_time_is_not_shortened_by_a_clock_that_is_set_forward,
    the_same_request_gets_the_same_answer,
    the_same_request_gets_the_same_answer_after_a_restart,
    three_cards_are_paid_at_once,
    two_cards_that_wait_for_paper_are_printed_when_there_is_some,
    what_a_product_does_not_offer_is_refused_before_anything_is_sent,
    what_cannot_be_written_stands_in_the_way_of_no_other_sale,
    what_is_owed_is_undone_also_while_the_disk_is_full,
    what_was_collected_must_be_what_is_due,
}

/// One place in so many is tried; `TILLD_EVERY_LINE=1` tries all.
const ONE_IN: usize = 3;

/// Cuts the power at places of a script: at every third of those that the daemon hears of, which third goes by the script's name.
async fn cut(name: &str, text: &str) {
    let every = std::env::var_os("TILLD_EVERY_LINE").is_some();
    let first = name.bytes().map(usize::from).sum::<usize>();
    for (place, count) in script::cuts(text).into_iter().enumerate() {
        if every || (first + place).is_multiple_of(ONE_IN) {
            let run = script::crash_after(text, count);
            tokio::time::timeout(script::SCRIPT_LIMIT, run).await.expect("the crash is settled");
        }
    }
}

/// The power goes after every line of the happy path, also while calls are under way, and the shop goes on. Whatever the
/// moment: the three books agree in the end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_power_may_go_after_every_line_of_the_happy_path() {
    for text in [HAPPY_POR, HAPPY_POSA] {
        let (_, lines) = script::read(text);
        for count in 1..=lines.len() {
            let run = script::crash_after(text, count);
            tokio::time::timeout(script::SCRIPT_LIMIT, run).await.expect("the script ends");
        }
    }
}

const HAPPY_POR: &str = r#"
finperks create hangs before
sell por 4001232232332 50.00 EUR        asks create, waiting
finperks releases                       screen "Take 50.00"
finperks confirm hangs before
paid cash 60.00                         asks confirm, waiting, live 0
finperks releases                       screen "Done", slips 1, live 1
finperks create hangs after
sell por 4001232100015 25.00 EUR on R2   asks create, waiting
finperks releases                       screen "Take 25.00"
finperks confirm hangs after
paid card                               asks confirm, waiting, live 2
finperks releases                       screen "Done", slips 2
"#;

const HAPPY_POSA: &str = r#"
sell posa 4001232100022 25.00 EUR 6399990000123456789   asks create, screen "Take 25.00"
finperks confirm hangs after
paid card                                               asks confirm, waiting, live 1
finperks releases                                       screen "Done", slips 1
"#;
