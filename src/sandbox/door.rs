//! A provider's own door: every request comes in here, is checked by the provider, meets a fault or not, and is
//! answered or not.
//!
//! A request is read whole before anything is checked, and is carried out without an await in between, so a client that
//! leaves in the middle of it cannot stop it half way. Faults stand behind the provider's checks of who is asking, what
//! for, and how often.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderName, Response};
use tokio::sync::watch;

use crate::answer::Answer;
use crate::calls::Arrival;
use crate::faults::{ErrorBody, Executed, Fault, Loss};
use crate::house::{Asked, House, Pause, Provider};
use crate::line::{LineEnd, closed};

/// The largest body that is looked at.
const LARGEST_BODY: usize = 64 * 1024;
/// The largest body that is still read, so that its sender sees the refusal and not a reset.
const LARGEST_READ: usize = 1024 * 1024;
/// How long a body may take to arrive.
const BODY_TIME: Duration = Duration::from_secs(10);

/// What becomes of a call.
enum Ending {
    /// It is answered.
    Answered(Answer),
    /// The client sees a reset.
    Reset,
    /// The client sees nothing, ever.
    Silence,
}

impl From<Loss> for Ending {
    fn from(loss: Loss) -> Self {
        match loss {
            Loss::Reset => Self::Reset,
            Loss::Silence => Self::Silence,
        }
    }
}

/// Answers a request, or does not.
pub async fn door<P: Provider>(
    State(house): State<Arc<House<P>>>,
    ConnectInfo(line): ConnectInfo<LineEnd>,
    request: Request,
) -> Response<Body> {
    let ending = tokio::select! {
        ending = serve(&house, request) => ending,
        () = closed(house.closing.clone()) => Ending::Reset,
    };
    match ending {
        Ending::Answered(answer) => {
            let now = house.world().now();
            answer.response(now)
        }
        Ending::Silence => {
            closed(house.closing.clone()).await;
            line.cut();
            Response::default()
        }
        Ending::Reset => {
            line.cut();
            Response::default()
        }
    }
}

async fn serve<P: Provider>(house: &Arc<House<P>>, request: Request) -> Ending {
    let (parts, body) = request.into_parts();
    let Ok(read) = tokio::time::timeout(BODY_TIME, to_bytes(body, LARGEST_READ)).await else {
        return Ending::Reset;
    };
    // An error is a body beyond the bound, or a client that left while sending and sees no answer.
    let body = read.map(Vec::from).ok().filter(|body| body.len() <= LARGEST_BODY);
    let method = parts.method.as_str().to_owned();
    let path = parts.uri.path().to_owned();
    let query = parts.uri.query().unwrap_or_default().to_owned();
    // One lock from the arrival on: whoever sees the call as held can release it.
    let (n, admitted, fault, releases) = {
        let mut world = house.world();
        let at = format!("{:.3}", world.now());
        let n = world.calls.begin(Arrival { at, method: &method, path: &path, query: &query });
        let asked = Asked { n, method, path, query, headers: parts.headers, body };
        let admitted = P::admit(&mut world, asked);
        let fault = match &admitted {
            Ok((call, _)) => world.faults.take(*call),
            Err(_) => None,
        };
        let (name, held) = (fault.as_ref().map(Fault::name), matches!(fault, Some(Fault::Hold { .. })));
        world.calls.note(n, |record| {
            record.fault = name;
            record.held = held;
        });
        (n, admitted, fault, house.releases())
    };
    house.announce();
    let (call, ending) = match (admitted, fault) {
        (Err(refused), _) => return Ending::Answered(told(house, n, refused)),
        (Ok((call, job)), None) => (call, Ending::Answered(house.carry_out(n, &job))),
        (Ok((call, job)), Some(fault)) => (call, faulty(house, n, job, fault, releases).await),
    };
    tracing::debug!(provider = P::NAME, n, ?call, "sandbox call ended");
    match ending {
        Ending::Answered(answer) => Ending::Answered(told(house, n, answer)),
        lost => lost,
    }
}

/// Writes into the call log what is answered.
fn told<P: Provider>(house: &House<P>, n: u64, answer: Answer) -> Answer {
    let (status, code) = (answer.status, answer.code.clone());
    house.world().calls.note(n, |record| {
        record.status = Some(status);
        record.code = code;
    });
    house.announce();
    answer
}

/// Lets a fault have its way with a call.
async fn faulty<P: Provider>(
    house: &Arc<House<P>>,
    n: u64,
    job: P::Job,
    fault: Fault,
    releases: watch::Receiver<u64>,
) -> Ending {
    match fault {
        Fault::Refuse { code, status, retry_after_s, applied } => {
            if applied {
                house.carry_out(n, &job);
            }
            Ending::Answered(P::refuse(&house.world(), n, &code, status, retry_after_s))
        }
        Fault::Delay { ms } => {
            let pause = Pause::For(Duration::from_millis(u64::from(ms)));
            house.carry_out_after(pause, n, job).await.map_or(Ending::Reset, Ending::Answered)
        }
        Fault::Late { ms } => {
            let answer = house.carry_out(n, &job);
            tokio::time::sleep(Duration::from_millis(u64::from(ms))).await;
            Ending::Answered(answer)
        }
        Fault::DropRequest { how } => how.into(),
        Fault::DropAnswer { how } => {
            house.carry_out(n, &job);
            how.into()
        }
        Fault::Hold { executed } => {
            let pause = Pause::UntilReleased(releases);
            match executed {
                Executed::BeforeRelease => {
                    let answer = house.carry_out(n, &job);
                    pause.over().await;
                    Ending::Answered(answer)
                }
                Executed::AfterRelease => {
                    house.carry_out_after(pause, n, job).await.map_or(Ending::Reset, Ending::Answered)
                }
            }
        }
        Fault::ServerError { status, applied, body } => {
            if applied {
                house.carry_out(n, &job);
            }
            Ending::Answered(match body {
                ErrorBody::Json => P::broken(&house.world(), n, status),
                ErrorBody::Text => Answer::text(status),
                ErrorBody::Empty => Answer::empty(status),
            })
        }
        Fault::Truncate => Ending::Answered(house.carry_out(n, &job).truncated()),
        Fault::Html { status, applied } => {
            if applied {
                house.carry_out(n, &job);
            }
            Ending::Answered(Answer::html(status))
        }
        Fault::Oversize => Ending::Answered(house.carry_out(n, &job).oversize()),
        Fault::UnknownState { word } => Ending::Answered(house.carry_out(n, &job).in_state(&word)),
    }
}

/// A header that was sent exactly once, as text.
pub fn text(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?;
    values.next().is_none().then(|| String::from_utf8_lossy(value.as_bytes()).into_owned())
}
