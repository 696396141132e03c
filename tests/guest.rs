//! Guest scripts: a redemption counter, one act a line at the left, what must follow at the right.
//!
//! | act | means |
//! |---|---|
//! | `scan gift-50-eur`, `type 4012 0000 0011`, `scan link gift-50-eur` | the cashier looks at a voucher, by its name in the ledger or by any text |
//! | `scan gift-50-eur with ticket` | the till says what is in the basket |
//! | `redeem 12.50 EUR`, `redeem 2 items`, `… in B2`, `… terms` | takes so much of it for a basket (B1 if none is named), terms confirmed |
//! | `complete`, `reverse`, `reverse as manager` | the till completes the basket, or gives the value back |
//! | `answer used`, `settle not_used The reason` | a person answers what is asked; a manager closes the case |
//! | `send` | a manager wants the reversal to be sent now |
//! | `rescan gift-50-eur` | the voucher of the redemption is scanned again |
//! | `the codes are lost` | while the power is off: the journal has no key for them any more |
//! | `unlock` | a manager lets the terminal try codes again |
//! | `print`, `print balance` | the paper of the redemption, or of the look |
//! | `again`, `again differently` | the till repeats its last request under its key, with the same or another body |
//! | `local CALL …` | what goes wrong with the next `validate`, `redeem` or `reverse`: as in till scripts, and `is late` |
//! | `local releases`, `local is well`, `local switch {…}` | it lets held calls go on; nothing goes wrong any more; behaves otherwise |
//! | `local spends gift-50-eur 5.00`, `local gives back` | another site spends from a voucher; the provider's people undo the last redemption |
//! | `basket B1` | the next lines are about this basket |
//! | `the till goes` | its connection breaks while it waits for an answer |
//! | `the redeem again`, `the redeem again differently` | the till repeats its last request to redeem, also when it has asked for other things since |
//! | `clock jumps 2h back`, `journal refuses`, `journal writes`, `wait 12s`, `crash`, `restart` | as in till scripts |
//!
//! | what follows | means |
//! |---|---|
//! | `sees "50.00 EUR left"` | what the look says begins so |
//! | `state answered`, `screen "Redeemed"` | the redemption is there, its sentence begins so |
//! | `counts 12.50`, `counts 2 items`, `counts nothing`, `counts open` | for its basket |
//! | `other payment`, `no other payment` | whether another payment may be taken for the basket |
//! | `left gift-50-eur 37.50` | so much is on a voucher, by the provider's ledger |
//! | `asks validate redeem`, `asks nothing` | exactly these calls reached the provider since the last line that said so |
//! | `refused CODE`, `answered`, `same answer`, `waiting`, `attention …`, `owed 1`, `next in 20s`, `entries 4`, `slips 1`, `paper says "…"`, `journal down` | as in till scripts |
//!
//! At the end the books must agree: what the provider has taken and not given back is what the baskets count, voucher by
//! voucher.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use tilld_journal::RedemptionRow;
use tilld_sandbox::Fault;
use tilld_sandbox::gift_local::{CallKind, QueuedFault, Sandbox, VoucherStatement};
use tokio::task::JoinHandle;

use crate::script::{Line, duration, fault_of, judge, lock, read, times};
use crate::shop::{Answer, Shop, eventually};
use crate::{books, leaks};

/// The redemption counter that a script speaks for.
pub struct Guest {
    pub shop: Shop,
    basket: String,
    scanned: Option<String>,
    check: Option<String>,
    last: Option<(String, Option<String>, Value)>,
    last_redeem: Option<(String, Option<String>, Value)>,
    running: Option<JoinHandle<Answer>>,
    answered: Option<Answer>,
    before: Option<Answer>,
    /// Every answer, to be searched for codes.
    told: Vec<String>,
    /// Which redemptions the till was told to count, as text of their worth.
    counted: BTreeMap<String, bool>,
    calls_seen: u64,
    requests: usize,
    rounds: u32,
    lock: Option<rusqlite::Connection>,
    /// How much had been logged when it was opened.
    logged_before: usize,
}

/// How the shop takes redemptions back.
const REVERSAL: &str = r#"gift_local.reverse = { path = "/api/integration/redemption/reverse-redemption", id_field = "redemptionID", repeatable = true }"#;

