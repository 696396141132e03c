//! What becomes of the devices beside the till: their changes are written down, and slips that waited for a printer go on.
//!
//! ```text
//!  printer ── condition ──► follow ──► inbox ──► observed ≠ journaled ──► an entry, an event
//!                                                     │ no fault
//!                                                     └──► every card in A9 with a fault: "the printer is ready"
//! ```
//!
//! A device's state here is what was observed last and what was written last. Only the difference is written, when it is
//! noticed, so that a restart alone writes nothing, a change that was taken back before it could be written leaves no trace,
//! and the last one is always written in the end.
//!
//! Bounds:
//! - Entries of a device are [`PACE`] apart, and twice as far after each, up to [`LONGEST_PACE`], until it has been steady for a
//!   minute and as long as that: the first fault is written at once, and a loose cable fills no disk. One more if a card waited
//!   for it, which is bounded by the next line. Health shows every change at once.
//! - A card that waits is tried at once when the printer is ready, then, if it fails again, after 2, 4, 8 … 60 s
//!   ([`LONGEST_PAUSE`]), until its time is up: a printer that says "ready" and then prints nothing does not fill the disk.
//!
//! What a printer says travels beside what became of a slip, so either may be known first. Therefore it is not the moment in
//! which the printer got ready that counts but that it is: a card that comes to wait while it is said to be ready is looked
//! at again [`PACE`] later.
//!
//! While the journal is in trouble, and while the counter is being stopped, nothing is written and nothing begun; what was
//! observed meanwhile is caught up. Nothing here keeps the counter from ending or from following the clock: pauses are by
//! the clock that nobody sets.
//!
//! Deliberately absent: whether a slip may be printed (the machine decides: not once a byte may be on paper, law L7), and
//! asking a printer anything (`devices` does).

use std::collections::BTreeMap;
use std::time::Duration;

use tilld_devices::printer::{Single, Status};
use tilld_domain::device::{Condition, Device};
use tilld_domain::ids::DeviceName;
use tilld_domain::order::{Order, OrderEvent, State};
use tilld_domain::sale::SaleEvent;
use tilld_journal::{DeviceRow, Event, Subject, device_id};
use tokio::sync::mpsc;

use super::turn::{Cause, Turn};
use super::{Driver, Message};
use crate::devices::condition_of;
use crate::now::{Happening, Standing, Whose};

/// How far apart the entries of a device are at least, and how far those of one that flaps for ever.
const PACE: Duration = Duration::from_secs(2);
const LONGEST_PACE: Duration = Duration::from_mins(10);
/// For how long nothing must change, at least, before a device counts as steady again.
const STEADY: Duration = Duration::from_mins(1);
/// The longest pause before a card is tried again whose printer says that it is ready, and then is not.
const LONGEST_PAUSE: Duration = Duration::from_mins(1);

/// Tells the driver how a printer is, whenever that changes, for as long as there is somebody to tell and something to hear.
pub(crate) async fn follow(Single { name, mut condition }: Single, inbox: mpsc::Sender<Message>) {
    let Ok(name) = name.parse::<DeviceName>() else {
        tracing::error!("a printer's name cannot be written down: its faults are shown, and not journaled");
        return;
    };
    loop {
        let said = *condition.borrow_and_update();
        let told = inbox.send(Message::Device { name: name.clone(), said }).await;
        if told.is_err() || condition.changed().await.is_err() {
            return;
        }
    }
}

/// How the devices are. Moments are of the clock that nobody sets.
#[derive(Debug, Default)]
pub(super) struct Devices {
    watched: BTreeMap<DeviceName, Watched>,
    /// The cards that were told that their printer is ready: how often, and when they may be told again.
    told: BTreeMap<Whose, (u32, Duration)>,
    /// When it is looked which cards wait for a printer.
    look: Option<Duration>,
}

#[derive(Debug, Default)]
struct Watched {
    /// What was written last; of a device that was never written about, that nothing is wrong.
    journaled: Condition,
    /// What was observed last; none since the start.
    observed: Option<Condition>,
    /// It said itself that nothing hinders it, or what hindered it has gone.
    ready: bool,
    /// How far the last entry and the next one are apart.
    pace: Duration,
    /// Until when nothing is written about it.
    quiet_until: Duration,
    /// When what could not be written is tried again.
    again: Duration,
}

impl Watched {
    fn is_changed(&self) -> bool {
        self.observed.is_some_and(|observed| observed != self.journaled)
    }

    /// When what has changed is written.
    fn due(&self) -> Duration {
        self.quiet_until.max(self.again)
    }
}

impl Devices {
    /// What the journal holds.
    pub(super) fn know(&mut self, rows: Vec<DeviceRow>) {
        for DeviceRow { device: Device { name, condition }, .. } in rows {
            self.watched.entry(name).or_default().journaled = condition;
        }
    }

    /// What a printer says of itself. `said`: none if nothing is known to be wrong any more, and it cannot be asked.
    pub(super) fn observe(&mut self, name: DeviceName, said: Option<Status>, now: Duration) {
        let watched = self.watched.entry(name).or_default();
        if said.is_none() && watched.observed.is_none() {
            // Nothing is known yet.
            return;
        }
        let observed = condition_of(said);
        watched.observed = Some(observed);
        watched.ready = observed.fault.is_none();
        if watched.ready {
            self.look = Some(now);
        } else if !self.is_ready() {
            self.look = None;
        }
    }

