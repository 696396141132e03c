//! The proof of this room, and the sales that it is made with. Redemptions are made in their own file.

mod audits;
mod chains;
mod days;
mod devices;
mod disks;
mod forms;
mod kills;
mod migrations;
mod questions;
mod redemptions;
pub(crate) mod samples;
mod searches;
mod secrets;

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use rusqlite::Connection;
use tempfile::TempDir;
use tilld_domain::ids::SaleId;
use tilld_domain::moment::Moment;
use tilld_domain::order::OrderEvent;
use tilld_domain::outcome::{Created, OrderSeen, OrderStage, Outcome, ReceiptLines};
use tilld_domain::printing::{PrintEnd, Proof};
use tilld_domain::sale::{CardNo, Opening, Payment, Sale, SaleEvent, Tender};

use crate::entry::{Asked, Draft, Event, Seq, Step, Subject};
use crate::failure::{AppendError, ReadError};
use crate::journal::{Journal, Settings};
use crate::seal::SealKey;

/// A journal in a directory of its own.
struct Desk {
    directory: TempDir,
    journal: Journal,
}

impl Desk {
    fn new() -> Self {
        let directory = TempDir::new().unwrap();
        let journal = Journal::open(&settings(directory.path())).unwrap();
        Self { directory, journal }
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Stops the daemon and starts it again.
    fn restart(self) -> Self {
        let Self { directory, journal } = self;
        drop(journal);
        let journal = Journal::open(&settings(directory.path())).unwrap();
        Self { directory, journal }
    }

    /// Stops the daemon.
    fn stop(self) -> TempDir {
        self.directory
    }
}

fn settings(path: &Path) -> Settings {
    Settings { path: path.to_owned(), seal: SealKey::new([7; 32]), keep_codes: Settings::KEEP_CODES }
}

/// The file as somebody else would open it who may write it.
fn intrude(path: &Path, sql: &str) {
    let database = Connection::open(path.join("journal.db")).unwrap();
    database
        .execute_batch(
            "DROP TRIGGER IF EXISTS entry_is_not_changed; DROP TRIGGER IF EXISTS entry_is_not_removed;",
        )
        .unwrap();
    database.execute_batch(sql).unwrap();
}

/// A sale on its way, and the drafts that it leaves.
struct Walk {
    sale: Sale,
    at: Moment,
}

impl Walk {
    fn open(opening: Opening, at: Moment) -> (Self, Draft) {
        let sale = Sale::open(opening.clone(), at).0;
        let event = SaleEvent::Opened(Box::new(opening));
        let step = Step::Sale { event, after: Arc::new(sale.clone()), forget: Vec::new() };
        (Self { sale, at }, Draft { at, asked: None, step })
    }

    fn step(&mut self, event: SaleEvent) -> Draft {
        self.at = Moment::from_ms(self.at.ms() + 100);
        self.sale = self.sale.clone().step(self.at, event.clone()).unwrap().0;
        let step = Step::Sale { event, after: Arc::new(self.sale.clone()), forget: Vec::new() };
        Draft { at: self.at, asked: None, step }
    }

    fn card(&mut self, card: u16, event: OrderEvent) -> Draft {
        self.step(SaleEvent::Card(CardNo::new(card).unwrap(), event))
    }

    fn create(&mut self, card: u16) -> Draft {
        let order = format!("ro-{}-{card}", self.sale.opening.sale).parse().unwrap();
        self.card(card, OrderEvent::CreateEnded(Outcome::Done(Created { order })))
    }