impl Guest {
    pub async fn open(settings: &str) -> Self {
        let logged_before = leaks::listen();
        let settings = if settings.contains("gift_local.reverse") {
            settings.replace("gift_local.reverse = \"none\"", "")
        } else {
            format!("{REVERSAL}\n{settings}")
        };
        Self {
            shop: Shop::open_for_guests(&settings).await,
            basket: "B1".to_owned(),
            scanned: None,
            check: None,
            last: None,
            last_redeem: None,
            running: None,
            answered: None,
            before: None,
            told: Vec::new(),
            counted: BTreeMap::new(),
            calls_seen: 0,
            requests: 0,
            rounds: 0,
            lock: None,
            logged_before,
        }
    }

    fn local(&self) -> &Sandbox {
        self.shop.gift_local.as_ref().unwrap()
    }

    /// Does one line, and waits for what must follow.
    pub async fn line(&mut self, line: &Line) {
        self.act(&line.act).await;
        for follows in &line.follows {
            let held = eventually(async || self.holds(follows).await.is_ok().then_some(())).await;
            if held.is_none() {
                let why = self.holds(follows).await.unwrap_err();
                panic!("line {}: `{}`: wanted `{follows}`, {why}", line.number, line.act);
            }
        }
        if line.follows.iter().any(|follows| follows.starts_with("asks")) {
            self.calls_seen = self.local().calls().last().map_or(0, |call| call.n);
        }
    }

    pub async fn act(&mut self, act: &str) {
        let words: Vec<&str> = act.split_whitespace().collect();
        match words.as_slice() {
            ["scan", "link", name] => {
                let token = self.local().ledger().voucher(name).expect("a voucher").token.reveal().to_owned();
                self.look(json!({ "scan": format!("https://gift.example/v/{token}") }), Some(name)).await;
            }
            ["scan", name] => self.scan(name).await,
            ["scan", name, "with", "ticket"] => {
                let ticket = json!({ "items": [{ "sku": "77" }] });
                self.look(json!({ "scan": self.code(name), "ticket": ticket }), Some(name)).await;
            }
            ["type", text @ ..] => self.look(json!({ "scan": text.join(" ") }), None).await,
            ["redeem", amount, unit, rest @ ..] => self.redeem(amount, unit, rest).await,
            ["complete"] => self.post_to("complete", json!({ "by": "Kim" })).await,
            ["reverse"] => self.post_to("reverse", json!({ "by": "Kim" })).await,
            ["reverse", "as", "manager"] => {
                self.post_to("reverse", json!({ "by": "Ada Berg", "manager": true })).await;
            }
            ["send"] => self.post_to("send", json!({})).await,
            ["answer", answer] => self.post_to("answer", json!({ "answer": answer, "by": "Kim" })).await,
            ["settle", verdict, reason @ ..] => {
                let body = json!({ "verdict": verdict, "by": "Ada Berg", "reason": reason.join(" ") });
                self.post_to("settle", body).await;
            }
            ["rescan", name] => {
                let code = self.code(name);
                self.post_to("scan", json!({ "scan": code })).await;
            }
            ["the", "codes", "are", "lost"] => self.shop.lose_codes(),
            ["unlock"] => self.ask("/v1/vouchers/unlock".to_owned(), None, json!({ "by": "Ada Berg" })),
            ["print"] => self.post_to("print", json!({})).await,
            ["print", "balance"] => {
                self.rest().await;
                let check = self.check.clone().expect("something was looked at");
                self.ask(format!("/v1/vouchers/{check}/print"), None, json!({}));
            }
            ["again"] => {
                self.rest().await;
                let (path, key, body) = self.last.clone().expect("something was asked before");
                self.ask(path, key, body);
            }
            ["the", "redeem", "again", how @ ..] => {
                self.rest().await;
                let (path, key, mut body) = self.last_redeem.clone().expect("something was redeemed before");
                if *how == ["differently"] {
                    body["cashier"] = json!("Somebody Else");
                }
                self.ask(path, key, body);
            }
            ["again", "differently"] => {
                self.rest().await;
                let (path, key, mut body) = self.last.clone().expect("something was asked before");
                body["cashier"] = json!("Somebody Else");
                self.ask(path, key, body);
            }
            ["local", "releases"] => self.local().release(),
            ["local", "is", "well"] => self.local().clear_faults(),
            ["local", "switch", ..] => self.switch(act.trim_start_matches("local switch ")),
            ["local", "spends", name, amount] => {
                self.local().spend(name, amount).expect("it can be spent");
            }
            ["local", "gives", "back"] => self.give_back(None),
            ["local", call, how @ ..] => {
                let call = match *call {
                    "validate" => CallKind::Validate,
                    "redeem" => CallKind::Redeem,
                    "reverse" => CallKind::Reverse,
                    _ => panic!("no such call: {call}"),
                };
                let fault = match how {
                    ["is", "late", ..] => Fault::Late { ms: 100 },
                    how => fault_of(how),
                };
                let queued = QueuedFault { count: times(how), ..QueuedFault::next(call, fault) };
                self.local().fault(queued).expect("the fault makes sense");
            }
            ["journal", "refuses"] => self.lock = Some(lock(&self.shop.journal_folder())),
            ["journal", "writes"] => self.lock = None,
            ["wait", span] => self.shop.clock.pass(duration(span)),
            ["crash"] => {
                self.shop.crash().await;
                if let Some(running) = self.running.take() {
                    // A till whose daemon has gone gets no answer.
                    let _ = running.await;
                }
                self.answered = None;
            }
            ["restart"] => self.shop.start().await,
            ["clock", "jumps", span, side] => {
                let ms = i64::try_from(duration(span).as_millis()).unwrap();
                self.shop.clock.set(if *side == "back" { -ms } else { ms });
            }
            ["the", "till", "goes"] => {
                if let Some(running) = self.running.take() {
                    running.abort();
                    let _ = running.await;
                    // Nothing shows when the daemon has seen that its connection is gone.
                    tokio::time::sleep(Duration::from_millis(300)).await;
                }
            }
            ["basket", basket] => {
                self.rest().await;
                (*basket).clone_into(&mut self.basket);
            }
            ["look"] => {}
            _ => panic!("no such act: {act}"),
        }
    }

