//! Baskets that are paid by voucher while the daemon is killed: the till that redeems for them, and the manager.
//!
//! Every basket has a voucher of its own, and is redeemed for once. The till repeats what got no answer under its key, counts what
//! it was told counts, then completes the basket or takes it back. What nobody but a manager can decide is not used: the
//! provider's people give it back if it was taken, and the case is closed.
//!
//! Two books are compared: what Gift Local has taken from a voucher and not given back, and what the till counts for its basket.

use std::collections::BTreeMap;
use std::sync::Mutex;

use futures_util::future::join_all;
use serde_json::{Value, json};
use tilld_sandbox::gift_local::{NewVoucher, Sandbox};

use crate::{Request, Till, euros};

/// What a voucher is issued with, and what is redeemed of it.
const ISSUED: &str = "50.00";
const WISH: &str = "12.50";
/// How many unanswered requests are repeated in a life that is about to end: one that is being found out takes 20 s and more.
const REPEATED: usize = 3;

/// A basket as the till has it.
#[derive(Debug, Clone, Default)]
struct Basket {
    voucher: String,
    takes_back: bool,
    redemption: Option<String>,
    /// Whether the voucher counts.
    counted: bool,
    over: bool,
}

/// All of them.
#[derive(Default)]
pub struct Baskets {
    all: Mutex<BTreeMap<String, Basket>>,
    unanswered: Mutex<Vec<Request>>,
    given_back: Mutex<usize>,
}

fn request(basket: &str, path: &str, what: &str, body: Value) -> Request {
    Request { receipt: basket.to_owned(), path: path.to_owned(), key: format!("{basket}-{what}"), body }
}

impl Baskets {
    fn with<T>(&self, basket: &str, act: impl FnOnce(&mut Basket) -> T) -> T {
        act(self.all.lock().unwrap().get_mut(basket).unwrap())
    }

    /// A guest comes: the voucher is looked at and redeemed. A look that gets no answer is given up: it takes nothing.
    pub async fn redeem(&self, till: &Till, gift_local: &Sandbox, takes_back: bool) {
        let issued = gift_local.issue(NewVoucher::money(ISSUED, "EUR")).unwrap();
        let basket = {
            let mut all = self.all.lock().unwrap();
            let name = format!("B{}", all.len() + 1);
            all.insert(name.clone(), Basket { voucher: issued.id, takes_back, ..Basket::default() });
            name
        };
        let scan = json!({ "scan": issued.code.reveal() });
        let looked = till.ask(&request(&basket, "/v1/vouchers/check", "check", scan)).await;
        let check = looked.as_ref().and_then(|looked| looked["check"].as_str());
        let Some(check) = check else { return self.with(&basket, |basket| basket.over = true) };
        let body = json!({ "check": check, "basket": basket, "amount": euros(WISH) });
        self.ask(till, request(&basket, "/v1/redemptions", "redeem", body)).await;
    }

    /// Asks; what gets no answer stays on the list, what is answered is acted on.
    async fn ask(&self, till: &Till, request: Request) {
        match till.ask(&request).await {
            None => self.unanswered.lock().unwrap().push(request),
            Some(now) => Box::pin(self.go_on(till, &request.receipt, &now)).await,
        }
    }

    /// Does what the redemption, as it is now, calls for.
    async fn go_on(&self, till: &Till, basket: &str, now: &Value) {
        let Some(id) = now["id"].as_str() else {
            // Refused: never begun, or closed meanwhile, which is read later.
            self.with(basket, |basket| {
                basket.over |= basket.redemption.is_none();
            });
            return;
        };
        let takes_back = self.with(basket, |basket| {
            basket.redemption = Some(id.to_owned());
            basket.takes_back
        });
        match (now["state"].as_str().unwrap(), now["counts"].as_str().unwrap()) {
            ("answered", _) => {
                self.with(basket, |basket| basket.counted = true);
                let act = if takes_back { "reverse" } else { "complete" };
                let path = format!("/v1/redemptions/{id}/{act}");
                self.ask(till, request(basket, &path, act, json!({}))).await;
            }
            ("completed", _) => self.with(basket, |basket| {
                basket.counted = true;
                basket.over = now["provider_redemption"].is_string();
            }),
            ("not_redeemed" | "cleared" | "settled" | "not_applied", _) => self.with(basket, |basket| {
                basket.counted = now["counts"] == "for";
                basket.over = true;
            }),
            (_, "nothing") => self.with(basket, |basket| basket.counted = false),
            _ => {}
        }
    }

