//! `tilld attention`: what waits for a person, out of the journal, while the daemon runs or not; each case with the command
//! that answers or closes it. Those commands are in `decide`.

use anyhow::Context;
use serde_json::{Value, json};
use tilld_counter::clock::{Clock, SystemClock};
use tilld_domain::attention::{Case, Who};
use tilld_domain::order::Order;
use tilld_domain::redemption::{self, Redemption};
use tilld_domain::sale::Sale;
use tilld_domain::voucher::tries::Limit;
use tilld_journal::{Filter, RedemptionFilter};

use crate::command::{Failure, say};
use crate::journal::{Which, moment_json, when};

/// How many open sales are looked at: far more than a till ever has.
const MOST: usize = 100_000;

pub(crate) fn show(which: &Which) -> Result<(), Failure> {
    let reader = which.open()?;
    let open = reader
        .list(&Filter { open_only: true, ..Filter::default() }, MOST)
        .context("the journal cannot be read")?;
    let now = SystemClock::default().wall();
    let mut waiting = Vec::new();
    for row in open {
        if let Some(sale) = reader.sale_now(row.sale).context("the journal cannot be read")? {
            waiting.extend(sale.attention(now).into_iter().map(|case| (sale.clone(), case)));
        }
    }
    let filter = RedemptionFilter { open_only: true, ..RedemptionFilter::default() };
    let mut of_vouchers = Vec::new();
    for row in reader.redemptions(&filter, MOST).context("the journal cannot be read")? {
        let redemption = reader.redemption_now(row.redemption).context("the journal cannot be read")?;
        of_vouchers.extend(redemption.and_then(|it| it.attention(now).map(|case| (it, case))));
    }
    let locked = reader.tries(Limit::DESIGN).context("the journal cannot be read")?.again(Limit::DESIGN, now);
    if which.json {
        let sales = waiting.iter().map(|(sale, case)| case_json(sale, case));
        let redemptions = of_vouchers.iter().map(|(it, case)| voucher_json(it, case));
        let cases: Vec<Value> = sales.chain(redemptions).collect();
        let locked = locked.map(moment_json);
        return say(&json!({ "cases": cases, "vouchers_locked_until": locked }).to_string());
    }
    if let Some(until) = locked {
        say(&format!(
            "manager !  vouchers: too many wrong codes\n  No voucher is checked until {}. See `tilld journal tries`, then \
             let the terminal try again.\n  tilld attention unlock --by NAME",
            when(until)
        ))?;
    }
    if waiting.is_empty() && of_vouchers.is_empty() && locked.is_none() {
        return say("nothing waits for a person");
    }
    for (sale, case) in &waiting {
        say(&text(sale, case))?;
    }
    for (redemption, case) in &of_vouchers {
        say(&voucher_text(redemption, case))?;
    }
    Ok(())
}

fn voucher_text(it: &Redemption, case: &redemption::attention::Case) -> String {
    let who = word(case.who());
    let until = case.until.map(|until| format!(", until {}", when(until))).unwrap_or_default();
    let urgent = if case.urgent { " !" } else { "" };
    let support = for_the_provider(it.replacement_text());
    format!(
        "{who}{urgent}  basket {}: voucher {} {}{until}\n  {}\n  redemption {}{}{support}",
        it.opening.basket,
        it.opening.code_tail.masked(),
        it.opening.amount,
        case.sentence(),
        it.id(),
        commands(
            &it.id().to_string(),
            &case.choices.iter().map(|choice| choice.code()).collect::<Vec<_>>(),
            &case.verdicts.iter().map(|verdict| verdict.code()).collect::<Vec<_>>(),
        ),
    )
}

/// What to send to the provider's people, indented.
fn for_the_provider(text: Option<String>) -> String {
    text.map(|text| format!("\n  for the provider:\n    {}", text.replace('\n', "\n    ")))
        .unwrap_or_default()
}