    fn code(&self, name: &str) -> String {
        self.local().ledger().voucher(name).unwrap_or_else(|| panic!("{name}")).code.reveal().to_owned()
    }

    async fn scan(&mut self, name: &str) {
        let code = self.code(name);
        self.look(json!({ "scan": code }), Some(name)).await;
    }

    async fn look(&mut self, body: Value, name: Option<&str>) {
        self.rest().await;
        self.scanned = name.map(str::to_owned);
        self.check = None;
        self.ask("/v1/vouchers/check".to_owned(), None, body);
    }

    async fn redeem(&mut self, amount: &str, unit: &str, rest: &[&str]) {
        self.rest().await;
        let place = rest.iter().position(|word| *word == "in");
        place.map_or("B1", |place| rest[place + 1]).clone_into(&mut self.basket);
        let amount = if unit == "items" {
            json!({ "items": amount.parse::<u32>().unwrap() })
        } else {
            json!({ "amount": amount, "currency": unit })
        };
        let check = self.check.clone().unwrap_or_else(|| "00000000-0000-7000-8000-000000000000".to_owned());
        let body = json!({ "check": check, "basket": self.basket, "amount": amount,
            "terms_confirmed": rest.contains(&"terms"), "cashier": "Kim" });
        let key = self.new_key();
        self.last_redeem = Some(("/v1/redemptions".to_owned(), Some(key.clone()), body.clone()));
        self.ask("/v1/redemptions".to_owned(), Some(key), body);
    }

    async fn post_to(&mut self, door: &str, body: Value) {
        self.rest().await;
        let id = eventually(async || self.id()).await.expect("the journal has the redemption");
        let key = self.new_key();
        self.ask(format!("/v1/redemptions/{id}/{door}"), Some(key), body);
    }

    fn new_key(&mut self) -> String {
        self.requests += 1;
        format!("guest-key-{}", self.requests)
    }

    fn ask(&mut self, path: String, key: Option<String>, body: Value) {
        self.before = self.answered.take();
        self.running = Some(self.shop.post(&path, key.as_deref(), body.clone()));
        self.last = Some((path, key, body));
    }

    /// The answer to the last request, if it has come.
    async fn answer(&mut self) -> Option<&Answer> {
        if self.running.as_ref().is_some_and(JoinHandle::is_finished) {
            let answer = self.running.take().unwrap().await.unwrap();
            if let Some(check) = answer.body["check"].as_str() {
                self.check = Some(check.to_owned());
            }
            self.hear(&answer.body);
            self.told.push(answer.text.clone());
            self.answered = Some(answer);
        }
        self.answered.as_ref()
    }

    /// The till books what it is told.
    fn hear(&mut self, body: &Value) {
        if let (Some(id), Some(counts)) = (body["id"].as_str(), body["counts"].as_str()) {
            self.counted.insert(id.to_owned(), counts == "for");
        }
    }

