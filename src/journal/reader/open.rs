//! What was not closed after an entry: the obligations of a day, as they were when it was closed.
//!
//! No table says how things stood once. What a card or a redemption was after an entry is the fold of its own entries up to that one,
//! so only the few are folded that may have been open then:
//!
//! - what is open now and had begun: found by the index of open rows. Of most the last entry is not a later one, and their rows are the
//!   answer as they stand;
//! - what was closed, or opened again, by a later entry. It has exactly one entry that is later and follows one that is not. Behind a
//!   closing of the last days there are few entries ([`FEW`]), and these are read. Behind an older one the rows of sales and
//!   redemptions are, whose last entry is a later one: at 5,000,000 entries a million rows of some 100 bytes, a tenth of a second,
//!   where the entries themselves would be gigabytes.
//!
//! Everything is read at one moment: what is closed while it is read must not fall between the two.

use std::collections::BTreeMap;

use rusqlite::params;
use tilld_domain::ids::{ProviderOrderId, ProviderRedemptionId, RedemptionId, SaleId};
use tilld_domain::moment::Moment;
use tilld_domain::money::Money;
use tilld_domain::redemption::Redemption;
use tilld_domain::sale::{CardNo, Sale};
use uuid::Uuid;

use super::{Line, Listed, Reader};
use crate::chain::Head;
use crate::entry::{Seq, Subject};
use crate::failure::ReadError;
use crate::tables::{self, is_owed_word, phase_word};
use crate::{form, read};

/// Up to how many entries are read themselves: those of some days, a few MB.
const FEW: u64 = 20_000;

impl Reader {
    /// The cards and redemptions that were not closed after an entry, oldest first, at most `most`, as they stood then; without an
    /// entry, as they stand.
    pub fn open_after(&self, entry: Option<Seq>, most: usize) -> Result<Vec<Line>, ReadError> {
        self.open_after_by(entry, most, FEW)
    }

    pub(crate) fn open_after_by(
        &self,
        entry: Option<Seq>,
        most: usize,
        few: u64,
    ) -> Result<Vec<Line>, ReadError> {
        let moment = self.database().unchecked_transaction()?;
        let last = Head::read(&moment, self.journal())?.seq;
        let upto = entry.map_or(last, |entry| entry.min(last));
        let mut subjects = self.open_now(upto)?;
        if upto < last {
            let is_recent = last.number().saturating_sub(upto.number()) <= few;
            subjects.extend(if is_recent { self.crossing_entries(upto)? } else { self.crossing_rows(upto)? });
        }
        let mut lines = Vec::new();
        for subject in subjects.into_values() {
            lines.extend(self.lines_after(subject, upto)?.into_iter().filter(Line::is_open));
            if lines.len() >= most {
                break;
            }
        }
        lines.truncate(most);
        Ok(lines)
    }

    /// What is open now and had begun, by its first entry.
    fn open_now(&self, upto: Seq) -> Result<BTreeMap<i64, Subject>, ReadError> {
        self.by_first_entry("open = 1 AND first_seq <= ?1", upto)
    }

    /// What had begun and has a later entry, by its rows.
    fn crossing_rows(&self, upto: Seq) -> Result<BTreeMap<i64, Subject>, ReadError> {
        self.by_first_entry("first_seq <= ?1 AND last_seq > ?1", upto)
    }

    fn by_first_entry(&self, which: &str, upto: Seq) -> Result<BTreeMap<i64, Subject>, ReadError> {
        let mut found = BTreeMap::new();
        for table in ["sale", "redemption"] {
            let mut statement = self
                .database()
                .prepare_cached(&format!("SELECT first_seq, id FROM {table} WHERE {which}"))?;
            let mut rows = statement.query(params![upto.column()])?;
            while let Some(row) = rows.next()? {
                let id = Uuid::from_bytes(row.get(1)?);
                let subject = if table == "sale" {
                    Subject::Sale(SaleId::new(id))
                } else {
                    Subject::Redemption(RedemptionId::new(id))
                };
                found.insert(row.get(0)?, subject);
            }
        }
        Ok(found)
    }

