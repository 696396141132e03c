//! Till scripts: one act a line at the left, what must follow at the right, three or more blanks between them.
//!
//! | act | means |
//! |---|---|
//! | `sell por CODE 50.00 EUR` `+ posa CODE 25.00 EUR SCAN` … `on R2` | the till begins a sale (on receipt R1 if none is named) |
//! | `paid cash 60.00`, `paid card`, `paid mixed 30.00 25.00` (card, cash given) … `for 49.00` | the till says how it was paid |
//! | `receipt R1` | the next lines are about this sale |
//! | `settle 1 The reason` | a manager closes the case of a card |
//! | `copy 1` | a manager wants a copy of a card's slip |
//! | `scan slip 1` | the code of the first order is read off its slip |
//! | `scan foot 2` | the number at the foot of the second paper that came out is read, also of a torn one |
//! | `tear up 1` | the cashier tears up the first paper that came out, whole or not |
//! | `send 1` | a manager wants a card's undo to be sent now |
//! | `cancel`, `answer 1 print` | the till cancels; a person answers the question of a card |
//! | `again`, `again differently` | the till repeats its last request under its key, with the same or another body |
//! | `finperks CALL …` | what goes wrong with the next such call, see [`fault_of`] |
//! | `finperks releases`, `finperks switch {…}`, `finperks spends 1` | it lets held calls go on; behaves otherwise; a card is spent |
//! | `finperks finishes 1` | the confirm of a card, which was running, ends |
//! | `finperks cannot be reached`, `finperks can be reached` | whoever dials it is refused; is not |
//! | `finperks is well` | nothing goes wrong with its calls any more |
//! | `finperks clock is 7m ahead`, `… behind`, `… right` | of the clock that dates are signed with |
//! | `clock jumps 2h back`, `… forward` | somebody sets this machine's wall clock |
//! | `printer …` | what is wrong with the printer, see [`printer_fault`]; `printer ok`, `printer power-cycled` |
//! | `journal refuses`, `journal writes` | somebody holds the journal's file, so that nothing can be written; lets go |
//! | `journal loses R1`, `journal finds R1` | somebody damages the row of that receipt's sale behind the daemon's back; mends it |
//! | `wait 12s` | time passes (`ms`, `s`, `m`, `h`) |
//! | `crash`, `restart` | the power goes; the daemon starts |
//!
//! | what follows | means |
//! |---|---|
//! | `screen "Take 50.00"` | the sale's sentence begins so |
//! | `phase done`, `card 1 sold` | the sale or a card is there |
//! | `asks create confirm` | exactly these calls reached finperks since the last line that said what is asked |
//! | `refused CODE`, `same answer`, `waiting` | how the till's last request was answered |
//! | `sending now` | what became of the wish that an undo be sent |
//! | `undo 6 server_error` | of the first case: so often its undo failed, the last time because of that; `under_way`: it is on the wire |
//! | `attention is_it_complete` | exactly these cases wait for a person; `attention nothing` |
//! | `back 50.00` | so much must be given back |
//! | `numbers 1` | so many papers, also torn ones, have a number at their foot, each another one |
//! | `slips 1`, `torn 1`, `pulses 0` | so many complete and incomplete papers are out; so often a drawer was opened |
//! | `printer is paper_out`, `printer is well` | health says so of the printer |
//! | `device paper_out ready` | what was written about the printer, one word an entry; `device nothing` |
//! | `paper says "Till"` | a row of the last paper holds this text |
//! | `next in 10s` | the counter waits for the clock, and something is due in exactly that time |
//! | `entries 11` | the journal verifies, and has so many entries |
//! | `journal down`, `journal up` | health says that the journal cannot, or can, be written |
//! | `set aside 1` | health says that so many happenings could not be written although others could |
//! | `clock wrong`, `clock right` | health says that the clock is wrong, or right |
//! | `because "Clock is"` | the refusal's reason, and the health's, begins so |
//! | `catalogues 3` | so often the catalogue was asked for since the beginning |
//! | `live 1`, `owed 1` | so many cards are live at finperks; so many undos are owed |
//! | `codes 1` | so many cards and redemptions have codes or lines that can still be read |

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use tilld_devices::simulated::SimulatedFault;
use tilld_sandbox::finperks::CallKind;
use tilld_sandbox::{ErrorBody, Executed, Fault, Loss, QueuedFault};
use tokio::task::JoinHandle;

use crate::books::{self, Money, Pile};
use crate::leaks;
use crate::shop::{Answer, PATIENCE, Shop, eventually};

/// A line of a script.
#[derive(Debug, Clone)]
pub struct Line {
    pub number: usize,
    pub act: String,
    pub follows: Vec<String>,
}