    /// Waits for the answer to the last request.
    pub async fn rest(&mut self) {
        if self.running.is_some() {
            let answered = eventually(async || self.answer().await.map(|_| ())).await;
            answered.expect("the last request is answered");
        }
    }

    /// The newest redemption of the basket.
    fn id(&self) -> Option<String> {
        let all = self.shop.redemptions();
        all.iter().rfind(|row| row.basket.as_str() == self.basket).map(|row| row.redemption.to_string())
    }

    async fn now(&self) -> Option<Value> {
        Some(self.shop.get(&format!("/v1/redemptions/{}", self.id()?)).await?.body)
    }

    async fn text(&self, path: &str) -> Result<String, String> {
        let now = self.now().await.ok_or("there is no redemption")?;
        Ok(now.pointer(path).and_then(Value::as_str).unwrap_or_default().to_owned())
    }

    fn asked(&self) -> String {
        let calls = self.local().calls_after(self.calls_seen);
        let words: Vec<&str> = calls
            .iter()
            .filter_map(|call| call.call)
            .map(|call| match call {
                CallKind::Validate => "validate",
                CallKind::Redeem => "redeem",
                CallKind::Reverse => "reverse",
            })
            .collect();
        words.join(" ")
    }

    fn switch(&self, change: &str) {
        let change: Value = serde_json::from_str(change).expect("switches are JSON");
        let mut whole = serde_json::to_value(self.local().switches()).unwrap();
        for (name, value) in change.as_object().unwrap() {
            whole[name] = value.clone();
        }
        let switches = serde_json::from_value(whole).expect("there is such a switch");
        self.local().switch(|present| *present = switches);
    }

    /// The voucher of a redemption, by the end of the code that was scanned.
    fn voucher_of(&self, row: &RedemptionRow) -> VoucherStatement {
        let tail = row.code_tail.as_str();
        let ledger = self.local().ledger();
        let is_it = |voucher: &&VoucherStatement| {
            voucher.code.reveal().ends_with(tail) || voucher.token.reveal().ends_with(tail)
        };
        ledger.vouchers.iter().find(is_it).expect("a voucher").clone()
    }

    /// The provider's people undo what stands.
    /// The provider's people undo the last redemption of a voucher, or of all.
    fn give_back(&self, voucher: Option<&str>) {
        let ledger = self.local().ledger();
        let is_meant = |id: &str| voucher.is_none_or(|voucher| voucher == id);
        let mut mine = ledger.redemptions.iter().filter(|redemption| redemption.call.is_some());
        if let Some(last) = mine.rfind(|redemption| is_meant(&redemption.voucher_id)) {
            self.local().give_back(&last.id);
        }
    }

    /// Whether something holds now, or why not.
    async fn holds(&mut self, follows: &str) -> Result<(), String> {
        let words: Vec<&str> = follows.split_whitespace().collect();
        let same = |found: String, wanted: &str| {
            if found == wanted { Ok(()) } else { Err(format!("found `{found}`")) }
        };
        let begins = |found: String, wanted: &str| {
            if found.starts_with(wanted.trim_matches('"')) { Ok(()) } else { Err(format!("found `{found}`")) }
        };
        match words.as_slice() {
            ["sees", ..] => {
                let wanted = follows.trim_start_matches("sees ");
                let answer = self.answer().await.ok_or("no answer yet")?;
                begins(answer.body["text"].as_str().unwrap_or(&answer.text).to_owned(), wanted)
            }
            ["screen", ..] => begins(self.text("/screen/text").await?, follows.trim_start_matches("screen ")),
            ["state", state] => same(self.text("/state").await?, state),
            ["counts", "nothing"] => same(self.text("/counts").await?, "nothing"),
            ["counts", "open"] => same(self.text("/counts").await?, "open"),
            ["counts", count, "items"] => {
                let now = self.now().await.ok_or("there is no redemption")?;
                same(now["counted"]["items"].to_string(), count)
            }
            ["counts", amount] => same(self.text("/counted/amount").await?, amount),
            ["other", "payment"] => same(self.other_payment().await?, "true"),
            ["no", "other", "payment"] => same(self.other_payment().await?, "false"),
            ["left", name, amount] => {
                let ledger = self.local().ledger();
                same(ledger.voucher(name).ok_or("no such voucher")?.left.clone(), amount)
            }
            ["next", "in", span] => {
                let sleeping = self.shop.clock.sleeping();
                if sleeping.contains(&duration(span)) { Ok(()) } else { Err(format!("found {sleeping:?}")) }
            }
            ["asks", "nothing"] => same(self.asked(), ""),
            ["asks", calls @ ..] => same(self.asked(), &calls.join(" ")),
            ["slips", count] => {
                let complete = self.shop.printer.papers().iter().filter(|paper| paper.complete).count();
                same(complete.to_string(), count)
            }
            ["paper", "says", ..] => {
                let wanted = follows.trim_start_matches("paper says ").trim_matches('"').replace(' ', "");
                let papers = self.shop.printer.papers();
                let found = papers.last().map(|paper| books::text_of(&paper.slip)).unwrap_or_default();
                if found.contains(&wanted) { Ok(()) } else { Err(format!("found `{found}`")) }
            }
            ["entries", count] => {
                same(self.shop.entries().ok_or("the journal does not verify")?.to_string(), count)
            }
            ["owed", count] => same(self.health().await?["owed"].to_string(), count),
            ["journal", state] => {
                let writes = self.health().await?["journal"]["writes"].to_string();
                same(writes, if *state == "up" { "true" } else { "false" })
            }
            ["attention", "nothing"] => same(self.attention().await?, ""),
            ["attention", cases @ ..] => same(self.attention().await?, &cases.join(" ")),
            ["waiting" | "answered"] | ["refused", _] | ["same", "answer"] => {
                let before = self.before.clone();
                judge(&words, before.as_ref(), self.answer().await)
            }
            _ => panic!("no such thing can follow: {follows}"),
        }
    }

