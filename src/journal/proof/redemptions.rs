//! Redemptions beside sales: written, read, forgotten, asked for.

use std::ops::ControlFlow;
use std::sync::Arc;

use rusqlite::Connection;
use tilld_domain::ids::RedemptionId;
use tilld_domain::moment::Moment;
use tilld_domain::outcome::Outcome;
use tilld_domain::redemption::{Opening, Redemption, RedemptionEvent, State};
use tilld_domain::refusal::Refusal;
use tilld_domain::voucher::tries::{Limit, Tries};
use tilld_domain::voucher::{Balance, Redeemed, ReverseAnswer, VoucherCode, Worth};
use uuid::Uuid;

use super::samples::{self, VOUCHER_NUMBER, VOUCHER_TOKEN};
use super::secrets::{on_disk, wrapped_keys};
use super::{Desk, Walk, asked, intrude, whole_sale};
use crate::entry::{AskedBefore, Draft, Event, RedemptionStep, Seq, Step, Subject};
use crate::failure::{AppendError, DecodeError, ReadError, Verdict};
use crate::reader::{Reader, RedemptionFilter};
use crate::tries::KEPT;

/// A redemption on its way, and the drafts that it leaves.
pub(super) struct Way {
    pub(super) redemption: Redemption,
    at: Moment,
}

impl Way {
    pub(super) fn open(opening: Opening, at: i64) -> (Self, Draft) {
        let at = Moment::from_ms(at);
        let redemption = Redemption::open(opening.clone(), at).0;
        let event = RedemptionStep::Opened(Box::new(opening));
        let step = Step::Redemption { event, after: Arc::new(redemption.clone()), forget: false };
        (Self { redemption, at }, Draft { at, asked: None, step })
    }

    /// The code is forgotten when the machine says so.
    pub(super) fn step(&mut self, event: RedemptionEvent) -> Draft {
        self.at = Moment::from_ms(self.at.ms() + 100);
        let (redemption, effects) = self.redemption.clone().step(self.at, event.clone()).unwrap();
        self.redemption = redemption;
        let forget = effects.contains(&tilld_domain::redemption::Effect::Forget);
        let after = Arc::new(self.redemption.clone());
        let step = Step::Redemption { event: RedemptionStep::Happened(event), after, forget };
        Draft { at: self.at, asked: None, step }
    }

    /// The two that are one commit: what came of the redeem, and that the till is told of it.
    pub(super) fn redeemed(&mut self) -> [Draft; 2] {
        let ended = self.step(RedemptionEvent::RedeemEnded(Outcome::Done(samples::redeemed())));
        [ended, self.step(RedemptionEvent::Offered)]
    }
}

/// All drafts of a redemption that is completed, and taken back later.
pub(super) fn whole_redemption(number: u128, at: i64) -> (Way, Vec<Draft>) {
    let (mut way, opened) = Way::open(samples::redemption(number), at);
    let mut drafts = vec![opened];
    drafts.extend(way.redeemed());
    for event in [
        RedemptionEvent::Completed { by: None },
        RedemptionEvent::TakenBack { by: Some("Ann".parse().unwrap()) },
        RedemptionEvent::ReverseEnded(Outcome::Done(ReverseAnswer::Reversed)),
    ] {
        drafts.push(way.step(event));
    }
    (way, drafts)
}

fn id(number: u128) -> RedemptionId {
    samples::redemption(number).redemption
}

fn subject(number: u128) -> Subject {
    Subject::Redemption(id(number))
}

fn without_code(redemption: &Redemption) -> Redemption {
    let opening = Opening { code: None, ..redemption.opening.clone() };
    Redemption { opening, ..redemption.clone() }
}

