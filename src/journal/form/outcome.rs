//! The form of how a call to a provider ends. What it did has a form of its own.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tilld_domain::outcome::{Outcome, Trouble};
use tilld_domain::refusal::Refusal;

use super::text::refusal;

/// The end of a call; what was done is written by its own form.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum OutcomeForm<T> {
    Done(T),
    Refused(#[serde(with = "refusal")] Refusal),
    Later { retry_after: Option<Duration> },
    NotSent(#[serde(with = "TroubleForm")] Trouble),
    Unknown(#[serde(with = "TroubleForm")] Trouble),
}

impl<T> OutcomeForm<T> {
    pub(super) fn lend<'a, U>(outcome: &'a Outcome<U>, done: impl FnOnce(&'a U) -> T) -> Self {
        match outcome {
            Outcome::Done(value) => Self::Done(done(value)),
            Outcome::Refused(why) => Self::Refused(why.clone()),
            Outcome::Later { retry_after } => Self::Later { retry_after: *retry_after },
            Outcome::NotSent(trouble) => Self::NotSent(*trouble),
            Outcome::Unknown(trouble) => Self::Unknown(*trouble),
        }
    }

    pub(super) fn give<U>(self, done: impl FnOnce(T) -> U) -> Outcome<U> {
        match self {
            Self::Done(value) => Outcome::Done(done(value)),
            Self::Refused(why) => Outcome::Refused(why),
            Self::Later { retry_after } => Outcome::Later { retry_after },
            Self::NotSent(trouble) => Outcome::NotSent(trouble),
            Self::Unknown(trouble) => Outcome::Unknown(trouble),
        }
    }
}

/// A module that writes and reads the end of a call by the form of what the call does.
macro_rules! outcome_of {
    ($name:ident, $value:ident, $form:literal) => {
        mod $name {
            use super::*;
            use crate::form::outcome::OutcomeForm;

            #[derive(Serialize)]
            struct Lent<'a>(#[serde(with = $form)] &'a $value);

            #[derive(Deserialize)]
            struct Owned(#[serde(with = $form)] $value);

            pub(super) fn serialize<S: Serializer>(
                value: &Outcome<$value>,
                out: S,
            ) -> Result<S::Ok, S::Error> {
                OutcomeForm::lend(value, Lent).serialize(out)
            }

            pub(super) fn deserialize<'de, D: Deserializer<'de>>(
                from: D,
            ) -> Result<Outcome<$value>, D::Error> {
                Ok(OutcomeForm::<Owned>::deserialize(from)?.give(|Owned(value)| value))
            }
        }
    };
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Trouble", rename_all = "snake_case")]
enum TroubleForm {
    Connect,
    Broken,
    Silent,
    ServerError(u16),
    Unreadable,
    OddStatus(u16),
}

pub(super) use outcome_of;