/// Reads a script. Lines that begin with `#` are comment; `with` lines before the first act are configuration.
pub fn read(text: &str) -> (String, Vec<Line>) {
    let mut settings = String::new();
    let mut lines = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim_end();
        if line.trim_start().is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(setting) = line.strip_prefix("with ") {
            settings.push_str(setting);
            settings.push('\n');
            continue;
        }
        let (act, follows) = line.split_once("  ").unwrap_or((line, ""));
        lines.push(Line { number: number + 1, act: act.trim().to_owned(), follows: split(follows) });
    }
    (settings, lines)
}

/// Splits at commas outside quotation marks.
fn split(follows: &str) -> Vec<String> {
    let mut quoted = false;
    follows
        .split(|character| {
            quoted ^= character == '"';
            character == ',' && !quoted
        })
        .map(|part| part.trim().to_owned())
        .filter(|part| !part.is_empty())
        .collect()
}

/// The till that a script speaks for.
pub struct Till {
    pub shop: Shop,
    receipt: String,
    last: Option<(String, String, Value)>,
    running: Option<JoinHandle<Answer>>,
    answered: Option<Answer>,
    before: Option<Answer>,
    calls_seen: u64,
    requests: usize,
    rounds: u32,
    scanned: Vec<String>,
    /// The papers that the cashier has torn up, by their places from 0.
    torn_up: BTreeSet<usize>,
    lock: Option<rusqlite::Connection>,
    /// The receipts whose rows are damaged.
    damaged: BTreeSet<String>,
    /// How much had been logged when it was opened.
    logged_before: usize,
}

impl Till {
    pub async fn open(settings: &str) -> Self {
        let logged_before = leaks::listen();
        let shop = Shop::open(settings).await;
        let calls_seen = shop.finperks.calls().last().map_or(0, |call| call.n);
        Self {
            shop,
            receipt: "R1".to_owned(),
            last: None,
            running: None,
            answered: None,
            before: None,
            calls_seen,
            requests: 0,
            rounds: 0,
            scanned: Vec::new(),
            torn_up: BTreeSet::new(),
            lock: None,
            damaged: BTreeSet::new(),
            logged_before,
        }
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
        for asks in line.follows.iter().filter(|follows| follows.starts_with("asks")) {
            let count = asks.split_whitespace().filter(|word| call_word(word)).count();
            self.calls_seen = self.named(count);
        }
    }

