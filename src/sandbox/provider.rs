//! The provider's own door: every request to `/v1` comes in here and is checked as strictly as the documents say.
//!
//! The order of the checks: host, size, date, signature, path, rate limit, fault, content type; then the call itself.
//! Nothing is known of the order at the real provider. A request is read whole before anything is checked, because the
//! signature covers its body, and is carried out without an await in between, so a client that leaves in the middle of
//! it cannot stop it half way.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderName, Response, header};

use tokio::sync::watch;

use crate::answer::Answer;
use crate::calls::Arrival;
use crate::faults::{ErrorBody, Executed, Fault, Loss};
use crate::house::{House, Job, Pause};
use crate::line::{LineEnd, closed};
use crate::refusal::{Code, Refusal};
use crate::request::CallKind;
use crate::signature::{self, AuthorizationError, Signed, SigningProfile};

/// The largest body that is looked at.
const LARGEST_BODY: usize = 64 * 1024;
/// The largest body that is still read, so that its sender sees the refusal and not a reset.
const LARGEST_READ: usize = 1024 * 1024;
/// How long a body may take to arrive.
const BODY_TIME: Duration = Duration::from_secs(10);

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

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
pub(crate) async fn door(
    State(house): State<Arc<House>>,
    ConnectInfo(line): ConnectInfo<LineEnd>,
    request: Request,
) -> Response<Body> {
    let ending = tokio::select! {
        ending = serve(&house, request) => ending,
        () = closed(house.closing.clone()) => Ending::Reset,
    };
    match ending {
        Ending::Answered(answer) => answer.response(house.world().now()),
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

async fn serve(house: &Arc<House>, request: Request) -> Ending {
    let (parts, body) = request.into_parts();
    let Ok(read) = tokio::time::timeout(BODY_TIME, to_bytes(body, LARGEST_READ)).await else {
        return Ending::Reset;
    };
    // An error is a body beyond the bound, or a client that left while sending and sees no answer.
    let body = read.map(Vec::from).ok();
    let key = text(&parts.headers, &IDEMPOTENCY_KEY);
    let method = parts.method.as_str().to_owned();
    let path = parts.uri.path().to_owned();
    let query = parts.uri.query().unwrap_or_default().to_owned();
    let n = {
        let mut world = house.world();
        let at = format!("{:.3}", world.now());
        let arrival =
            Arrival { at, method: &method, path: &path, query: &query, idempotency_key: key.as_deref() };
        world.calls.begin(arrival)
    };
    let refused = |refusal: &Refusal| {
        let answer = house.world().refused(refusal, n);
        Ending::Answered(told(house, n, answer))
    };
    let Some(body) = body.filter(|body| body.len() <= LARGEST_BODY) else {
        let wrong_host = host(house, &parts.headers).is_none();
        return refused(&if wrong_host { Code::InvalidHost } else { Code::ContentTooLarge }.into());
    };
    let covered = Signed {
        host: "",
        method: &method,
        path: &path,
        query: &query,
        date: "",
        idempotency_key: key.as_deref().unwrap_or_default(),
        body: &body,
    };
    let admitted = admit(house, &parts.headers, &covered).and_then(|()| {
        let (call, order_id) = CallKind::of(&method, &path).ok_or(Code::PathNotFound)?;
        let mut world = house.world();
        world.calls.note(n, |record| {
            record.call = Some(call);
            record.order_id.clone_from(&order_id);
        });
        world.let_through()?;
        Ok((call, order_id))
    });
    let (call, order_id) = match admitted {
        Ok(admitted) => admitted,
        Err(refusal) => return refused(&refusal),
    };
    let is_json = body.is_empty() || content_is_json(&parts.headers);
    let job = Job { n, call, method, path, query, order_id, key, body };
    // Followed from under the lock: whoever sees the call as held can release it.
    let (fault, releases) = {
        let mut world = house.world();
        let fault = world.faults.take(call);
        let name = fault.as_ref().map(Fault::name);
        let held = matches!(fault, Some(Fault::Hold { .. }));
        world.calls.note(n, |record| {
            record.fault = name;
            record.held = held;
        });
        (fault, house.releases())
    };
    house.announce();
    let ending = match fault {
        None if !is_json => return refused(&Code::InvalidRequestBody.into()),
        None => Ending::Answered(house.carry_out(&job)),
        Some(fault) => faulty(house, job, fault, releases).await,
    };
    tracing::debug!(n, ?call, "sandbox call ended");
    match ending {
        Ending::Answered(answer) => Ending::Answered(told(house, n, answer)),
        lost => lost,
    }
}

/// Writes into the call log what is answered.
fn told(house: &House, n: u64, answer: Answer) -> Answer {
    let (status, code) = (answer.status, answer.code.clone());
    house.world().calls.note(n, |record| {
        record.status = Some(status);
        record.code = code;
    });
    house.announce();
    answer
}

/// Lets a fault have its way with a call.
async fn faulty(house: &Arc<House>, job: Job, fault: Fault, releases: watch::Receiver<u64>) -> Ending {
    match fault {
        Fault::Refuse { code, status, retry_after_s } => {
            let named = Refusal::named(&code, status);
            let refusal = Refusal { retry_after_s: retry_after_s.map(u64::from), ..named };
            Ending::Answered(house.world().refused(&refusal, job.n))
        }
        Fault::Delay { ms } => {
            let pause = Pause::For(Duration::from_millis(u64::from(ms)));
            house.carry_out_after(pause, job).await.map_or(Ending::Reset, Ending::Answered)
        }
        Fault::Late { ms } => {
            let answer = house.carry_out(&job);
            tokio::time::sleep(Duration::from_millis(u64::from(ms))).await;
            Ending::Answered(answer)
        }
        Fault::DropRequest { how } => how.into(),
        Fault::DropAnswer { how } => {
            house.carry_out(&job);
            how.into()
        }
        Fault::Hold { executed } => {
            let pause = Pause::UntilReleased(releases);
            match executed {
                Executed::BeforeRelease => {
                    let answer = house.carry_out(&job);
                    pause.over().await;
                    Ending::Answered(answer)
                }
                Executed::AfterRelease => {
                    house.carry_out_after(pause, job).await.map_or(Ending::Reset, Ending::Answered)
                }
            }
        }
        Fault::ServerError { status, applied, body } => {
            if applied {
                house.carry_out(&job);
            }
            Ending::Answered(match body {
                ErrorBody::Json => {
                    let refusal = Refusal { status, ..Code::Internal.into() };
                    house.world().refused(&refusal, job.n)
                }
                ErrorBody::Text => Answer::text(status),
                ErrorBody::Empty => Answer::empty(status),
            })
        }
        Fault::Truncate => Ending::Answered(house.carry_out(&job).truncated()),
        Fault::Html { status, applied } => {
            if applied {
                house.carry_out(&job);
            }
            Ending::Answered(Answer::html(status))
        }
        Fault::Oversize => Ending::Answered(house.carry_out(&job).oversize()),
        Fault::UnknownState { word } => Ending::Answered(house.carry_out(&job).in_state(&word)),
    }
}

/// A header that was sent exactly once, as text.
fn text(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?;
    values.next().is_none().then(|| String::from_utf8_lossy(value.as_bytes()).into_owned())
}

/// The `host:port` that the `Host` header names; the port may be left out where it is the scheme's own.
fn host<'a>(house: &'a House, headers: &HeaderMap) -> Option<&'a str> {
    let named = text(headers, &header::HOST)?;
    let fits = |host: &&String| {
        let bare = host.strip_suffix(":443").or_else(|| host.strip_suffix(":80"));
        host.eq_ignore_ascii_case(&named) || bare.is_some_and(|bare| bare.eq_ignore_ascii_case(&named))
    };
    house.hosts.iter().find(fits).map(String::as_str)
}