#[test]
fn a_redemption_comes_back_from_its_entries_after_every_one_of_them() {
    let mut desk = Desk::new();
    let (mut expected, mut forgotten) = (Vec::new(), false);
    for draft in whole_redemption(1, 1_000).1 {
        let Step::Redemption { event, after, forget } = draft.step.clone() else { panic!() };
        let at = draft.at;
        forgotten |= forget;
        expected.push(event);
        let seq = desk.journal.append(&[draft]).unwrap()[0];
        desk = desk.restart();
        let now = if forgotten { without_code(&after) } else { (*after).clone() };
        assert_eq!(desk.journal.latest_redemption(id(1)).unwrap(), Some((now, seq, at)));
        if forgotten && let RedemptionStep::Opened(opening) = &mut expected[0] {
            opening.code = None;
        }
        let read: Vec<_> =
            desk.journal.entries_of(subject(1)).unwrap().into_iter().map(|entry| entry.event).collect();
        assert_eq!(read, expected.iter().cloned().map(Event::Redemption).collect::<Vec<_>>());
    }
    let mut states = Vec::new();
    desk.journal
        .replay_redemption(id(1), |redemption, seq, _| {
            states.push((seq.number(), redemption.state_name()));
            if seq == Seq::new(4) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })
        .unwrap();
    assert_eq!(states, [(1, "redeeming"), (2, "redeemed"), (3, "answered"), (4, "completed")]);
    assert_eq!(desk.journal.latest_redemption(id(2)).unwrap(), None);
    assert_eq!(desk.journal.latest(tilld_domain::ids::SaleId::new(id(1).uuid())).unwrap(), None);
}

#[test]
fn a_redemption_is_two_commits_when_its_till_is_told() {
    let desk = Desk::new();
    let (mut way, opened) = Way::open(samples::redemption(1), 1_000);
    desk.journal.append(&[opened]).unwrap();
    assert_eq!(desk.journal.append(&way.redeemed()), Ok(vec![Seq::new(2), Seq::new(3)]));
    assert_eq!(desk.journal.commits(), 2);
    let (now, ..) = desk.journal.latest_redemption(id(1)).unwrap().unwrap();
    assert!(matches!(now.state, State::Answered { .. }));
}

#[test]
fn a_draft_that_does_not_fit_its_redemption_leaves_nothing() {
    let desk = Desk::new();
    let (mut way, opened) = Way::open(samples::redemption(1), 1);
    desk.journal.append(&[Draft { asked: asked("K1"), ..opened.clone() }]).unwrap();
    let [ended, _] = way.redeemed();
    let (mut other, another) = Way::open(samples::redemption(2), 1);
    let of_another = {
        let event = RedemptionStep::Opened(Box::new(samples::redemption(3)));
        let after = Arc::new(other.redemption.clone());
        Draft { step: Step::Redemption { event, after, forget: false }, ..another.clone() }
    };
    let (_, sale) = Walk::open(samples::opening(1, 1), Moment::from_ms(1));
    let misfit = |why| AppendError::Misfit { draft: 1, why };
    for (bad, expected) in [
        (Draft { asked: asked("K1"), ..another }, AppendError::KeyTaken { draft: 1 }),
        (Draft { asked: asked("K1"), ..sale }, AppendError::KeyTaken { draft: 1 }),
        (opened, misfit("its redemption is there already")),
        (other.step(RedemptionEvent::Resumed), misfit("its redemption has not begun")),
        (of_another, misfit("it opens another redemption")),
    ] {
        assert_eq!(desk.journal.append(&[ended.clone(), bad]), Err(expected));
        assert_eq!(desk.journal.last().unwrap(), Seq::new(1));
    }
    assert_eq!(desk.journal.append(&[ended]), Ok(vec![Seq::new(2)]));
    assert!(matches!(desk.journal.verify(), Ok(Verdict::Whole { entries: 2, .. })));
}

#[test]
fn keys_of_tills_are_of_sales_and_redemptions_alike() {
    let desk = Desk::new();
    let (_, sale) = Walk::open(samples::opening(1, 1), Moment::from_ms(1));
    let (_, redemption) = Way::open(samples::redemption(1), 1);
    let sale_id = samples::opening(1, 1).sale;
    desk.journal
        .append(&[Draft { asked: asked("K1"), ..sale }, Draft { asked: asked("K2"), ..redemption }])
        .unwrap();
    for (key, subject, seq) in [("K1", Subject::Sale(sale_id), 1), ("K2", subject(1), 2)] {
        let before = AskedBefore { digest: [9; 32], subject, seq: Seq::new(seq) };
        assert_eq!(desk.journal.asked(&key.parse().unwrap()).unwrap(), Some(before));
    }
    let heads = desk.journal.entries_after(Seq::NONE, 9).unwrap();
    let short: Vec<_> =
        heads.iter().map(|head| (head.subject, head.kind.as_str(), head.state.as_str())).collect();
    assert_eq!(
        short,
        [(Subject::Sale(sale_id), "opened", "creating"), (subject(1), "redemption_opened", "redeeming")]
    );
    let (_, again) = Way::open(samples::redemption(2), 1);
    let taken = desk.journal.append(&[Draft { asked: asked("K1"), ..again }]);
    assert_eq!(taken, Err(AppendError::KeyTaken { draft: 0 }));
}