    async fn act(&mut self, act: &str) {
        let words: Vec<&str> = act.split_whitespace().collect();
        match words.as_slice() {
            ["sell", ..] => self.sell(&words[1..]),
            ["paid", how @ ..] => self.pay(how).await,
            ["cancel"] => {
                self.last_answer().await;
                let sale = self.sale_id().await;
                self.post(format!("/v1/sales/{sale}/cancel"), json!({}));
            }
            ["answer", card, answer] => {
                self.last_answer().await;
                let sale = self.sale_id().await;
                self.post(
                    format!("/v1/sales/{sale}/cards/{card}/answer"),
                    json!({ "answer": answer, "by": "Kim" }),
                );
            }
            ["settle", card, reason @ ..] => {
                self.last_answer().await;
                let sale = self.sale_id().await;
                let body = json!({ "by": "Ada Berg", "reason": reason.join(" ") });
                self.post(format!("/v1/sales/{sale}/cards/{card}/settle"), body);
            }
            ["copy", card] => {
                self.last_answer().await;
                let sale = self.sale_id().await;
                self.post(format!("/v1/sales/{sale}/cards/{card}/copy"), json!({ "by": "Ada Berg" }));
            }
            ["scan", "slip", order] => {
                self.last_answer().await;
                let place: usize = order.parse().unwrap();
                let code =
                    self.shop.finperks.ledger().orders[place - 1].code.clone().expect("a printed card");
                self.post("/v1/sales/scanned".to_owned(), json!({ "code": code.reveal(), "by": "Kim" }));
            }
            ["scan", "foot", paper] => {
                self.last_answer().await;
                let place: usize = paper.parse().unwrap();
                let papers = self.shop.printer.papers();
                let number = books::foot_of(&papers[place - 1].slip).expect("a number at its foot");
                self.post("/v1/sales/scanned".to_owned(), json!({ "code": number, "by": "Kim" }));
            }
            ["tear", "up", paper] => {
                self.torn_up.insert(paper.parse::<usize>().unwrap() - 1);
            }
            ["send", card] => {
                self.last_answer().await;
                let sale = self.sale_id().await;
                self.post(format!("/v1/sales/{sale}/cards/{card}/send"), json!({}));
            }
            ["again"] => {
                let (path, key, body) = self.last.clone().expect("something was asked before");
                self.again(path, key, body);
            }
            ["again", "differently"] => {
                let (path, key, mut body) = self.last.clone().expect("something was asked before");
                let field = if path.ends_with("sales") { "cashier" } else { "by" };
                if path.ends_with("payment") {
                    body["receipt_total"] = json!({ "amount": "9999.00", "currency": "EUR" });
                } else {
                    body[field] = json!("Somebody Else");
                }
                self.again(path, key, body);
            }
            ["finperks", "releases"] => {
                let held = eventually(async || (self.shop.finperks.held() > 0).then_some(())).await;
                held.expect("a call is held");
                self.shop.finperks.release();
            }
            ["finperks", "cannot", "be", "reached"] => self.shop.finperks.unplug().await,
            ["finperks", "can", "be", "reached"] => self.shop.finperks.plug().await,
            ["finperks", "finishes", card] => {
                let place: usize = card.parse().unwrap();
                let order = self.shop.finperks.ledger().orders[place - 1].id.clone();
                assert!(self.shop.finperks.finish(&order), "the confirm of {order} is running");
            }
            ["finperks", "is", "well"] => self.shop.finperks.clear_faults(),
            ["finperks", "clock", "is", how @ ..] => self.shop.finperks.set_clock_offset(match how {
                ["right"] => 0,
                [span, side] => seconds(span, *side == "behind"),
                _ => panic!("no such clock: {how:?}"),
            }),
            ["receipt", receipt] => (*receipt).clone_into(&mut self.receipt),
            ["clock", "jumps", span, side] => self.shop.clock.set(1_000 * seconds(span, *side == "back")),
            ["finperks", "switch", ..] => self.switch(act.trim_start_matches("finperks switch ")),
            ["finperks", "spends", card] => {
                let place: usize = card.parse().unwrap();
                let order = self.shop.finperks.ledger().orders[place - 1].id.clone();
                assert!(self.shop.finperks.redeem(&order), "the card of {order} can be spent");
            }
            ["finperks", call, how @ ..] => {
                let fault =
                    QueuedFault { count: times(how), ..QueuedFault::next(call_of(call), fault_of(how)) };
                self.shop.finperks.fault(fault).expect("the fault makes sense");
            }
            ["printer", "ok"] => self.shop.printer.clear(),
            ["printer", "power-cycled"] => {
                // What was still in its memory is gone; then it is in order again.
                self.shop.printer.power_cycle();
                self.shop.printer.clear();
            }
            ["printer", how @ ..] => self.shop.printer.fault(printer_fault(how)),
            ["journal", "refuses"] => self.lock = Some(lock(&self.shop.journal_folder())),
            ["journal", "writes"] => self.lock = None,
            ["journal", "loses", receipt] => {
                damage(&self.shop.journal_folder(), receipt, "CAST(id || x'00' AS BLOB)");
                self.damaged.insert((*receipt).to_owned());
            }
            ["journal", "finds", receipt] => {
                damage(&self.shop.journal_folder(), receipt, "substr(id, 1, 16)");
                self.damaged.remove(*receipt);
            }
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
            ["look"] => {}
            _ => panic!("no such act: {act}"),
        }
    }

    fn sell(&mut self, words: &[&str]) {
        let on = words.iter().position(|word| *word == "on");
        on.map_or("R1", |place| words[place + 1]).clone_into(&mut self.receipt);
        let words = &words[..on.unwrap_or(words.len())];
        let cards: Vec<Value> = words
            .split(|word| *word == "+")
            .map(|card| {
                let mut asked = json!({ "kind": card[0], "product": card[1],
                    "face_value": { "amount": card[2], "currency": card[3] } });
                if let Some(code) = card.get(4) {
                    asked["code"] = json!(code);
                    self.scanned.push((*code).to_owned());
                }
                asked
            })
            .collect();
        self.post("/v1/sales".to_owned(), json!({ "receipt": self.receipt, "cards": cards }));
    }

    async fn pay(&mut self, how: &[&str]) {
        self.last_answer().await;
        let sale = self.sale_id().await;
        let now = self.shop.get(&format!("/v1/sales/{sale}")).await.expect("the daemon runs").body;
        let currency = now.pointer("/cards/0/face_value/currency").cloned().unwrap();
        let money = |amount: &str| json!({ "amount": amount, "currency": currency });
        let amount = match how.iter().position(|word| *word == "for") {
            Some(place) => money(how[place + 1]),
            None if now["due"].is_object() => now["due"].clone(),
            None => money("1.00"),
        };
        let tender = match how {
            ["cash", given, ..] => json!({ "kind": "cash", "given": money(given) }),
            ["card", ..] => json!({ "kind": "card" }),
            ["mixed", card, given, ..] => {
                json!({ "kind": "mixed", "card": money(card), "given": money(given) })
            }
            _ => panic!("no such tender: {how:?}"),
        };
        self.post(format!("/v1/sales/{sale}/payment"), json!({ "amount": amount, "tender": tender }));
    }