/// Host, date and signature.
fn admit(house: &House, headers: &HeaderMap, covered: &Signed<'_>) -> Result<(), Refusal> {
    let host = host(house, headers).ok_or(Code::InvalidHost)?;
    let date = text(headers, &header::DATE).ok_or(Code::InvalidDate)?;
    let said = signature::parse_date(&date).ok_or(Code::InvalidDate)?;
    let (now, skew, profile) = {
        let world = house.world();
        (world.now(), world.switches.date_skew_s, world.switches.signing_profile)
    };
    if now.duration_since(said).unsigned_abs() > Duration::from_secs(u64::from(skew)) {
        return Err(Code::InvalidDate.into());
    }
    let authorization = text(headers, &header::AUTHORIZATION).ok_or(Code::InvalidSignature)?;
    let authorization = signature::parse_authorization(&authorization).map_err(|error| match error {
        AuthorizationError::Form => Code::InvalidSignature,
        AuthorizationError::NotHex => Code::InvalidSignatureFormat,
    })?;
    let bare = host.rsplit_once(':').map_or(host, |(bare, _)| bare);
    let credentials = &house.settings.credentials;
    let holds = |host: &str| {
        let covered = Signed { host, date: &date, ..*covered };
        signature::holds(&credentials.secret, &covered, &authorization.signature)
    };
    let signed = match profile {
        SigningProfile::WithPort => holds(host),
        SigningProfile::Bare => holds(bare),
        SigningProfile::Either => holds(host) | holds(bare),
    };
    // Both are always computed: the time of the answer must not tell a known key id from an unknown one.
    if signed & signature::same_key_id(&credentials.key_id, &authorization.key_id) {
        Ok(())
    } else {
        Err(Code::InvalidSignature.into())
    }
}

/// Whether a body says that it is JSON, or says nothing.
fn content_is_json(headers: &HeaderMap) -> bool {
    match headers.get(header::CONTENT_TYPE).map(|value| value.as_bytes().to_ascii_lowercase()) {
        None => true,
        Some(value) => value == b"application/json" || value.starts_with(b"application/json;"),
    }
}
