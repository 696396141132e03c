//! One of every event, and of every value that an event can hold. A variant that is added to the domain does not
//! compile here until it has a sample.

macro_rules! one_of_each {
    ($name:ident: $type:ty = $($pattern:pat => $value:expr),+ $(,)?) => {
        pub(super) fn $name() -> Vec<$type> {
            let all = vec![$($value),+];
            for value in &all {
                match value {
                    $($pattern => (),)+
                }
            }
            all
        }
    };
}

mod redemptions;

use std::time::Duration;

use tilld_domain::day::Closing;
use tilld_domain::device::{Condition, Device};
use tilld_domain::ids::SaleId;
use tilld_domain::money::{Currency, Money};
use tilld_domain::order::{Answer, OrderEvent, OrderFacts, Rules};
use tilld_domain::outcome::{Created, OrderSeen, OrderStage, Outcome, ReceiptLines, Trouble, UndoAnswer};
use tilld_domain::printing::{Fault, PrintEnd, Proof};
use tilld_domain::product::CardKind;
use tilld_domain::refusal::{ForeignCode, Refusal};
use tilld_domain::sale::{CardNo, Opening, Payment, SaleEvent, Tender};
use uuid::Uuid;

use crate::entry::Event;

pub(super) use redemptions::{redeemed, redemption, redemption_steps};

/// What must never be found on a disk.
pub(super) const POR_CODE: &str = "PIN-7QX9-44KD-ZZ81";
pub(super) const POSA_CODE: &str = "6006491234567890123";
pub(super) const VOUCHER_NUMBER: &str = "012345678901";
pub(super) const VOUCHER_TOKEN: &str = "vouchers/Ab3_-xYz99";
pub(super) const SECRETS: [&str; 4] = [POR_CODE, POSA_CODE, VOUCHER_NUMBER, VOUCHER_TOKEN];

one_of_each!(stages: OrderStage =
    OrderStage::Open => OrderStage::Open,
    OrderStage::InProgress => OrderStage::InProgress,
    OrderStage::Done => OrderStage::Done,
    OrderStage::Failed => OrderStage::Failed,
    OrderStage::Reversed => OrderStage::Reversed,
    OrderStage::Unrecognised => OrderStage::Unrecognised,
);

one_of_each!(troubles: Trouble =
    Trouble::Connect => Trouble::Connect,
    Trouble::Broken => Trouble::Broken,
    Trouble::Silent => Trouble::Silent,
    Trouble::ServerError(_) => Trouble::ServerError(503),
    Trouble::Unreadable => Trouble::Unreadable,
    Trouble::OddStatus(_) => Trouble::OddStatus(302),
);

one_of_each!(undo_answers: UndoAnswer =
    UndoAnswer::Invalidated => UndoAnswer::Invalidated,
    UndoAnswer::AlreadyInvalidated => UndoAnswer::AlreadyInvalidated,
    UndoAnswer::OrderFailed => UndoAnswer::OrderFailed,
    UndoAnswer::StillProcessing => UndoAnswer::StillProcessing,
    UndoAnswer::NotFound => UndoAnswer::NotFound,
    UndoAnswer::AlreadyRedeemed => UndoAnswer::AlreadyRedeemed,
    UndoAnswer::WindowOver => UndoAnswer::WindowOver,
    UndoAnswer::NotSupported => UndoAnswer::NotSupported,
    UndoAnswer::Refused(_) => UndoAnswer::Refused(Refusal::Declined),
);

one_of_each!(proofs: Proof =
    Proof::ProcessId => Proof::ProcessId,
    Proof::QueuedStatus => Proof::QueuedStatus,
    Proof::HealthyAfterwards => Proof::HealthyAfterwards,
    Proof::NotVerifiable => Proof::NotVerifiable,
);

one_of_each!(faults: Fault =
    Fault::PaperOut => Fault::PaperOut,
    Fault::CoverOpen => Fault::CoverOpen,
    Fault::Cutter => Fault::Cutter,
    Fault::Offline => Fault::Offline,
    Fault::Error => Fault::Error,
    Fault::Absent => Fault::Absent,
    Fault::Silent => Fault::Silent,
);

one_of_each!(answers: Answer =
    Answer::Finish => Answer::Finish,
    Answer::Print => Answer::Print,
    Answer::PrintAgain => Answer::PrintAgain,
    Answer::Complete => Answer::Complete,
    Answer::Unreadable => Answer::Unreadable,
    Answer::Nothing => Answer::Nothing,
    Answer::Collected => Answer::Collected,
    Answer::MoneyBack => Answer::MoneyBack,
);