    async fn health(&self) -> Result<Value, String> {
        Ok(self.shop.get("/v1/health").await.ok_or("the daemon does not run")?.body)
    }

    async fn other_payment(&self) -> Result<String, String> {
        let basket = self.shop.get(&format!("/v1/baskets/{}", self.basket)).await.ok_or("it does not run")?;
        Ok(basket.body["other_payment"].to_string())
    }

    async fn attention(&self) -> Result<String, String> {
        let list = self.shop.get("/v1/attention").await.ok_or("the daemon does not run")?.body;
        let cases = list["cases"].as_array().ok_or_else(|| format!("found {list}"))?;
        let words: Vec<&str> = cases.iter().filter_map(|case| case["case"].as_str()).collect();
        Ok(words.join(" "))
    }

    /// Every way in which the books contradict each other.
    async fn contradictions(&mut self) -> Vec<String> {
        let mut found = Vec::new();
        let health = self.health().await.unwrap_or_default();
        for (name, what) in [("owed", "reversals are owed"), ("questions", "questions are open")] {
            if health[name] != json!(0) {
                found.push(format!("{what}: {health}"));
            }
        }
        let (counted, taken) = self.books().await;
        if counted != taken {
            found.push(format!("the baskets count {counted:?}, the provider has taken {taken:?}"));
        }
        found
    }

    /// What the baskets count of each voucher, and what the provider has taken, in minor units.
    async fn books(&mut self) -> (BTreeMap<String, i64>, BTreeMap<String, i64>) {
        let mut counted: BTreeMap<String, i64> = BTreeMap::new();
        for row in self.shop.redemptions() {
            let path = format!("/v1/redemptions/{}", row.redemption);
            let now = self.shop.get(&path).await.map(|answer| answer.body).unwrap_or_default();
            self.hear(&now);
            if now["counts"] == "for" {
                let text = now["counted"]["amount"].as_str().map(str::to_owned);
                let worth = text.or_else(|| now["counted"]["items"].as_u64().map(|items| items.to_string()));
                *counted.entry(self.voucher_of(&row).id).or_default() +=
                    books::minor(&worth.unwrap_or_default());
            }
        }
        let ledger = self.local().ledger();
        let mut taken: BTreeMap<String, i64> = BTreeMap::new();
        for redemption in ledger.redemptions.iter().filter(|redemption| redemption.call.is_some()) {
            let stands = 1 - i64::from(redemption.reversals);
            *taken.entry(redemption.voucher_id.clone()).or_default() +=
                stands * books::minor(&redemption.granted);
        }
        counted.retain(|_, minor| *minor != 0);
        taken.retain(|_, minor| *minor != 0);
        (counted, taken)
    }

    /// The books must agree once nothing is under way.
    async fn balance(&mut self) {
        let mut why = Vec::new();
        let agreed = eventually(async || {
            why = self.contradictions().await;
            why.is_empty().then_some(())
        })
        .await;
        assert!(agreed.is_some(), "the books disagree: {why:?}");
    }