    /// A card waits for a printer.
    pub(super) fn somebody_waits(&mut self, now: Duration) {
        if self.is_ready() {
            let look = now.saturating_add(PACE);
            self.look = Some(self.look.map_or(look, |before| before.min(look)));
        }
    }

    /// An entry about a device is on disk.
    fn written(&mut self, device: &Device, now: Duration) {
        let watched = self.watched.entry(device.name.clone()).or_default();
        watched.journaled = device.condition;
        let was_steady = now >= watched.quiet_until.saturating_add(watched.pace.max(STEADY));
        let twice = watched.pace.saturating_mul(2).clamp(PACE, LONGEST_PACE);
        watched.pace = if was_steady { PACE } else { twice };
        watched.quiet_until = now.saturating_add(watched.pace);
    }

    /// Whether a slip may go somewhere.
    fn is_ready(&self) -> bool {
        self.watched.values().any(|watched| watched.ready)
    }

    /// When something is to be done; none if nothing is.
    pub(super) fn due(&self) -> Option<Duration> {
        let changed = self.watched.values().filter(|watched| watched.is_changed());
        changed.map(Watched::due).chain(self.look).min()
    }

    /// What is to be written: of all devices if a card waits for one.
    fn take_changes(&mut self, now: Duration, somebody_waits: bool) -> Vec<Device> {
        let mut changed = Vec::new();
        for (name, watched) in &mut self.watched {
            if let Some(condition) = watched.observed
                && watched.is_changed()
                && (somebody_waits || watched.due() <= now)
            {
                // If it turns out that it cannot be written, it is tried after a pause.
                watched.again = now.saturating_add(PACE);
                changed.push(Device { name: name.clone(), condition });
            }
        }
        changed
    }

    /// Which of the cards that wait are told now. `waiting`: all of them.
    fn take_waiting(&mut self, waiting: &[Whose], now: Duration) -> Vec<Whose> {
        self.look = None;
        if !self.is_ready() {
            return Vec::new();
        }
        let mut told = Vec::new();
        for whose in waiting {
            let (times, again) = self.told.get(whose).copied().unwrap_or_default();
            if now >= again {
                let pause =
                    PACE.saturating_mul(1_u32.checked_shl(times).unwrap_or(u32::MAX)).min(LONGEST_PAUSE);
                self.told.insert(*whose, (times.saturating_add(1), now.saturating_add(pause)));
                told.push(*whose);
            } else {
                self.look = Some(self.look.map_or(again, |before| before.min(again)));
            }
        }
        told
    }

    /// Keeps in mind only what `is_open`.
    fn forget(&mut self, is_open: impl Fn(Whose) -> bool) {
        self.told.retain(|whose, _| is_open(*whose));
    }
}

impl Driver {
    /// An entry about a device is on disk.
    pub(super) fn device_written(&mut self, device: &Device) {
        self.devices.written(device, self.ports.clock.steady());
    }

    /// Whether something that could not be written follows from how the devices are. Then it is looked at again later.
    pub(super) fn is_seen_again(&mut self, happening: &Happening) -> bool {
        let ready = matches!(happening.event, Event::Sale(SaleEvent::Card(_, OrderEvent::PrinterReady)));
        if ready {
            self.devices.somebody_waits(self.ports.clock.steady());
        }
        // A day is closed anew by whoever was not told that it is.
        ready || matches!(happening.event, Event::Device(_) | Event::Day(_))
    }

    /// Stages what is due: changes of devices, and that the printer is ready for cards that wait for it.
    pub(super) fn stage_devices(&mut self, turn: &mut Turn) {
        let now = self.ports.clock.steady();
        if self.trouble.is_some() || self.stopping.is_some() || self.devices.due().is_none_or(|due| due > now)
        {
            return;
        }
        let open = &self.open;
        self.devices.forget(|whose| open.contains_key(&whose.subject()));
        let waiting: Vec<Whose> = self.open.values().flat_map(|now| waits(&now.it)).collect();
        let told = self.devices.take_waiting(&waiting, now);
        for device in self.devices.take_changes(now, !told.is_empty()) {
            self.stage(turn, Happening::to_device(device), Cause::Happened);
        }
        for whose in told {
            if let Whose::Card(sale, card) = whose {
                let event = Event::Sale(SaleEvent::Card(card, OrderEvent::PrinterReady));
                let ready = Happening { subject: Subject::Sale(sale), event };
                self.stage(turn, ready, Cause::Happened);
            }
        }
    }

    /// Does what is due, if no message came that it could have gone with.
    pub(super) fn attend_devices(&mut self) {
        let mut turn = Turn::default();
        self.stage_devices(&mut turn);
        self.commit(turn);
    }
}

impl Happening {
    /// A device is like this now.
    fn to_device(device: Device) -> Self {
        Self { subject: Subject::Device(device_id(&device.name)), event: Event::Device(device) }
    }
}

/// The cards of something that wait for a printer (A9).
pub(super) fn waits(it: &Standing) -> Vec<Whose> {
    let Standing::Sale(sale) = it else { return Vec::new() };
    let id = sale.opening.sale;
    let waiting = |order: &Order| matches!(order.state, State::Active { fault: Some(_), .. });
    sale.cards().filter(|(_, order)| waiting(order)).map(|(card, _)| Whose::Card(id, card)).collect()
}

#[cfg(test)]
mod tests;