one_of_each!(print_ends_of_a_kind: PrintEnd =
    PrintEnd::OnPaper(_) => PrintEnd::OnPaper(Proof::ProcessId),
    PrintEnd::Nothing(_) => PrintEnd::Nothing(Fault::PaperOut),
    PrintEnd::Unclear(_) => PrintEnd::Unclear(Fault::Silent),
);

one_of_each!(tenders: Tender =
    Tender::Cash { .. } => Tender::Cash { given: eur(6000), change: eur(1000) },
    Tender::Card => Tender::Card,
    Tender::Mixed { .. } => Tender::Mixed { card: eur(1), given: eur(5000), change: eur(1) },
);

one_of_each!(order_events_of_a_kind: OrderEvent =
    OrderEvent::CreateEnded(_) =>
        OrderEvent::CreateEnded(Outcome::Done(Created { order: "ro_1".parse().unwrap() })),
    OrderEvent::Paid { .. } => OrderEvent::Paid { confirm_request: "{}".to_owned() },
    OrderEvent::Cancelled => OrderEvent::Cancelled,
    OrderEvent::ConfirmEnded(_) => OrderEvent::ConfirmEnded(Outcome::Unknown(Trouble::Silent)),
    OrderEvent::LookupEnded(_) => OrderEvent::LookupEnded(Outcome::Unknown(Trouble::Silent)),
    OrderEvent::UndoEnded(_) => OrderEvent::UndoEnded(Outcome::Unknown(Trouble::Silent)),
    OrderEvent::PrintEnded(_) => OrderEvent::PrintEnded(PrintEnd::OnPaper(Proof::ProcessId)),
    OrderEvent::PrinterReady => OrderEvent::PrinterReady,
    OrderEvent::TimeUp => OrderEvent::TimeUp,
    OrderEvent::Resumed => OrderEvent::Resumed,
    OrderEvent::Answered { .. } => OrderEvent::Answered { answer: Answer::Print, by: None },
    OrderEvent::CopyAsked { .. } => OrderEvent::CopyAsked { by: "Jürgen Łukasz".parse().unwrap() },
    OrderEvent::Settled { .. } =>
        OrderEvent::Settled { by: "Ann".parse().unwrap(), reason: "called the provider\n\"ok\"".to_owned() },
);

one_of_each!(sale_events_of_a_kind: SaleEvent =
    SaleEvent::Opened(_) => SaleEvent::Opened(Box::new(opening(1, 2))),
    SaleEvent::Paid { .. } => paid(Tender::Card),
    SaleEvent::Cancelled { .. } => SaleEvent::Cancelled { by: Some("Ann".parse().unwrap()) },
    SaleEvent::Resumed => SaleEvent::Resumed,
    SaleEvent::Card(..) => SaleEvent::Card(CardNo::new(1).unwrap(), OrderEvent::TimeUp),
);

/// Every way in which a call can end, for each thing that it can have done.
fn outcomes<T>(done: Vec<T>) -> Vec<Outcome<T>> {
    let refusals = Refusal::named().iter().cloned().chain([Refusal::Foreign(ForeignCode::new("moon_phase"))]);
    let mut all: Vec<_> = refusals.map(Outcome::Refused).collect();
    all.extend(
        troubles().into_iter().flat_map(|trouble| [Outcome::NotSent(trouble), Outcome::Unknown(trouble)]),
    );
    all.extend([None, Some(Duration::new(3, 999_999_999))].map(|retry_after| Outcome::Later { retry_after }));
    all.extend(done.into_iter().map(Outcome::Done));
    for outcome in &all {
        match outcome {
            Outcome::Done(_)
            | Outcome::Refused(_)
            | Outcome::Later { .. }
            | Outcome::NotSent(_)
            | Outcome::Unknown(_) => (),
        }
    }
    all
}

fn sights() -> Vec<OrderSeen> {
    let lines = [
        None,
        ReceiptLines::new(Vec::new(), 0),
        ReceiptLines::new(Vec::new(), 2),
        ReceiptLines::new(vec![String::new()], 0),
        ReceiptLines::new(vec![POR_CODE.to_owned(), "\u{1b}p\0 ünï\n".to_owned()], 3),
        ReceiptLines::new(vec!["x".repeat(ReceiptLines::LONGEST); ReceiptLines::MOST], u16::MAX),
        Some(ReceiptLines::gone(3, 1)),
        Some(ReceiptLines::gone(0, 0)),
    ];
    let with = |stage| lines.clone().map(|lines| OrderSeen { stage, lines });
    stages().into_iter().flat_map(with).collect()
}

