//! The catalogue that the counter sells from: kept in the journal's database, fetched anew once a day and on demand, so
//! that a sale never waits for it (fact sheet 3.5).

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tilld_domain::moment::Moment;
use tilld_domain::outcome::{Outcome, Trouble};
use tilld_domain::product::Product;
use tilld_domain::refusal::Refusal;
use tilld_providers::GiftCards;

use crate::book::Book;
use crate::clock::Clock;
use crate::perform::Line;
use crate::pictures::Pictures;
use crate::{Ports, StartError, blocking};

/// How long to wait after a catalogue could not be fetched: the line may be back in a minute, and nobody waits for it.
const RETRY: Duration = Duration::from_mins(1);

/// What is known of the catalogue.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ShelfState {
    /// How many products are known.
    pub products: usize,
    /// When they were fetched; none if they never were.
    pub fetched: Option<Moment>,
    /// How many entries of the catalogue could not be read the last time.
    pub unreadable: usize,
    /// How many products have a picture here.
    pub pictures: usize,
    /// Why it could not be fetched the last time; none if it could, or was not tried yet.
    pub failed: Option<Refusal>,
}

impl ShelfState {
    /// Why there is nothing to sell, and what to do next; none if there is something.
    pub fn trouble(&self) -> Option<String> {
        if self.products > 0 {
            return None;
        }
        Some(match (&self.failed, self.fetched) {
            (None, None) => "The product list has not arrived yet. It is being fetched.".to_owned(),
            (None, Some(_)) => {
                "The provider's product list is empty. Ask its people to put this shop's products into it."
                    .to_owned()
            }
            (Some(Refusal::NoConnection), _) => {
                "The product list has not arrived yet: the provider cannot be reached, or does not answer. See whether the line to it works; it is fetched again by itself."
                    .to_owned()
            }
            (Some(why), _) => {
                let next = why.set_up().unwrap_or_else(|| why.sentence());
                format!("The product list has not arrived yet ({}). {}", why.code(), capital(next))
            }
        })
    }
}

/// A sentence that begins one.
fn capital(sentence: &str) -> String {
    let mut letters = sentence.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// The catalogue in memory.
pub(crate) struct Shelf {
    kept: RwLock<(Arc<Vec<Product>>, ShelfState)>,
    pub(crate) pictures: Arc<Pictures>,
}

impl Shelf {
    /// Takes the catalogue out of the journal's database.
    pub(crate) async fn read(ports: &Ports) -> Result<Self, StartError> {
        let (book, provider) = (ports.journal.clone(), ports.provider.name().to_owned());
        let kept = blocking(ports.clock.as_ref(), move || book.products(&provider))
            .await
            .map_err(|_| StartError::Stopping)?;
        let (products, fetched) = match kept {
            Ok(kept) => kept,
            // A cache that cannot be read is fetched anew.
            Err(error) => {
                tracing::warn!(%error, "the kept catalogue cannot be read");
                (Vec::new(), None)
            }
        };
        let state = ShelfState { products: products.len(), fetched, ..ShelfState::default() };
        let pictures = Arc::new(Pictures::open(ports).await?);
        Ok(Self { kept: RwLock::new((Arc::new(products), state)), pictures })
    }

    pub(crate) fn products(&self) -> Arc<Vec<Product>> {
        Arc::clone(&self.kept.read().unwrap_or_else(PoisonError::into_inner).0)
    }

    pub(crate) fn state(&self) -> ShelfState {
        let state = self.kept.read().unwrap_or_else(PoisonError::into_inner).1.clone();
        ShelfState { pictures: self.pictures.count(), ..state }
    }

    /// Fetches the catalogue and puts it in place and into the database. It is in place also while the database cannot be
    /// written: what is there when the journal heals need not be waited for.
    pub(crate) async fn refresh(
        &self,
        book: &Book,
        provider: &dyn GiftCards,
        clock: &dyn Clock,
        line: &Line,
    ) -> Result<ShelfState, Refusal> {
        let fetched = self.fetch(book, provider, clock, line).await;
        if let Err(why) = &fetched {
            self.kept.write().unwrap_or_else(PoisonError::into_inner).1.failed = Some(why.clone());
        }
        fetched
    }

    async fn fetch(
        &self,
        book: &Book,
        provider: &dyn GiftCards,
        clock: &dyn Clock,
        line: &Line,
    ) -> Result<ShelfState, Refusal> {
        let deadline = provider.deadlines().other;
        let outcome = tokio::select! {
            biased;
            outcome = provider.products() => outcome,
            () = clock.sleep(deadline) => Outcome::Unknown(Trouble::Silent),
        };
        line.note(&outcome, provider, clock);
        let catalogue = match outcome {
            Outcome::Done(catalogue) => catalogue,
            Outcome::Refused(why) => return Err(why),
            Outcome::Later { .. } | Outcome::NotSent(_) | Outcome::Unknown(_) => {
                return Err(Refusal::NoConnection);
            }
        };
        let at = clock.now();
        let products = Arc::new(catalogue.products);
        let (book, name, to_keep) = (book.clone(), provider.name().to_owned(), Arc::clone(&products));
        if let Err(error) = blocking(clock, move || book.replace_products(&name, &to_keep, at)).await? {
            tracing::warn!(%error, "the catalogue is fetched, and cannot be kept for the next start");
        }
        let state = ShelfState {
            products: products.len(),
            fetched: Some(at),
            unreadable: catalogue.unreadable,
            ..ShelfState::default()
        };
        *self.kept.write().unwrap_or_else(PoisonError::into_inner) = (products, state);
        self.pictures.named(catalogue.pictures);
        let state = self.state();
        tracing::info!(products = state.products, unreadable = state.unreadable, "the catalogue is fetched");
        Ok(state)
    }

    /// Fetches the catalogue at the start (another shop, key or country may be configured since) and whenever it has got old.
    /// Never ends.
    pub(crate) async fn keep_fresh(self: Arc<Self>, ports: Ports, line: Arc<Line>, age: Duration) {
        // What an earlier run fetched may be another shop's.
        let mut fetched_by_this_run = false;
        loop {
            let known = self.state().fetched.filter(|_| fetched_by_this_run);
            let old = known.map_or(age, |fetched| ports.clock.now().long_since(fetched));
            let pause = if old < age {
                age.saturating_sub(old)
            } else {
                match self.refresh(&ports.journal, ports.provider.as_ref(), ports.clock.as_ref(), &line).await
                {
                    Ok(_) => {
                        fetched_by_this_run = true;
                        age
                    }
                    Err(why) => {
                        tracing::warn!(why = why.code(), "the catalogue could not be fetched");
                        RETRY
                    }
                }
            };
            ports.clock.sleep(pause).await;
        }
    }
}
