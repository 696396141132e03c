//! The door's own types: what a till sends and reads. None of them is the domain's, so that a rule can change its shape
//! without a till noticing, and the other way round.
//!
//! What every part of it keeps to:
//! - Money is decimal text with exactly the decimals of its currency. A JSON number is refused: it has passed through a
//!   binary float in half of the world's tills.
//! - A moment is RFC 3339 in UTC with milliseconds. A span has its unit in its name.
//! - Every text from a till is read by the domain's own type for it, so its length and its characters are checked before
//!   anything else looks at it.
//! - Objects hold no fields but those that are named here: a misspelt optional field is an error, not a surprise. An array in
//!   the place of an object is an error too.
//! - No code, ever (law L11), and of a slip's lines what is left when dots stand for codes ([`Slip`]); the one exception is what a scanner
//!   reads ([`ScanRead`]), which the till is to get.

mod day;
mod device;
mod history;
mod line;
mod paper;
mod parts;
mod redeem;
mod redemption;
mod request;
mod sale;
mod scan;
mod session;
mod slip;
mod voucher;

pub(crate) use day::{BusinessDay, Report, ReportKind, ReportRequest};
pub(crate) use device::{Device, Devices};
pub(crate) use history::{Answered, History};
pub(crate) use line::{JournalLine, LinePage};
pub(crate) use paper::{PaperEnd, RedemptionPaper};
pub(crate) use parts::{CardKind, Checked, Money, OURS, Object, Unshown, instant, words};
pub(crate) use redeem::{
    CompleteRequest, RedeemRequest, RedemptionAnswer, RedemptionAnswerRequest, RedemptionSettleRequest,
    ReverseRequest, ScanRequest, Verdict,
};
pub(crate) use redemption::{Basket, Redemption, Who};
pub(crate) use request::{Answer, AnswerRequest, CancelRequest, PaymentRequest, SaleRequest};
pub(crate) use sale::{Fault, OpenSales, Sale};
pub(crate) use scan::ScanRead;
pub(crate) use session::{
    PairRequest, PairingCode, ProviderInUse, Role, Session, SignInRequest, SignedIn, TenderKind,
};
pub(crate) use slip::Slip;
pub(crate) use voucher::{CheckRequest, UnlockRequest, VoucherCheck, Worth};