/// Every event that there is, with every value of every closed list in it.
pub(crate) fn events() -> Vec<Event> {
    let of_sales = sale_events().into_iter().map(Event::Sale);
    let faults = faults().into_iter().map(Some).chain([None]);
    let conditions = faults.flat_map(|fault| [true, false].map(|paper_low| Condition { fault, paper_low }));
    let of_devices = conditions.map(|condition| Device { name: "Bondrucker 1".parse().unwrap(), condition });
    of_sales
        .chain(redemption_steps().into_iter().map(Event::Redemption))
        .chain(of_devices.map(Event::Device))
        .chain([Event::Day(closing(1))])
        .collect()
}

/// The closing of a day of November, which takes in the ten entries before.
pub(super) fn closing(number: u32) -> Closing {
    let upto = u64::from(number) * 10;
    Closing {
        day: format!("2026-11-{number:02}").parse().unwrap(),
        number,
        by: "Jürgen Łukasz".parse().unwrap(),
        after: upto - 10,
        upto,
        open: 3,
    }
}

fn sale_events() -> Vec<SaleEvent> {
    let mut of_cards = order_events_of_a_kind();
    of_cards.extend(
        outcomes(vec![Created { order: "ro_0193-AB.c~1".parse().unwrap() }])
            .into_iter()
            .map(OrderEvent::CreateEnded),
    );
    of_cards.extend(outcomes(sights()).into_iter().map(OrderEvent::ConfirmEnded));
    of_cards.extend(outcomes(sights()).into_iter().map(OrderEvent::LookupEnded));
    of_cards.extend(outcomes(undo_answers()).into_iter().map(OrderEvent::UndoEnded));
    of_cards.extend(print_ends_of_a_kind().into_iter().map(OrderEvent::PrintEnded));
    of_cards.extend(proofs().into_iter().map(|proof| OrderEvent::PrintEnded(PrintEnd::OnPaper(proof))));
    of_cards.extend(faults().into_iter().map(|fault| OrderEvent::PrintEnded(PrintEnd::Unclear(fault))));
    of_cards.extend(answers().into_iter().map(|answer| OrderEvent::Answered { answer, by: None }));
    let mut all = sale_events_of_a_kind();
    all.extend(tenders().into_iter().map(paid));
    all.push(SaleEvent::Cancelled { by: None });
    all.extend(of_cards.into_iter().map(|event| SaleEvent::Card(CardNo::new(2).unwrap(), event)));
    all
}

fn paid(tender: Tender) -> SaleEvent {
    let payment = Payment { amount: eur(5000), tender, receipt_total: eur(i64::MAX) };
    SaleEvent::Paid { payment, confirm_request: r#"{"a":"\u0000"}"#.to_owned() }
}

pub(super) fn eur(minor: i64) -> Money {
    Money::new(minor, Currency::from_code("EUR").unwrap())
}

/// A sale of POR and POSA cards in turn.
pub(super) fn opening(number: u128, cards: u16) -> Opening {
    Opening {
        sale: SaleId::new(Uuid::from_u128(number)),
        receipt: format!("R{number}").parse().unwrap(),
        provider: "finperks".to_owned(),
        store: "S1".parse().unwrap(),
        terminal: "T1".parse().unwrap(),
        country: "DE".parse().unwrap(),
        cashier: Some("O’Neill".parse().unwrap()),
        locale: "de-DE".parse().unwrap(),
        columns: 42,
        currency: Currency::from_code("EUR").unwrap(),
        rules: Rules::DESIGN,
        cards: (1..=cards).map(|card| facts(number, card)).collect(),
    }
}

fn facts(number: u128, card: u16) -> OrderFacts {
    let kind = if card % 2 == 1 { CardKind::Por } else { CardKind::Posa };
    match kind {
        CardKind::Por | CardKind::Posa => (),
    }
    let code = (kind == CardKind::Posa).then(|| POSA_CODE.parse().unwrap());
    let id = Uuid::from_u128(number << 64 | u128::from(card));
    OrderFacts {
        id: tilld_domain::ids::OrderId::new(id),
        product: "4001232232332".parse().unwrap(),
        product_name: "Fuel & Flowers".to_owned(),
        kind,
        face_value: eur(5000),
        code_tail: code.as_ref().map(|_| "0123".to_owned()),
        code,
        key: id.to_string().parse().unwrap(),
        create_request: "{\"product\":\"4001232232332\",\"code\":\"\u{e000}\"}".to_owned(),
        undo_window: None,
    }
}
