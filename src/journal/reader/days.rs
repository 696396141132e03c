//! Days as they are closed and counted: which are closed, and what happened between two entries or two moments.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use rusqlite::params;
use tilld_domain::ids::{RedemptionId, SaleId};
use tilld_domain::moment::Moment;
use tilld_domain::redemption::Redemption;
use tilld_domain::sale::Sale;
use uuid::Uuid;

use super::Reader;
use crate::chain::Head;
use crate::entry::{ClosingRow, Seq, Subject};
use crate::failure::ReadError;
use crate::index::{self, STRETCH};
use crate::{form, read, tables};

/// A part of the journal. An entry is in it if both its number and its moment are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// The entries after this one,
    pub after: Seq,
    /// up to this one,
    pub upto: Seq,
    /// written at this moment or later,
    pub from: Moment,
    /// and before this one.
    pub until: Moment,
}

impl Part {
    /// Whether an entry is in it.
    pub fn holds(&self, seq: Seq, at: Moment) -> bool {
        self.after < seq && seq <= self.upto && self.from <= at && at < self.until
    }
}

impl Reader {
    /// Every closing, oldest first.
    pub fn closings(&self) -> Result<Vec<ClosingRow>, ReadError> {
        tables::day::all(self.database())
    }

    /// The last entry.
    pub fn last(&self) -> Result<Seq, ReadError> {
        Ok(Head::read(self.database(), self.journal())?.seq)
    }

    /// What the entries of a part are about.
    pub fn subjects_of(&self, part: &Part) -> Result<BTreeSet<Subject>, ReadError> {
        let mut subjects = BTreeSet::new();
        let mut statement = self.database().prepare_cached(
            "SELECT kind, subject FROM entry WHERE seq BETWEEN ?1 AND ?2 AND at >= ?3 AND at < ?4",
        )?;
        for (begin, end) in self.stretches_of(part)? {
            let mut rows = statement.query(params![begin, end, part.from.ms(), part.until.ms()])?;
            while let Some(row) = rows.next()? {
                let id = Uuid::from_bytes(row.get(1)?);
                subjects.insert(form::subject(row.get_ref(0)?.as_str().unwrap_or_default(), id));
            }
        }
        Ok(subjects)
    }

    /// The first entry of a part; none if it is empty.
    pub fn first_of(&self, part: &Part) -> Result<Option<Seq>, ReadError> {
        let mut statement = self.database().prepare_cached(
            "SELECT min(seq) FROM entry WHERE seq BETWEEN ?1 AND ?2 AND at >= ?3 AND at < ?4",
        )?;
        for (begin, end) in self.stretches_of(part)? {
            let first: Option<i64> = statement
                .query_row(params![begin, end, part.from.ms(), part.until.ms()], |row| row.get(0))?;
            if let Some(first) = first {
                return Ok(Some(Seq::of_column(first)));
            }
        }
        Ok(None)
    }

    /// Where entries of a part may stand, from number to number. The index tells where moments lie; what it does not hold yet is
    /// read entry by entry.
    fn stretches_of(&self, part: &Part) -> Result<Vec<(i64, i64)>, ReadError> {
        let mut stretches = Vec::new();
        let mut known = 0;
        if let Some((index, up_to)) = index::look(self.paths(), self.journal())? {
            known = up_to.seq;
            let mut statement = index
                .prepare("SELECT stretch FROM stretch WHERE most >= ?1 AND least < ?2 ORDER BY stretch")?;
            let mut rows = statement.query(params![part.from.ms(), part.until.ms()])?;
            while let Some(row) = rows.next()? {
                let begin = row.get::<_, i64>(0)?.saturating_mul(STRETCH);
                stretches.push((begin, begin.saturating_add(STRETCH - 1).min(known)));
            }
        }
        stretches.push((known.saturating_add(1), i64::MAX));
        let (first, last) = (part.after.next().column(), part.upto.column());
        let clipped = stretches.into_iter().map(|(begin, end)| (begin.max(first), end.min(last)));
        Ok(clipped.filter(|(begin, end)| begin <= end).collect())
    }

    /// Shows a sale after each of its entries, codes and lines gone.
    pub fn replay(
        &self,
        sale: SaleId,
        with: impl FnMut(&Sale, Seq, Moment) -> ControlFlow<()>,
    ) -> Result<(), ReadError> {
        read::replay(self.database(), Subject::Sale(sale), None, with)
    }

    /// The same for a redemption.
    pub fn replay_redemption(
        &self,
        redemption: RedemptionId,
        with: impl FnMut(&Redemption, Seq, Moment) -> ControlFlow<()>,
    ) -> Result<(), ReadError> {
        read::replay(self.database(), Subject::Redemption(redemption), None, with)
    }
}