    /// Repeats what got no answer; all of it, or a little.
    pub async fn repeat(&self, till: &Till, all: bool) {
        let some = {
            let mut unanswered = self.unanswered.lock().unwrap();
            let many = if all { unanswered.len() } else { unanswered.len().min(REPEATED) };
            unanswered.drain(..many).collect::<Vec<_>>()
        };
        join_all(some.into_iter().map(|request| self.ask(till, request))).await;
    }

    /// One round of a shop without kills: what is not over is read and brought on; how many are not over.
    pub async fn settle(&self, till: &Till, gift_local: &Sandbox) -> usize {
        let open: Vec<(String, Basket)> = {
            let all = self.all.lock().unwrap();
            let open = all.iter().filter(|(_, basket)| !basket.over);
            open.map(|(name, basket)| (name.clone(), basket.clone())).collect()
        };
        for (name, basket) in &open {
            let Some(id) = &basket.redemption else { continue };
            let Some(now) = till.get(&format!("/v1/redemptions/{id}")).await else { continue };
            self.go_on(till, name, &now).await;
            self.decide(till, gift_local, name, basket, &now).await;
        }
        open.len()
    }

    /// The manager's part.
    async fn decide(&self, till: &Till, gift_local: &Sandbox, name: &str, basket: &Basket, now: &Value) {
        let state = now["state"].as_str().unwrap();
        let verdict = match state {
            "unclear" | "stuck" => "not_used",
            "completed" if !now["provider_redemption"].is_string() => "used",
            _ => return,
        };
        let path = format!("/v1/redemptions/{}/settle", now["id"].as_str().unwrap());
        let body = json!({ "verdict": verdict, "by": "Kim", "reason": "Seen at the provider." });
        let settled = till.ask(&request(name, &path, &format!("settle-{}", now["seq"]), body)).await;
        if verdict == "not_used" && settled.is_some_and(|now| now["state"] == "settled") {
            let ledger = gift_local.ledger();
            let standing = ledger.redemptions.iter().filter(|one| one.voucher_id == basket.voucher);
            for one in standing.filter(|one| one.reversals == 0) {
                *self.given_back.lock().unwrap() += usize::from(gift_local.give_back(&one.id));
            }
        }
    }

    /// What contradicts itself.
    pub fn compare(&self, gift_local: &Sandbox) -> Vec<String> {
        let ledger = gift_local.ledger();
        let mut standing: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
        let mut wrong = Vec::new();
        for one in &ledger.redemptions {
            let (debits, stands) = standing.entry(&one.voucher_id).or_default();
            *debits += 1;
            *stands += usize::from(one.reversals == 0);
            if one.reversals > 1 {
                wrong.push(format!("{} was given back {} times", one.id, one.reversals));
            }
            if one.organization_id.is_some() && one.granted != WISH {
                wrong.push(format!("{} took {}", one.id, one.granted));
            }
        }
        for (name, basket) in self.all.lock().unwrap().iter() {
            let (debits, stands) = standing.get(basket.voucher.as_str()).copied().unwrap_or_default();
            if debits > 1 {
                wrong.push(format!("{name}: one redeem has debited its voucher {debits} times"));
            }
            if stands != usize::from(basket.counted) {
                wrong.push(format!("{name}: {stands} redemptions stand, {basket:?}"));
            }
        }
        wrong
    }

    /// One line of figures.
    pub fn figures(&self, gift_local: &Sandbox) -> String {
        let all = self.all.lock().unwrap();
        let ledger = gift_local.ledger();
        let its_own = |id: &str| all.values().any(|basket| basket.voucher == id);
        let taken = ledger.redemptions.iter().filter(|one| its_own(&one.voucher_id));
        let (mut debits, mut reversed) = (0, 0);
        for one in taken {
            debits += 1;
            reversed += usize::from(one.reversals > 0);
        }
        format!(
            "{} baskets with a voucher, {debits} redemptions at the provider, {} counted, {reversed} given back, {} of them by the provider's people",
            all.len(),
            all.values().filter(|basket| basket.counted).count(),
            self.given_back.lock().unwrap(),
        )
    }

    /// How many requests have no answer.
    pub fn unanswered(&self) -> usize {
        self.unanswered.lock().unwrap().len()
    }
}