    /// Nothing that left the daemon's memory may hold a secret; then the shop closes.
    async fn close(mut self) {
        self.rest().await;
        self.told.extend(self.shop.all_told().await);
        let token = self.shop.daemon.as_ref().map(|daemon| daemon.token.reveal().to_owned());
        let found =
            leaks::found(&self.shop, &token.expect("the daemon runs"), &[], &self.told, self.logged_before);
        assert!(found.is_empty(), "in clear: {found:?}");
        assert!(leaks::logged() > 0 && !self.told.is_empty(), "there was nothing to search");
        self.shop.close().await;
    }

    /// What a shop does with what stands still: the voucher is scanned again where that is asked, a cashier answers by what
    /// the till was told, a manager by what the provider's people see and do, and time passes.
    async fn settle(&mut self) {
        // It may wait for time that passes only here.
        self.answer().await;
        for row in self.shop.redemptions() {
            row.basket.as_str().clone_into(&mut self.basket);
            let id = row.redemption.to_string();
            let path = format!("/v1/redemptions/{id}");
            let Some(now) = self.shop.get(&path).await.map(|answer| answer.body) else { continue };
            let told = self.counted.get(&id).copied().unwrap_or(false);
            let used = if told { "used" } else { "not_used" };
            match now.pointer("/question/asks").and_then(Value::as_str) {
                Some("accept_less") => self.answer_to(&id, "accept").await,
                Some("was_it_used") => self.answer_to(&id, used).await,
                Some("scan_again") => {
                    let body = json!({ "scan": self.voucher_of(&row).code.reveal() });
                    self.post_for(&id, "scan", body).await;
                }
                _ => {}
            }
            let verdict = match now["state"].as_str() {
                Some("unclear") => Some(used),
                Some("stuck") => Some("not_used"),
                // What has not closed by itself after the quiet time never will.
                Some("not_applied") if self.rounds > 2 => Some("not_used"),
                Some("completed") if now.get("provider_redemption").is_none_or(Value::is_null) => {
                    Some("used")
                }
                _ => None,
            };
            if let Some(verdict) = verdict {
                // The provider's people give back what they find.
                let (counted, taken) = self.books().await;
                if verdict == "not_used" && counted != taken {
                    self.give_back(Some(&self.voucher_of(&row).id));
                }
                let body = json!({ "verdict": verdict, "by": "Ada Berg", "reason": "Seen at the provider." });
                self.post_for(&id, "settle", body).await;
            }
        }
        self.shop.clock.pass(Duration::from_mins(6));
        // Real calls are under way: each round leaves them longer, so that a slow machine gets there too.
        self.rounds += 1;
        tokio::time::sleep(Duration::from_millis(20 << (self.rounds / 8).min(5))).await;
    }

    async fn answer_to(&mut self, id: &str, answer: &str) {
        self.post_for(id, "answer", json!({ "answer": answer, "by": "Kim" })).await;
    }

    async fn post_for(&mut self, id: &str, door: &str, body: Value) {
        let key = self.new_key();
        self.ask(format!("/v1/redemptions/{id}/{door}"), Some(key), body);
        self.answer().await;
    }
}

/// Runs a script from its first line to its last, and balances the books unless its last line is `books stay open`.
pub async fn run(text: &str) {
    let (settings, mut lines) = read(text);
    let open = lines.pop_if(|line| line.act == "books stay open").is_some();
    let mut guest = Guest::open(&settings).await;
    for line in &lines {
        guest.line(line).await;
    }
    if !open {
        guest.balance().await;
    }
    guest.close().await;
}

/// Runs a script's first lines, cuts the power, starts again, and goes on as a shop would. The books must agree.
pub async fn crash_after(text: &str, count: usize) {
    let (settings, lines) = read(text);
    let mut guest = Guest::open(&settings).await;
    for line in &lines[..count] {
        guest.line(line).await;
    }
    guest.act("crash").await;
    guest.lock = None;
    guest.local().clear_faults();
    guest.local().release();
    guest.act("restart").await;
    if guest.last.is_some() {
        guest.act("again").await;
    }
    let settled = eventually(async || {
        guest.settle().await;
        guest.contradictions().await.is_empty().then_some(())
    })
    .await;
    if settled.is_none() {
        let why = guest.contradictions().await;
        panic!(
            "crash after line {count}, {:?}: {why:?}; the redemption is {:?}",
            lines[count - 1].act,
            guest.now().await
        );
    }
    guest.close().await;
}