#[test]
fn a_vouchers_code_is_sealed_until_the_redemption_forgets_it_and_then_it_is_gone() {
    for code in [VoucherCode::number(VOUCHER_NUMBER), VoucherCode::token(VOUCHER_TOKEN)] {
        let desk = Desk::new();
        let opening = Opening { code, ..samples::redemption(1) };
        let (mut way, opened) = Way::open(opening, 1_000);
        desk.journal.append(&[opened]).unwrap();
        let key = wrapped_keys(desk.path()).pop().unwrap();
        desk.journal.forget_expired(Moment::from_ms(i64::MAX)).unwrap();
        assert_eq!(desk.journal.latest_redemption(id(1)).unwrap().unwrap().0, way.redemption);
        for draft in way.redeemed() {
            desk.journal.append(&[draft]).unwrap();
        }
        assert_eq!(wrapped_keys(desk.path()).len(), 0);
        desk.journal.forget_expired(Moment::from_ms(0)).unwrap();
        for secret in [key.as_slice(), VOUCHER_NUMBER.as_bytes(), VOUCHER_TOKEN.as_bytes()] {
            assert!(!on_disk(desk.path(), secret));
        }
        let desk = desk.restart();
        let (now, ..) = desk.journal.latest_redemption(id(1)).unwrap().unwrap();
        assert_eq!(now, without_code(&way.redemption));
        assert!(matches!(desk.journal.verify(), Ok(Verdict::Whole { entries: 3, .. })));
    }
}

#[test]
fn a_closed_redemption_keeps_no_code_even_if_nobody_forgot_it() {
    let desk = Desk::new();
    let (mut way, opened) = Way::open(samples::redemption(1), 1_000);
    let mut refused = way.step(RedemptionEvent::RedeemEnded(Outcome::Refused(Refusal::RedeemRefused)));
    let Step::Redemption { forget, .. } = &mut refused.step else { panic!() };
    assert!(std::mem::take(forget));
    desk.journal.append(&[opened, refused]).unwrap();
    let key = wrapped_keys(desk.path()).pop().unwrap();
    assert_eq!(desk.journal.forget_expired(Moment::from_ms(0)), Ok(1));
    assert!(!on_disk(desk.path(), &key));
}

#[test]
fn a_key_that_was_destroyed_leaves_the_log_when_it_is_wiped_and_then_nothing_is_left_to_wipe() {
    let desk = Desk::new();
    let (_, drafts) = whole_redemption(1, 1_000);
    desk.journal.append(&drafts[..1]).unwrap();
    let key = wrapped_keys(desk.path()).pop().unwrap();
    desk.journal.append(&drafts[1..]).unwrap();
    assert!(on_disk(desk.path(), &key), "the log still has it");
    assert_eq!(desk.journal.wipe_log(), Ok(true));
    assert!(!on_disk(desk.path(), &key));
    let log = || std::fs::metadata(desk.path().join("journal.db-wal")).unwrap().len();
    desk.journal.append(&[Way::open(samples::redemption(2), 2_000).1]).unwrap();
    let before = log();
    assert_eq!((desk.journal.wipe_log(), log()), (Ok(true), before), "nothing was destroyed since");
}