    fn post(&mut self, path: String, body: Value) {
        self.requests += 1;
        let key = format!("till-key-{}", self.requests);
        self.again(path, key, body);
    }

    fn again(&mut self, path: String, key: String, body: Value) {
        self.before = self.answered.take();
        self.running = Some(self.shop.post(&path, Some(&key), body.clone()));
        self.last = Some((path, key, body));
    }

    /// The answer to the last request, if it has come.
    async fn answered(&mut self) -> Option<&Answer> {
        if self.running.as_ref().is_some_and(JoinHandle::is_finished) {
            self.answered = Some(self.running.take().unwrap().await.unwrap());
        }
        self.answered.as_ref()
    }

    /// Waits for the answer to the last request.
    pub async fn rest(&mut self) {
        self.last_answer().await;
    }

    /// People look after every sale: a cashier looks at the paper and answers what is asked about each card, a manager closes the
    /// cases that are left.
    async fn look_after_the_sales(&mut self) {
        for id in self.sales() {
            let path = format!("/v1/sales/{id}");
            let Some(sale) = self.shop.get(&path).await.map(|answer| answer.body) else { continue };
            for card in sale["cards"].as_array().into_iter().flatten() {
                let card_path = format!("{path}/cards/{}", card["number"]);
                if let Some(asks) = card.pointer("/question/asks").and_then(Value::as_str) {
                    let order = card["provider_order"].as_str().unwrap_or_default();
                    let pile = Pile::but(&self.shop.printer, &self.torn_up);
                    let complete = books::is_on_paper(&self.shop.finperks, &pile, order);
                    let answer = books::answer_to(asks, complete);
                    self.post(format!("{card_path}/answer"), json!({ "answer": answer, "by": "Kim" }));
                    self.last_answer().await;
                }
                if matches!(card["state"].as_str(), Some("stuck" | "spent")) {
                    let body = json!({ "by": "Ada Berg", "reason": "Claimed from the provider." });
                    self.post(format!("{card_path}/settle"), body);
                    self.last_answer().await;
                }
            }
        }
    }

    /// What a manager has closed with a reason, by the provider's order: no paper is missed of it. What was not spent was given back
    /// to the customer and is charged all the same: the loss that the manager has seen.
    fn lost(&self, sales: &[Value]) -> books::Lost {
        let ledger = self.shop.finperks.ledger();
        let mut lost = books::Lost::default();
        for card in sales.iter().flat_map(|sale| sale["cards"].as_array().into_iter().flatten()) {
            let order = card["provider_order"].as_str().and_then(|order| ledger.order(order));
            let Some(order) = order.filter(|_| card["state"] == "settled") else { continue };
            let of = if order.redeemed { &mut lost.spent } else { &mut lost.billed };
            of.insert(order.id.clone());
        }
        lost
    }

    /// A till that asks the next thing has the answer to the last one.
    async fn last_answer(&mut self) {
        if self.running.is_some() {
            let answered = eventually(async || self.answered().await.map(|_| ())).await;
            answered.expect("the last request is answered");
        }
    }

    pub async fn sale_id(&self) -> String {
        eventually(async || self.shop.sale_of(&self.receipt)).await.expect("the journal has the sale")
    }

    /// The sale as the daemon shows it now.
    pub async fn sale(&self) -> Option<Value> {
        let sale = self.shop.sale_of(&self.receipt)?;
        Some(self.shop.get(&format!("/v1/sales/{sale}")).await?.body)
    }