    /// The same, by its entries.
    fn crossing_entries(&self, upto: Seq) -> Result<BTreeMap<i64, Subject>, ReadError> {
        let mut statement = self.database().prepare_cached(
            "SELECT kind, subject FROM entry WHERE seq > ?1 AND previous <= ?1 ORDER BY seq",
        )?;
        let mut rows = statement.query(params![upto.column()])?;
        let mut found = BTreeMap::new();
        while let Some(row) = rows.next()? {
            let id = Uuid::from_bytes(row.get(1)?);
            let subject = form::subject(row.get_ref(0)?.as_str().unwrap_or_default(), id);
            let first = match subject {
                Subject::Sale(sale) => self.sale_row(sale)?.map(|row| row.first),
                Subject::Redemption(redemption) => self.redemption_row(redemption)?.map(|row| row.first),
                Subject::Device(_) | Subject::Day(_) => None,
            };
            found.extend(first.map(|first| (first.column(), subject)));
        }
        Ok(found)
    }

    /// The lines of something as it stood after an entry; none if it had not begun.
    fn lines_after(&self, subject: Subject, upto: Seq) -> Result<Vec<Line>, ReadError> {
        let mut lines = self.lines_of(subject)?;
        if lines.first().is_none_or(|line| last_of(line) <= upto) {
            return Ok(lines);
        }
        match subject {
            Subject::Sale(_) => {
                let then = read::latest_upto::<Sale>(self.database(), subject, upto, None)?;
                let Some((sale, seq, at)) = then else { return Ok(Vec::new()) };
                for line in &mut lines {
                    line.turn_back_to_sale(&sale, seq, at);
                }
            }
            Subject::Redemption(_) => {
                let then = read::latest_upto::<Redemption>(self.database(), subject, upto, None)?;
                let Some((redemption, seq, at)) = then else { return Ok(Vec::new()) };
                for line in &mut lines {
                    line.turn_back_to_redemption(&redemption, seq, at);
                }
            }
            Subject::Device(_) | Subject::Day(_) => {}
        }
        Ok(lines)
    }
}

fn last_of(line: &Line) -> Seq {
    match &line.listed {
        Listed::Card(sale, _) => sale.last,
        Listed::Redemption(row) => row.last,
    }
}

impl Line {
    /// What later entries may have changed becomes what it was.
    fn turn_back_to_sale(&mut self, then: &Sale, last: Seq, at: Moment) {
        self.last_at = at;
        let Listed::Card(sale, card) = &mut self.listed else { return };
        phase_word(then.phase()).clone_into(&mut sale.phase);
        sale.open = !then.is_closed();
        sale.closed = then.is_closed().then_some(at);
        sale.paid = tables::paid(then).map(|minor| Money::new(minor, sale.total.currency()));
        sale.last = last;
        // The row of a line's sale names its other cards.
        for card in sale.cards.iter_mut().chain([card.as_mut()]) {
            let Some(order) = CardNo::new(card.card).and_then(|number| then.order(number)) else { continue };
            order.state_name().clone_into(&mut card.state);
            card.owed = is_owed_word(&card.state);
            card.provider_order =
                order.past.provider_order.as_ref().map(ProviderOrderId::as_str).map(str::to_owned);
        }
    }

    fn turn_back_to_redemption(&mut self, then: &Redemption, last: Seq, at: Moment) {
        self.last_at = at;
        let Listed::Redemption(row) = &mut self.listed else { return };
        then.state_name().clone_into(&mut row.state);
        row.open = !then.is_closed();
        row.owed = is_owed_word(&row.state);
        row.closed = then.is_closed().then_some(at);
        row.taken = then.past.taken.map(|taken| taken.worth);
        row.provider_redemption =
            then.past.redemption.as_ref().map(ProviderRedemptionId::as_str).map(str::to_owned);
        row.last = last;
    }
}
