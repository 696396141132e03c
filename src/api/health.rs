//! Health: whether gift cards can be sold and vouchers redeemed now, and what hinders it.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use tilld_counter::{Counter, Health as CounterHealth, ProviderLine};
use tilld_domain::refusal::Refusal;
use tilld_domain::voucher::Reversal;
use utoipa::ToSchema;

use crate::ApiState;
use crate::openapi::AnyProblems;
use crate::products::Shelf;
use crate::routes::{Routes, routes};
use crate::wire::{Device, Devices, Fault, instant};

pub(crate) fn routes() -> Routes {
    Routes::new().routes(routes!(health))
}

/// How everything is.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Health {
    /// Whether a sale would be begun now: the journal takes entries, the clock is right, and there is a catalogue. The
    /// provider's line and the printer do not count here: a sale tells about them itself.
    sells: bool,
    /// If not: why, and what to do next, in a sentence for people; null if it sells.
    hindrance: Option<String>,
    /// The journal.
    journal: Journal,
    /// This machine's clock.
    clock: Clock,
    /// The line to the provider; null before the first call.
    provider: Option<Provider>,
    /// The line to the provider of vouchers; null before the first call, and where vouchers are not set up.
    vouchers: Option<Provider>,
    /// Why redemptions that are not closed stand still, and what to do next; absent if they do not.
    #[serde(skip_serializing_if = "Option::is_none")]
    vouchers_trouble: Option<String>,
    /// Whether the shop has confirmed the provider's call for taking a redemption back. Without it every reversal is a
    /// manager's case; absent where vouchers are not set up.
    #[serde(skip_serializing_if = "Option::is_none")]
    reversal_confirmed: Option<bool>,
    /// What is known of the printer, or of it and its spare as one: whether a slip can be printed. Null if nothing is, and it cannot be
    /// asked or does not answer.
    printer: Option<Printer>,
    /// Each printer and each scanner, as `/v1/devices` shows them.
    devices: Vec<Device>,
    /// The catalogue.
    products: Shelf,
    /// How many sales are not closed.
    open_sales: usize,
    /// How many redemptions are not closed.
    open_redemptions: usize,
    /// How many cards and redemptions must still be undone.
    owed: usize,
    /// How many questions wait for a person.
    questions: usize,
}

/// How the journal is.
#[derive(Debug, Serialize, ToSchema)]
struct Journal {
    /// Whether it takes entries. Without it nothing is sold.
    writes: bool,
    /// Why not, and what to do next.
    #[serde(skip_serializing_if = "Option::is_none")]
    trouble: Option<String>,
    /// How many events of sales and redemptions could not be written although others can. These stand still: if it is not 0, call the
    /// manufacturer.
    set_aside: usize,
}

/// How this machine's clock is.
#[derive(Debug, Serialize, ToSchema)]
struct Clock {
    /// Whether it is right, as far as the provider's answers tell. Without it nothing is sold, because every request is signed
    /// with the date.
    right: bool,
    /// Why not, and what to do next.
    #[serde(skip_serializing_if = "Option::is_none")]
    trouble: Option<String>,
    /// The provider's clock minus this machine's in ms (to a second), also right after this one was set; null before the
    /// provider's first answer, 0 if it tells no time.
    offset_ms: Option<i64>,
}

/// How the line to the provider is.
#[derive(Debug, Serialize, ToSchema)]
struct Provider {
    /// Whether the last call was answered readably, by a provider that takes this shop's calls.
    up: bool,
    /// The code of the refusal, where the provider does not take this shop's key, contract or clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "provider_not_authenticated")]
    refused: Option<&'static str>,
    /// The same, and what to do next.
    #[serde(skip_serializing_if = "Option::is_none")]
    trouble: Option<&'static str>,
    /// When it ended (RFC 3339, UTC).
    #[schema(format = "date-time")]
    at: String,
}

/// How the printer is.
#[derive(Debug, Serialize, ToSchema)]
struct Printer {
    /// What hinders printing; null if nothing does.
    fault: Option<Fault>,
    /// The roll is near its end.
    paper_low: bool,
    /// The level of the drawer's sensor, where it is reported; which level means open depends on the drawer.
    #[serde(skip_serializing_if = "Option::is_none")]
    drawer_pin_high: Option<bool>,
}

impl From<ProviderLine> for Provider {
    fn from(line: ProviderLine) -> Self {
        let refused = line.refused.as_ref();
        Self {
            up: line.up,
            refused: refused.map(Refusal::code),
            trouble: refused.and_then(Refusal::set_up),
            at: instant(line.at),
        }
    }
}

impl Health {
    async fn of(counter: &Counter) -> Self {
        let confirmed = |reversal| match reversal {
            Reversal::Repeatable | Reversal::Once => true,
            Reversal::NotConfirmed => false,
        };
        let reversal = counter.voucher_provider().map(|provider| provider.offers().reversal);
        // The printer is asked by this, if nothing is known of it yet.
        let health = counter.health().await;
        let devices = Devices::of(counter).await.into_inner();
        Self::from_parts(health, reversal.map(confirmed), devices)
    }

    fn from_parts(health: CounterHealth, reversal_confirmed: Option<bool>, devices: Vec<Device>) -> Self {
        Self {
            sells: health.journal_writes && health.hindrance.is_none(),
            hindrance: health.hindrance,
            clock: Clock {
                right: health.clock_trouble.is_none(),
                trouble: health.clock_trouble,
                offset_ms: health.clock_offset_ms,
            },
            journal: Journal {
                writes: health.journal_writes,
                trouble: health.journal_trouble,
                set_aside: health.set_aside,
            },
            provider: health.provider.map(Provider::from),
            vouchers: health.vouchers.map(Provider::from),
            vouchers_trouble: health.vouchers_trouble,
            reversal_confirmed,
            printer: health.printer.map(|status| Printer {
                fault: status.fault.map(Fault::from),
                paper_low: status.paper_low,
                drawer_pin_high: status.drawer_pin_high,
            }),
            devices,
            products: health.shelf.into(),
            open_sales: health.open_sales,
            open_redemptions: health.open_redemptions,
            owed: health.owed,
            questions: health.questions,
        }
    }
}

/// How everything is
///
/// Always 200 while the daemon runs: read `sells`.
#[utoipa::path(
    get,
    path = "/v1/health",
    tag = "health",
    operation_id = "read_health",
    responses((status = 200, description = "How everything is", body = Health), AnyProblems)
)]
async fn health(State(state): State<ApiState>) -> Json<Health> {
    Json(Health::of(state.counter()).await)
}