    /// Whether something holds now, or why not.
    async fn holds(&mut self, follows: &str) -> Result<(), String> {
        let words: Vec<&str> = follows.split_whitespace().collect();
        let same = |found: String, wanted: &str| {
            if found == wanted { Ok(()) } else { Err(format!("found `{found}`")) }
        };
        match words.as_slice() {
            ["screen", ..] => {
                let wanted = follows.trim_start_matches("screen ").trim_matches('"');
                let found = self.text("/screen/text").await?;
                if found.starts_with(wanted) { Ok(()) } else { Err(format!("found `{found}`")) }
            }
            ["phase", phase] => same(self.text("/phase").await?, phase),
            ["card", card, state] => {
                let place: usize = card.parse::<usize>().unwrap() - 1;
                same(self.text(&format!("/cards/{place}/state")).await?, state)
            }
            ["card", card, "because", code] => {
                let place: usize = card.parse::<usize>().unwrap() - 1;
                same(self.text(&format!("/cards/{place}/refusal/code")).await?, code)
            }
            ["next", "in", span] => {
                let sleeping = self.shop.clock.sleeping();
                if sleeping.contains(&duration(span)) { Ok(()) } else { Err(format!("found {sleeping:?}")) }
            }
            ["asks", "nothing"] => same(self.asked(), ""),
            ["asks", "in", "any", "order", calls @ ..] => {
                let sorted = |text: &str| {
                    let mut words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
                    words.sort();
                    words.join(" ")
                };
                same(sorted(&self.asked()), &sorted(&calls.join(" ")))
            }
            ["asks", calls @ ..] => same(self.asked(), &calls.join(" ")),
            ["catalogues", count] => {
                let calls = self.shop.finperks.calls();
                let fetched = calls.iter().filter(|call| call.call == Some(CallKind::Products)).count();
                same(fetched.to_string(), count)
            }
            ["back", amount] => same(self.text("/money_back/amount").await?, amount),
            ["back"] => match self.sale().await.ok_or("there is no sale")?.get("money_back") {
                None | Some(Value::Null) => Ok(()),
                Some(money) => Err(format!("found {money}")),
            },
            ["slips", count] => {
                let complete = self.shop.printer.papers().iter().filter(|paper| paper.complete).count();
                same(complete.to_string(), count)
            }
            ["numbers", count] => {
                let papers = self.shop.printer.papers();
                let numbers: Vec<&str> =
                    papers.iter().filter_map(|paper| books::foot_of(&paper.slip)).collect();
                let different: BTreeSet<&str> = numbers.iter().copied().collect();
                if different.len() != numbers.len() {
                    return Err(format!("found twice the same in {numbers:?}"));
                }
                same(numbers.len().to_string(), count)
            }
            ["torn", count] => {
                self.shop.printer.tear();
                let torn = self.shop.printer.papers().iter().filter(|paper| !paper.complete).count();
                same(torn.to_string(), count)
            }
            ["pulses", count] => same(self.shop.printer.drawer_pulses().to_string(), count),
            ["printer", "is", state] => {
                let health = self.shop.get("/v1/health").await.ok_or("the daemon does not run")?.body;
                let found = &health["printer"]["fault"];
                let word =
                    if health["printer"].is_null() { "unknown" } else { found.as_str().unwrap_or("well") };
                same(word.to_owned(), state)
            }
            ["device", "nothing"] => same(self.shop.device(), ""),
            ["device", states @ ..] => same(self.shop.device(), &states.join(" ")),
            ["paper", "says", ..] => {
                let wanted = follows.trim_start_matches("paper says ").trim_matches('"').replace(' ', "");
                let papers = self.shop.printer.papers();
                let found = papers.last().map(|paper| books::text_of(&paper.slip)).unwrap_or_default();
                if found.contains(&wanted) { Ok(()) } else { Err(format!("found `{found}`")) }
            }
            ["live", count] => {
                let orders = self.shop.finperks.ledger().orders;
                same(orders.iter().filter(|order| order.state == "completed").count().to_string(), count)
            }
            ["entries", count] => {
                let entries = self.shop.entries().ok_or("the journal does not verify")?;
                same(entries.to_string(), count)
            }
            ["owed", count] => {
                let health = self.shop.get("/v1/health").await.ok_or("the daemon does not run")?.body;
                same(health["owed"].to_string(), count)
            }
            ["set", "aside", count] => {
                let health = self.shop.get("/v1/health").await.ok_or("the daemon does not run")?.body;
                same(health["journal"]["set_aside"].to_string(), count)
            }
            ["codes", count] => same(self.shop.codes_kept().to_string(), count),
            ["clock", state] => {
                let health = self.shop.get("/v1/health").await.ok_or("the daemon does not run")?.body;
                same(health["clock"]["right"].to_string(), if *state == "right" { "true" } else { "false" })
            }
            ["because", ..] => {
                let wanted = follows.trim_start_matches("because ").trim_matches('"');
                let health = self.shop.get("/v1/health").await.ok_or("the daemon does not run")?.body;
                let told = self.answered().await.map(|answer| answer.body["reason"].clone());
                let texts = [Some(health["hindrance"].clone()), told];
                let begins = |text: &Option<Value>| {
                    text.as_ref().and_then(Value::as_str).is_some_and(|text| text.starts_with(wanted))
                };
                if texts.iter().all(begins) { Ok(()) } else { Err(format!("found {texts:?}")) }
            }
            ["journal", state] => {
                let health = self.shop.get("/v1/health").await.ok_or("the daemon does not run")?.body;
                same(health["journal"]["writes"].to_string(), if *state == "up" { "true" } else { "false" })
            }
            ["sending", word] => {
                let answer = self.answered().await.ok_or("there is no answer yet")?;
                same(answer.body["sending"].as_str().unwrap_or_default().to_owned(), word)
            }
            ["undo", failures, word] => {
                let list = self.shop.get("/v1/attention").await.ok_or("the daemon does not run")?.body;
                let undo = &list["cases"][0]["undo"];
                let asleep = !undo["next_at"].is_null() && undo["may_be_sent"] == json!(true);
                let found = if undo["under_way"] == json!(true) {
                    "under_way"
                } else {
                    undo["last"]["trouble"].as_str().unwrap_or_default()
                };
                let wanted = format!("{failures} {word} {}", *word != "under_way");
                same(format!("{} {found} {asleep}", undo["failures"]), &wanted)
            }
            ["attention", "nothing"] => same(self.attention().await?, ""),
            ["attention", cases @ ..] => same(self.attention().await?, &cases.join(" ")),
            ["waiting" | "answered"] | ["refused", _] | ["same", "answer"] => {
                let before = self.before.clone();
                judge(&words, before.as_ref(), self.answered().await)
            }
            _ => panic!("no such thing can follow: {follows}"),
        }
    }