fn voucher_json(it: &Redemption, case: &redemption::attention::Case) -> Value {
    json!({
        "redemption": it.id().to_string(),
        "basket": it.opening.basket.as_str(),
        "code_tail": it.opening.code_tail.as_str(),
        "case": case.code(),
        "text": case.sentence(),
        "who": word(case.who()),
        "choices": case.choices.iter().map(|choice| choice.code()).collect::<Vec<_>>(),
        "answer": (!case.choices.is_empty()).then(|| format!("/v1/redemptions/{}/answer", it.id())),
        "may_be_settled": !case.verdicts.is_empty(),
        "verdicts": case.verdicts.iter().map(|verdict| verdict.code()).collect::<Vec<_>>(),
        "settle": (!case.verdicts.is_empty()).then(|| format!("/v1/redemptions/{}/settle", it.id())),
        "since": case.since.map(moment_json),
        "until": case.until.map(moment_json),
        "urgent": case.urgent,
        "for_the_provider": it.replacement_text(),
    })
}

fn word(who: Who) -> &'static str {
    match who {
        Who::Cashier => "cashier",
        Who::Manager => "manager",
    }
}

fn text(sale: &Sale, case: &Case) -> String {
    let card = sale.order(case.card).map(about).unwrap_or_default();
    let who = word(case.who());
    let until = case.until.map(|until| format!(", until {}", when(until))).unwrap_or_default();
    let urgent = if case.urgent { " !" } else { "" };
    let support = for_the_provider(sale.replacement_text(case.card));
    format!(
        "{who}{urgent}  receipt {}, card {}: {card}{until}\n  {}\n  sale {}{}{support}",
        sale.opening.receipt,
        case.card.number(),
        case.sentence(),
        sale.opening.sale,
        commands(
            &format!("{} {}", sale.opening.sale, case.card.number()),
            &case.choices().iter().map(|choice| choice.code()).collect::<Vec<_>>(),
            if case.may_be_settled() { &[""] } else { &[] },
        ),
    )
}

fn about(order: &Order) -> String {
    format!("{} {}", order.facts.product_name, order.facts.face_value)
}

fn case_json(sale: &Sale, case: &Case) -> Value {
    let path = format!("/v1/sales/{}/cards/{}", sale.opening.sale, case.card.number());
    json!({
        "sale": sale.opening.sale.to_string(),
        "receipt": sale.opening.receipt.as_str(),
        "card": case.card.number(),
        "case": case.code(),
        "text": case.sentence(),
        "who": word(case.who()),
        "choices": case.choices().iter().map(|choice| choice.code()).collect::<Vec<_>>(),
        "answer": (!case.choices().is_empty()).then(|| format!("{path}/answer")),
        "may_be_settled": case.may_be_settled(),
        "settle": case.may_be_settled().then(|| format!("{path}/settle")),
        "since": case.since.map(moment_json),
        "until": case.until.map(moment_json),
        "urgent": case.urgent,
        "for_the_provider": sale.replacement_text(case.card),
    })
}

/// The commands that answer or close a case, a line each; `of` names it, an empty verdict is that there is but one.
fn commands(of: &str, choices: &[&str], verdicts: &[&str]) -> String {
    let answers =
        choices.iter().map(|choice| format!("\n    tilld attention answer {of} {choice} --by NAME"));
    let closings = verdicts.iter().map(|verdict| {
        let blank = if verdict.is_empty() { "" } else { " " };
        format!("\n    tilld attention settle {of}{blank}{verdict} --by NAME --reason \"WHY\"")
    });
    answers.chain(closings).collect()
}

#[cfg(test)]
mod tests {
    use super::commands;

    #[test]
    fn every_choice_and_every_verdict_has_its_command() {
        assert_eq!(commands("S 1", &[], &[]), "");
        assert_eq!(
            commands("S 1", &["complete", "nothing"], &[""]),
            "\n    tilld attention answer S 1 complete --by NAME\
             \n    tilld attention answer S 1 nothing --by NAME\
             \n    tilld attention settle S 1 --by NAME --reason \"WHY\""
        );
        assert_eq!(
            commands("R", &[], &["used"]),
            "\n    tilld attention settle R used --by NAME --reason \"WHY\""
        );
    }
}