    fn pay(&mut self) -> Draft {
        let amount = self.sale.due().unwrap();
        let payment = Payment { amount, tender: Tender::Card, receipt_total: amount };
        self.step(SaleEvent::Paid { payment, confirm_request: r#"{"confirm":1}"#.to_owned() })
    }

    fn confirm(&mut self, card: u16, lines: &[&str]) -> Draft {
        let lines = ReceiptLines::new(lines.iter().map(|line| (*line).to_owned()).collect(), 0);
        self.card(card, OrderEvent::ConfirmEnded(Outcome::Done(OrderSeen { stage: OrderStage::Done, lines })))
    }

    fn print(&mut self, card: u16) -> Draft {
        self.card(card, OrderEvent::PrintEnded(PrintEnd::OnPaper(Proof::ProcessId)))
    }
}

/// All drafts of a sale of one POR and one POSA card that goes well.
fn whole_sale(number: u128, at: i64) -> (Walk, Vec<Draft>) {
    let (mut walk, opened) = Walk::open(samples::opening(number, 2), Moment::from_ms(at));
    let mut drafts = vec![opened, walk.create(1), walk.create(2), walk.pay()];
    drafts.push(walk.confirm(1, &["YOUR CARD", samples::POR_CODE]));
    drafts.push(walk.print(1));
    drafts.push(walk.confirm(2, &["Support: 0800 1"]));
    drafts.push(walk.print(2));
    (walk, drafts)
}

fn asked(key: &str) -> Option<Asked> {
    Some(Asked { key: key.parse().unwrap(), digest: [9; 32] })
}

/// The sale as its entries make it, and the last of them; none if there is no such sale.
fn sale_of(journal: &Journal, sale: SaleId) -> Result<Option<(Sale, Seq)>, ReadError> {
    let mut last = None;
    journal.replay(sale, |sale, seq, _| {
        last = Some((sale.clone(), seq));
        ControlFlow::Continue(())
    })?;
    Ok(last)
}

#[test]
fn a_sale_comes_back_from_its_entries_after_every_one_of_them() {
    let mut desk = Desk::new();
    let (mut seq, mut expected) = (Seq::NONE, Vec::new());
    let (_, drafts) = whole_sale(1, 1_000);
    for draft in drafts {
        let Step::Sale { event, after, .. } = draft.step.clone() else { panic!() };
        let sale = after.opening.sale;
        expected.push((draft.at, Event::Sale(event)));
        let written = desk.journal.append(&[draft]).unwrap();
        assert_eq!(written, [Seq::new(seq.number() + 1)]);
        seq = written[0];
        desk = desk.restart();
        assert_eq!(sale_of(&desk.journal, sale).unwrap(), Some(((*after).clone(), seq)));
        let read: Vec<_> = desk
            .journal
            .entries_of(Subject::Sale(sale))
            .unwrap()
            .into_iter()
            .map(|entry| (entry.at, entry.event))
            .collect();
        assert_eq!(read, expected);
    }
}

#[test]
fn drafts_of_many_sales_are_one_commit_in_their_order() {
    let desk = Desk::new();
    let drafts: Vec<_> =
        (1..=16).map(|number| Walk::open(samples::opening(number, 1), Moment::from_ms(1)).1).collect();
    let written = desk.journal.append(&drafts).unwrap();
    assert_eq!(written, (1..=16).map(Seq::new).collect::<Vec<_>>());
    assert_eq!((desk.journal.commits(), desk.journal.last().unwrap()), (1, Seq::new(16)));
    assert_eq!(desk.journal.append(&[]), Ok(Vec::new()));
    assert_eq!(desk.journal.commits(), 1);
}

#[test]
fn a_draft_that_does_not_fit_takes_the_others_of_its_commit_with_it() {
    let desk = Desk::new();
    let (mut first, opened) = Walk::open(samples::opening(1, 1), Moment::from_ms(1));
    desk.journal.append(&[Draft { asked: asked("K1"), ..opened.clone() }]).unwrap();
    let created = first.create(1);
    let (mut second, another) = Walk::open(samples::opening(2, 1), Moment::from_ms(1));
    let of_another = {
        let event = SaleEvent::Opened(Box::new(samples::opening(5, 1)));
        let step = Step::Sale { event, after: Arc::new(second.sale.clone()), forget: Vec::new() };
        Draft { step, ..another.clone() }
    };
    let same_receipt = {
        let mut opening = samples::opening(3, 1);
        opening.receipt = first.sale.opening.receipt.clone();
        Walk::open(opening, Moment::from_ms(1)).1
    };
    let misfit = |why| AppendError::Misfit { draft: 1, why };
    let no_cards = {
        let mut opening = samples::opening(4, 1);
        opening.cards.clear();
        Walk::open(opening, Moment::from_ms(1)).1
    };
    for (bad, expected) in [
        (Draft { asked: asked("K1"), ..another.clone() }, AppendError::KeyTaken { draft: 1 }),
        (same_receipt, AppendError::ReceiptTaken { draft: 1 }),
        (opened, misfit("its sale or one of its orders is there already")),
        (second.create(1), misfit("its sale has not begun")),
        (of_another, misfit("it opens another sale")),
        (no_cards, misfit("a sale has 1 to 20 cards")),
    ] {
        assert_eq!(desk.journal.append(&[created.clone(), bad]), Err(expected));
        assert_eq!(desk.journal.last().unwrap(), Seq::new(1));
    }
    assert_eq!(desk.journal.append(&[created]), Ok(vec![Seq::new(2)]));
    assert!(matches!(desk.journal.verify(), Ok(crate::Verdict::Whole { entries: 2, .. })));
}