    /// The cases that wait for a person.
    async fn attention(&self) -> Result<String, String> {
        let list = self.shop.get("/v1/attention").await.ok_or("the daemon does not run")?.body;
        let cases = list["cases"].as_array().ok_or_else(|| format!("found {list}"))?;
        let words: Vec<&str> = cases.iter().filter_map(|case| case["case"].as_str()).collect();
        Ok(words.join(" "))
    }

    async fn text(&self, path: &str) -> Result<String, String> {
        let sale = self.sale().await.ok_or("there is no sale")?;
        Ok(sale.pointer(path).and_then(Value::as_str).unwrap_or_default().to_owned())
    }

    /// The number of the last of so many calls that a line named.
    fn named(&self, count: usize) -> u64 {
        let calls = self.shop.finperks.calls_after(self.calls_seen);
        let mut orders = calls.iter().filter(|call| call.call.and_then(word_of).is_some());
        count.checked_sub(1).and_then(|last| orders.nth(last)).map_or(self.calls_seen, |call| call.n)
    }

    /// The calls that reached finperks since the last line that said what is asked.
    fn asked(&self) -> String {
        let calls = self.shop.finperks.calls_after(self.calls_seen);
        let words: Vec<&str> = calls.iter().filter_map(|call| call.call).filter_map(word_of).collect();
        words.join(" ")
    }

    fn switch(&self, change: &str) {
        let change: Value = serde_json::from_str(change).expect("switches are JSON");
        let mut whole = serde_json::to_value(self.shop.finperks.switches()).unwrap();
        for (name, value) in change.as_object().unwrap() {
            whole[name] = value.clone();
        }
        let switches = serde_json::from_value(whole).expect("there is such a switch");
        self.shop.finperks.switch(|present| *present = switches);
    }

    /// The books must agree once nothing is under way.
    pub async fn balance(&self) {
        let mut why = Vec::new();
        let agreed = eventually(async || {
            why = self.contradictions().await;
            why.is_empty().then_some(())
        })
        .await;
        assert!(agreed.is_some(), "the books disagree: {why:?}");
    }

    async fn contradictions(&self) -> Vec<String> {
        let mut sales = Vec::new();
        let mut found = Vec::new();
        let health = self.shop.get("/v1/health").await.map(|health| health.body).unwrap_or_default();
        if health["owed"] != json!(0) {
            found.push(format!("undos are owed: {health}"));
        }
        for sale in self.sales() {
            sales.push(self.shop.get(&format!("/v1/sales/{sale}")).await.expect("the daemon runs").body);
        }
        let money: Vec<Money> = sales.iter().map(books::money_of).collect();
        let pile = Pile::but(&self.shop.printer, &self.torn_up);
        found.extend(books::contradictions_but(&self.shop.finperks, &pile, &money, &self.lost(&sales)));
        found
    }

    /// Nothing that left the daemon's memory may hold a secret; then the shop closes.
    pub async fn close(self) {
        let token = self.shop.daemon.as_ref().map(|daemon| daemon.token.reveal().to_owned());
        let told = self.shop.all_told().await;
        let found = leaks::found(
            &self.shop,
            &token.expect("the daemon runs"),
            &self.scanned,
            &told,
            self.logged_before,
        );
        assert!(found.is_empty(), "in clear: {found:?}");
        assert!(leaks::logged() > 0, "nothing was logged, so nothing was searched");
        self.shop.close().await;
    }

    fn sales(&self) -> Vec<String> {
        let reader = tilld_journal::Reader::open(&self.shop.journal_folder()).unwrap();
        let sales = reader.list(&tilld_journal::Filter::default(), 1000).unwrap();
        sales.iter().map(|sale| sale.sale.to_string()).collect()
    }
}

/// Runs a script from its first line to its last, and balances the books unless its last line is `books stay open`.
pub async fn run(text: &str) {
    let (settings, mut lines) = read(text);
    let open = lines.pop_if(|line| line.act == "books stay open").is_some();
    let mut till = Till::open(&settings).await;
    for line in &lines {
        till.line(line).await;
    }
    if !open {
        till.balance().await;
    }
    // What was asked of the provider and no line named would otherwise go unseen.
    let asked = till.asked();
    assert!(asked.is_empty(), "nobody expected: {asked}");
    till.close().await;
}