#[test]
fn what_is_shown_to_people_names_no_voucher() {
    let desk = Desk::new();
    let (mut way, opened) = Way::open(samples::redemption(1), 1_000);
    let seen = tilld_domain::voucher::VoucherSeen {
        voucher: samples::redemption(1).voucher,
        redeemable: true,
        eligible: Some(Worth::Money(samples::eur(1250))),
        left: None,
        kind: samples::redemption(1).kind,
    };
    let unknown = Outcome::Unknown(tilld_domain::outcome::Trouble::Silent);
    let unknown = way.step(RedemptionEvent::RedeemEnded(unknown));
    let read = way.step(RedemptionEvent::ReadEnded { outcome: Outcome::Done(seen), scanned: false });
    desk.journal.append(&[opened, unknown, read]).unwrap();
    let reader = Reader::open(desk.path()).unwrap();
    let shown = reader.shown(subject(1)).unwrap();
    let kinds: Vec<_> = shown.iter().map(|entry| entry.head.kind.as_str()).collect();
    assert_eq!(kinds, ["redemption_opened", "redeem_ended", "read_ended"]);
    assert!(shown[0].body.contains(r#""code_tail":"8901""#) && shown[2].body.contains("1250"));
    for entry in shown {
        for secret in ["V-1", VOUCHER_NUMBER] {
            assert!(!entry.body.contains(secret), "{}", entry.body);
        }
    }
    let entries = reader.entries_of(subject(1)).unwrap();
    let Event::Redemption(RedemptionStep::Opened(opening)) = &entries[0].event else { panic!() };
    assert_eq!((opening.code.as_ref(), opening.voucher.as_str()), (None, "V-1"));
    assert_eq!(reader.redemption_now(id(1)).unwrap(), Some(without_code(&way.redemption)));
}

#[test]
fn a_seal_of_a_redemption_that_was_moved_does_not_open() {
    for sql in [
        "UPDATE entry SET sealed = (SELECT sealed FROM entry WHERE seq = 2) WHERE seq = 1",
        "UPDATE entry SET sealed = CAST(substr(sealed, 1, 60) || zeroblob(length(sealed) - 60) AS BLOB) WHERE seq = 1",
        "UPDATE entry SET sealed = x'00' WHERE seq = 1",
        "UPDATE seal_key SET wrapped = (SELECT wrapped FROM seal_key ORDER BY owner DESC LIMIT 1)",
    ] {
        let desk = Desk::new();
        for number in [1, 2] {
            desk.journal.append(&[Way::open(samples::redemption(number), 1).1]).unwrap();
        }
        intrude(desk.path(), sql);
        let read = desk.journal.latest_redemption(id(1));
        assert!(matches!(read, Err(ReadError::Entry { why: DecodeError::Sealed, .. })), "{sql}: {read:?}");
    }
}

/// Three redemptions: 1 was taken back, 2 is answered and has an id, 3 was refused; and a sale between them.
fn three_redemptions() -> Desk {
    let desk = Desk::new();
    desk.journal.append(&whole_redemption(1, 1_000).1).unwrap();
    let (mut second, opened) = Way::open(samples::redemption(2), 2_000);
    desk.journal.append(&[opened]).unwrap();
    desk.journal.append(&whole_sale(1, 2_000).1).unwrap();
    let half =
        Redeemed { redemption: Some("RD-2".parse().unwrap()), granted: None, remaining: Balance::default() };
    desk.journal.append(&[second.step(RedemptionEvent::RedeemEnded(Outcome::Done(half)))]).unwrap();
    let items = Opening {
        basket: samples::redemption(2).basket,
        amount: Worth::Items(2),
        before: Balance { left: None, eligible: Some(Worth::Items(3)) },
        cashier: None,
        ..samples::redemption(3)
    };
    let (mut third, opened) = Way::open(items, 3_000);
    let refused = third.step(RedemptionEvent::RedeemEnded(Outcome::Refused(Refusal::RedeemRefused)));
    desk.journal.append(&[opened, refused]).unwrap();
    desk
}

#[test]
fn the_counter_finds_open_redemptions_and_those_of_a_basket() {
    let desk = three_redemptions();
    assert_eq!(desk.journal.open_redemptions().unwrap(), [id(2)]);
    assert_eq!(desk.journal.open_sales().unwrap(), []);
    for (basket, most, expected) in
        [("B1", 9, vec![id(1)]), ("B2", 9, vec![id(2), id(3)]), ("B2", 1, vec![id(3)]), ("B9", 9, vec![])]
    {
        let of = basket.parse().unwrap();
        assert_eq!(desk.journal.redemptions_of(&of, most).unwrap(), expected, "{basket}");
    }
    // The third was refused: it counts for nothing.
    for (basket, most, expected) in
        [("B1", 9, vec![]), ("B2", 9, vec![id(2)]), ("B2", 0, vec![]), ("B9", 9, vec![])]
    {
        let of = basket.parse().unwrap();
        assert_eq!(desk.journal.counting_redemptions_of(&of, most).unwrap(), expected, "{basket}");
    }
    let database = Connection::open(desk.path().join("journal.db")).unwrap();
    for (sql, index) in [
        ("SELECT id FROM redemption WHERE open = 1 ORDER BY first_seq", "redemption_that_is_open"),
        ("SELECT id FROM redemption WHERE basket = 'B1' ORDER BY first_seq DESC", "redemption_by_basket"),
    ] {
        let plan: String =
            database.query_row(&format!("EXPLAIN QUERY PLAN {sql}"), [], |row| row.get(3)).unwrap();
        assert!(plan.contains(index) && !plan.contains("TEMP"), "{plan}");
    }
}

#[test]
fn a_manager_lists_redemptions_by_what_is_known_of_them() {
    let desk = three_redemptions();
    let reader = Reader::open(desk.path()).unwrap();
    let none = RedemptionFilter::default;
    for (filter, most, expected) in [
        (none(), 50, vec![1, 2, 3]),
        (none(), 2, vec![2, 3]),
        (RedemptionFilter { after: Some(Seq::NONE), ..none() }, 2, vec![1, 2]),
        (RedemptionFilter { after: Some(Seq::new(1)), ..none() }, 50, vec![2, 3]),
        (RedemptionFilter { basket: Some("B2".parse().unwrap()), ..none() }, 50, vec![2, 3]),
        (RedemptionFilter { state: Some("cleared".to_owned()), ..none() }, 50, vec![1]),
        (RedemptionFilter { state: Some("eaten".to_owned()), ..none() }, 50, vec![]),
        (RedemptionFilter { open_only: true, ..none() }, 50, vec![2]),
        (RedemptionFilter { from: Some(Moment::from_ms(2_000)), ..none() }, 50, vec![2, 3]),
        (RedemptionFilter { before: Some(Moment::from_ms(2_000)), ..none() }, 50, vec![1]),
    ] {
        let found: Vec<_> =
            reader.redemptions(&filter, most).unwrap().iter().map(|row| row.redemption).collect();
        assert_eq!(found, expected.into_iter().map(id).collect::<Vec<_>>(), "{filter:?}");
    }
    for (name, expected) in [
        (id(1).to_string(), vec![1]),
        ("B2".to_owned(), vec![2, 3]),
        ("RD-2".to_owned(), vec![2]),
        ("V-1".to_owned(), vec![]),
    ] {
        let found: Vec<_> =
            reader.redemptions_named(&name).unwrap().iter().map(|row| row.redemption).collect();
        assert_eq!(found, expected.into_iter().map(id).collect::<Vec<_>>(), "{name}");
    }
    let rows = reader.redemptions(&none(), 9).unwrap();
    let [first, second, third] = rows.as_slice() else { panic!() };
    assert_eq!((first.opened, first.closed), (Moment::from_ms(1_000), Some(Moment::from_ms(1_500))));
    assert_eq!((first.first, first.last, first.state.as_str()), (Seq::new(1), Seq::new(6), "cleared"));
    let money = Worth::Money(samples::eur(1250));
    assert_eq!((first.amount, first.taken, first.cashier.as_deref()), (money, Some(money), Some("O’Neill")));
    assert_eq!((second.open, second.owed, second.closed), (true, false, None));
    assert_eq!(second.provider_redemption.as_deref(), Some("RD-2"));
    assert_eq!((third.open, third.amount, third.taken), (false, Worth::Items(2), None));
    assert_eq!((third.code_tail.as_str(), third.cashier.as_deref()), ("8901", None));
}

#[test]
fn wrong_codes_are_counted_and_nobody_can_go_back_from_what_is_kept_of_them() {
    let desk = Desk::new();
    let limit = Limit::DESIGN;
    let ann = "Ann".parse().unwrap();
    let at = |seconds: i64| Moment::from_ms(seconds * 1_000);
    let number = VoucherCode::number(VOUCHER_NUMBER).unwrap();
    let same_as_token = VoucherCode::token(VOUCHER_NUMBER).unwrap();
    let fold = |moments: &[i64]| {
        let mut tries = Tries::default();
        for moment in moments {
            tries.failed(limit, at(*moment));
        }
        tries
    };
    assert_eq!(desk.journal.tries(limit), Ok(Tries::default()));
    desk.journal.note_wrong_code(&number, at(1), None).unwrap();
    desk.journal.note_wrong_code(&same_as_token, at(2), Some(&ann)).unwrap();
    assert_eq!(desk.journal.tries(limit), Ok(fold(&[1, 2])));
    desk.journal.unlock_tries(at(3), &ann).unwrap();
    assert_eq!(desk.journal.tries(limit), Ok(Tries::default()));
    // A clock that is set back: what was noted later counts all the same.
    desk.journal.note_wrong_code(&number, at(0), None).unwrap();
    let desk = desk.restart();
    assert_eq!(desk.journal.tries(limit), Ok(fold(&[0])));
    for secret in [VOUCHER_NUMBER.as_bytes(), &hex_of(VOUCHER_NUMBER)] {
        assert!(!on_disk(desk.path(), secret));
    }
    let noted = Reader::open(desk.path()).unwrap().wrong_codes(9).unwrap();
    let told: Vec<_> = noted.iter().map(|wrong| (wrong.at, wrong.by.as_deref())).collect();
    assert_eq!(told, [(at(1), None), (at(2), Some("Ann")), (at(3), Some("Ann")), (at(0), None)]);
    let marks: Vec<_> = noted.iter().map(|wrong| wrong.mark.as_deref()).collect();
    assert_eq!(marks[0].unwrap().len(), 8);
    assert_eq!((marks[0], marks[2]), (marks[3], None));
    assert_ne!(marks[0], marks[1]);
    assert!(matches!(desk.journal.verify(), Ok(Verdict::Whole { entries: 0, .. })));
    // The same code at another till: another journal, another key of the HMAC.
    let other = Desk::new();
    other.journal.note_wrong_code(&number, at(1), None).unwrap();
    assert_ne!(Reader::open(other.path()).unwrap().wrong_codes(9).unwrap()[0].mark.as_deref(), marks[0]);
}

/// SHA-256 of a text: what a thief would try all numbers against.
fn hex_of(text: &str) -> Vec<u8> {
    use sha2::Digest;
    sha2::Sha256::digest(text).to_vec()
}

#[test]
fn a_guesser_who_never_stops_costs_no_disk() {
    let desk = Desk::new();
    let number = VoucherCode::number(VOUCHER_NUMBER).unwrap();
    for second in 0..KEPT + 20 {
        desk.journal.note_wrong_code(&number, Moment::from_ms(second), None).unwrap();
    }
    let kept = Reader::open(desk.path()).unwrap().wrong_codes(usize::MAX).unwrap();
    assert_eq!((kept.len(), kept[0].at), (1_000, Moment::from_ms(20)));
}

#[test]
fn a_redemption_and_a_sale_of_one_id_are_two() {
    let desk = Desk::new();
    let mut opening = samples::opening(1, 1);
    opening.sale = tilld_domain::ids::SaleId::new(id(1).uuid());
    desk.journal.append(&[Walk::open(opening.clone(), Moment::from_ms(1)).1]).unwrap();
    desk.journal.append(&[Way::open(samples::redemption(1), 1).1]).unwrap();
    assert_eq!(desk.journal.latest_redemption(id(1)).unwrap().unwrap().1, Seq::new(2));
    assert_eq!(desk.journal.latest(opening.sale).unwrap().unwrap().1, Seq::new(1));
    assert!(matches!(desk.journal.verify(), Ok(Verdict::Whole { entries: 2, .. })));
    assert_ne!(id(1).uuid(), Uuid::nil());
}