/// Which lines of a script a power cut can follow that is another one than after the line before: those that the daemon hears of. What
/// is prepared at provider and printer is put right after a cut anyway.
pub fn cuts(text: &str) -> Vec<usize> {
    let (_, lines) = read(text);
    let heard = |line: &Line| {
        let words: Vec<&str> = line.act.split_whitespace().collect();
        match words.as_slice() {
            ["finperks", what, ..] => *what == "releases",
            ["printer", what, ..] => matches!(*what, "ok" | "power-cycled"),
            [what, ..] => {
                !matches!(*what, "journal" | "clock" | "look" | "receipt" | "tear" | "crash" | "books")
            }
            [] => false,
        }
    };
    lines.iter().enumerate().filter(|(_, line)| heard(line)).map(|(place, _)| place + 1).collect()
}

/// Runs a script's first lines, cuts the power, starts again, and goes on as a shop would: the till repeats its last request, the
/// provider comes back, the printer and the disk are put right, people look at the paper and answer, a manager closes what is left to
/// be closed, and time passes. In the end nothing may be open, and the books must agree.
pub async fn crash_after(text: &str, count: usize) {
    let (settings, lines) = read(text);
    let mut till = Till::open(&settings).await;
    for line in &lines[..count] {
        till.line(line).await;
    }
    till.act("crash").await;
    till.put_right().await;
    till.act("restart").await;
    if till.last.is_some() {
        till.act("again").await;
    }
    let settled = eventually(async || {
        till.settle().await;
        till.unrest().await.is_empty().then_some(())
    })
    .await;
    if settled.is_none() {
        let (why, sale) = (till.unrest().await, till.sale().await);
        panic!("crash after line {count}, {:?}: {why:?}; the sale is {sale:?}", lines[count - 1].act);
    }
    till.shop.close().await;
}

impl Till {
    /// Everything that was wrong around the daemon is put right, while it is dead.
    async fn put_right(&mut self) {
        self.lock = None;
        for receipt in std::mem::take(&mut self.damaged) {
            self.act(&format!("journal finds {receipt}")).await;
        }
        let finperks = &self.shop.finperks;
        finperks.plug().await;
        finperks.clear_faults();
        finperks.release();
        finperks.set_clock_offset(0);
        // A confirm that has begun comes to its end, in a world where most do not.
        for order in finperks.ledger().orders {
            finperks.finish(&order.id);
        }
        self.shop.printer.power_cycle();
        self.shop.printer.tear();
        self.shop.printer.clear();
    }

    /// What a shop does with what stands still: people look after it, and time passes.
    async fn settle(&mut self) {
        self.look_after_the_sales().await;
        self.shop.clock.pass(Duration::from_mins(16));
        // Real calls are under way: each round leaves them longer, so that a slow machine gets there too.
        self.rounds += 1;
        tokio::time::sleep(Duration::from_millis(20 << self.rounds.min(5))).await;
    }

    /// Whatever keeps the shop from rest.
    async fn unrest(&self) -> Vec<String> {
        let mut open = self.contradictions().await;
        let health = self.shop.get("/v1/health").await.map(|health| health.body).unwrap_or_default();
        for what in ["open_sales", "questions"] {
            if health[what] != json!(0) {
                open.push(format!("{what}: {health}"));
            }
        }
        open
    }
}

/// Holds the one place of a writer, as a backup program gone wrong might.
pub(crate) fn lock(folder: &Path) -> rusqlite::Connection {
    let connection = rusqlite::Connection::open(folder.join("journal.db")).unwrap();
    connection.busy_timeout(PATIENCE).unwrap();
    connection.execute_batch("BEGIN IMMEDIATE").unwrap();
    connection
}

/// Gives the row of a sale another id, so that the next entry of that sale does not fit it.
fn damage(folder: &Path, receipt: &str, id: &str) {
    let connection = rusqlite::Connection::open(folder.join("journal.db")).unwrap();
    connection.busy_timeout(PATIENCE).unwrap();
    let damaged =
        connection.execute(&format!("UPDATE sale SET id = {id} WHERE receipt = ?1"), [receipt]).unwrap();
    assert_eq!(damaged, 1, "there is one sale of {receipt}");
}

fn call_of(word: &str) -> CallKind {
    match word {
        "create" => CallKind::Create,
        "confirm" => CallKind::Confirm,
        "get" => CallKind::Get,
        "invalidate" => CallKind::Invalidate,
        "products" => CallKind::Products,
        _ => panic!("no such call: {word}"),
    }
}

fn call_word(word: &str) -> bool {
    matches!(word, "create" | "confirm" | "get" | "invalidate")
}

fn word_of(call: CallKind) -> Option<&'static str> {
    match call {
        CallKind::Create => Some("create"),
        CallKind::Confirm => Some("confirm"),
        CallKind::Get => Some("get"),
        CallKind::Invalidate => Some("invalidate"),
        CallKind::Products | CallKind::Balances | CallKind::ListStores | CallKind::RegisterStore => None,
        CallKind::Picture => None,
    }
}

/// Whether the till's last request was answered as a line says, or why not.
pub(crate) fn judge(words: &[&str], before: Option<&Answer>, now: Option<&Answer>) -> Result<(), String> {
    let so = match (words, now) {
        (["waiting"], now) => now.is_none(),
        (["answered"], Some(now)) => (200..300).contains(&now.status),
        (["refused", code], Some(now)) => now.status >= 400 && now.body["code"] == *code,
        (["same", "answer"], Some(now)) => {
            before.is_some_and(|before| before.text == now.text && before.status == now.status)
        }
        _ => false,
    };
    if so { Ok(()) } else { Err(format!("before {before:?}, now {now:?}")) }
}

/// `x3` at the end: so many calls.
pub(crate) fn times(how: &[&str]) -> u32 {
    how.last().and_then(|word| word.strip_prefix('x')).and_then(|count| count.parse().ok()).unwrap_or(1)
}

/// The faults by their words.
pub(crate) fn fault_of(how: &[&str]) -> Fault {
    match how {
        ["refuses", code, ..] => {
            Fault::Refuse { code: (*code).to_owned(), status: None, retry_after_s: None, applied: false }
        }
        ["works", "and", "refuses", code, ..] => {
            Fault::Refuse { code: (*code).to_owned(), status: None, retry_after_s: None, applied: true }
        }
        ["says", "later", pause, ..] => Fault::Refuse {
            code: "rate_limit_exceeded".to_owned(),
            status: Some(429),
            retry_after_s: Some(u32::try_from(duration(pause).as_secs()).unwrap()),
            applied: false,
        },
        ["is", "silent", ..] => Fault::DropRequest { how: Loss::Silence },
        ["loses", "the", "request", ..] => Fault::DropRequest { how: Loss::Reset },
        ["loses", "the", "answer", ..] => Fault::DropAnswer { how: Loss::Reset },
        ["works", "silently", ..] => Fault::DropAnswer { how: Loss::Silence },
        ["hangs", "before", ..] => Fault::Hold { executed: Executed::AfterRelease },
        ["hangs", "after", ..] => Fault::Hold { executed: Executed::BeforeRelease },
        ["breaks", "before", ..] => Fault::ServerError { status: 500, applied: false, body: ErrorBody::Text },
        ["breaks", "after", ..] => Fault::ServerError { status: 500, applied: true, body: ErrorBody::Json },
        ["truncates", ..] => Fault::Truncate,
        ["gives", "up", ..] => Fault::Html { status: 408, applied: true },
        ["answers", "html", ..] => Fault::Html { status: 200, applied: true },
        ["answers", "too", "much", ..] => Fault::Oversize,
        ["calls", "it", word, ..] => Fault::UnknownState { word: (*word).to_owned() },
        _ => panic!("no such fault: {how:?}"),
    }
}

/// The printer's faults by their words.
pub(crate) fn printer_fault(how: &[&str]) -> SimulatedFault {
    let at = |word: &str| word.parse().unwrap();
    match how {
        ["paper", "out"] => SimulatedFault::PaperOut,
        ["paper", "out", "at", byte] => SimulatedFault::PaperOutAtByte(at(byte)),
        ["cover", "open"] => SimulatedFault::CoverOpen,
        ["offline"] => SimulatedFault::Offline,
        ["mute", "at", byte] => SimulatedFault::MuteAtByte(at(byte)),
        ["stalls", "at", byte] => SimulatedFault::StallAtByte(at(byte)),
        ["vanishes", "at", byte] => SimulatedFault::VanishAtByte(at(byte)),
        _ => panic!("no such fault: {how:?}"),
    }
}

/// Seconds ahead, or behind.
fn seconds(text: &str, behind: bool) -> i64 {
    let span = i64::try_from(duration(text).as_secs()).unwrap();
    if behind { -span } else { span }
}

pub(crate) fn duration(text: &str) -> Duration {
    let split = text.find(|character: char| !character.is_ascii_digit()).expect("a unit");
    let (number, unit) = text.split_at(split);
    let number: u64 = number.parse().unwrap();
    match unit {
        "ms" => Duration::from_millis(number),
        "s" => Duration::from_secs(number),
        "m" => Duration::from_mins(number),
        "h" => Duration::from_hours(number),
        _ => panic!("no such unit: {unit}"),
    }
}

/// Scripts must not be left hanging by a defect of the runner itself.
pub const SCRIPT_LIMIT: Duration = Duration::from_secs(4 * PATIENCE.as_secs());
