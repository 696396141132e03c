//! The lists of finperks: products, balances, stores, and how they go on from page to page (fact sheet U22).
//!
//! No schema is known. A list is an array, or an object with the array under one of a few names; the next page is a
//! link or a cursor, or there is none. An entry that cannot be read is counted and never stops the rest; a catalogue
//! with holes sells what is in it, and `create` checks every sale again anyway.
//!
//! Texts are for cashiers and slips: control characters are removed and 80 characters kept.

use tilld_domain::ids::{Country, ProductCode};
use tilld_domain::money::{Currency, Money};
use tilld_domain::product::{CardKind, FaceValues, Product};

use crate::json::Node;
use crate::{Balance, Store};

/// The greatest length of a name in characters: two rows of the widest paper.
const LONGEST_NAME: usize = 80;

/// The most fixed face values of one product that are taken; no rack has more.
const MOST_VALUES: usize = 256;

/// How an answer goes on.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// At an address, absolute or relative.
    Link(String),
    /// At the same address with `cursor=…`.
    Cursor(String),
}

/// The entries of a list; `resource` is its own name (`products`). `None` if there is no list in it.
pub(super) fn entries<'a>(root: &'a Node, resource: &str) -> Option<&'a [Node]> {
    let names = [resource, "data", "items", "results"];
    root.list()
        .or_else(|| root.first(&names)?.list())
        .or_else(|| root.first(&["data", "items"])?.first(&names)?.list())
}

/// Where the list goes on, if it does.
pub(super) fn next(root: &Node) -> Option<Next> {
    const LINKS: [&str; 4] = ["next", "next_url", "next_link", "next_page_url"];
    const CURSORS: [&str; 4] = ["next_cursor", "next_page_token", "cursor", "next_token"];
    let places = [
        Some(root),
        root.get("links"),
        root.get("_links"),
        root.get("meta"),
        root.get("paging"),
        root.get("pagination"),
    ];
    places.into_iter().flatten().find_map(|place| {
        if let Some(next) = place.first(&LINKS) {
            let text = next.text().or_else(|| next.first(&["href", "url"])?.text())?;
            let is_link = text.contains("://") || text.starts_with(['/', '?']);
            return match text {
                "" => None,
                _ if is_link => Some(Next::Link(text.to_owned())),
                _ => Some(Next::Cursor(text.to_owned())),
            };
        }
        let cursor = place.first(&CURSORS)?.word()?;
        (!cursor.is_empty()).then(|| Next::Cursor(cursor.into_owned()))
    })
}

/// One product; `home` is the country of one that names none.
pub(super) fn product(node: &Node, home: &Country) -> Option<Product> {
    let code: ProductCode =
        node.first(&["code", "product_code", "ean", "gtin", "sku", "id"])?.word()?.parse().ok()?;
    let brand = node.first(&["brand", "brand_name", "merchant"]);
    let brand = brand.and_then(|node| node.text().or_else(|| node.first(&["name", "title"])?.text()));
    let brand = clean(brand.unwrap_or_default());
    let name = node.first(&["name", "title", "display_name", "product_name"]).and_then(Node::text);
    let name = match clean(name.unwrap_or_default()) {
        name if !name.is_empty() => name,
        _ if !brand.is_empty() => brand.clone(),
        _ => code.to_string(),
    };
    let values = node.first(&[
        "face_values",
        "face_value",
        "face_value_range",
        "denominations",
        "denomination",
        "values",
        "amounts",
        "value",
        "range",
    ]);
    let values = values.unwrap_or(node);
    let currency = currency(node).or_else(|| currency_within(values))?;
    Some(Product {
        kind: kind(node)?,
        face_values: face_values(values, currency)?,
        country: country(node, home)?,
        sellable: sellable(node),
        code,
        name,
        brand,
        currency,
    })
}

/// The text in a field of a product that may be the address of its picture. The field's name is unknown (fact sheet 3.5), and so
/// is its shape: dots lead into objects, and the value is a text, an object with one, or a list of either, of which the first
/// counts.
pub(super) fn picture<'a>(node: &'a Node, field: &str) -> Option<&'a str> {
    let value = field.split('.').try_fold(node, Node::get)?;
    let first = value.list().map_or(Some(value), <[Node]>::first)?;
    first.text().or_else(|| first.first(&["url", "href", "src"])?.text())
}

/// One balance, of an object or of a name and amount. Debts have a minus.
pub(super) fn balances(root: &Node) -> Option<Vec<Balance>> {
    let list = match entries(root, "balances") {
        Some(list) => list.iter().collect(),
        None => {
            vec![root.first(&["data", "balance", "balances"]).filter(|node| node.is_map()).unwrap_or(root)]
        }
    };
    let mut found = Vec::new();
    for entry in &list {
        if let Some(balance) = balance(entry) {
            found.push(balance);
        } else if let Node::Map(amounts) = entry {
            // {"EUR": "100.0", "CHF": …}
            found.extend(amounts.iter().filter_map(|(code, amount)| {
                let available = signed_money(amount, Some(Currency::from_code(code).ok()?))?;
                Some(Balance { available })
            }));
        }
    }
    (list.is_empty() || !found.is_empty()).then_some(found)
}

/// One store.
pub(super) fn store(node: &Node) -> Option<Store> {
    let node = if node.is_map() {
        node.first(&["store", "data"]).filter(|it| it.is_map()).unwrap_or(node)
    } else {
        node
    };
    let id =
        node.first(&["store_id", "partner_store_id", "external_id", "identifier", "reference", "code", "id"]);
    let name = node.first(&["name", "display_name", "title"]).and_then(Node::text).unwrap_or_default();
    Some(Store { id: id?.word()?.parse().ok()?, name: clean(name) })
}

fn balance(node: &Node) -> Option<Balance> {
    let amount =
        node.first(&["available", "available_balance", "available_amount", "balance", "amount", "value"])?;
    Some(Balance { available: signed_money(amount, currency(node))? })
}

fn signed_money(node: &Node, currency: Option<Currency>) -> Option<Money> {
    let own = self::currency(node);
    let amount = if node.is_map() { node.first(&["amount", "value"])? } else { node };
    let currency = own.or(currency)?;
    let text = amount.word()?;
    match text.strip_prefix('-') {
        Some(debt) => {
            let debt = Money::from_decimal_text(debt, currency).ok()?;
            Money::zero(currency).minus(debt).ok()
        }
        None => Money::from_decimal_text(&text, currency).ok(),
    }
}

fn currency(node: &Node) -> Option<Currency> {
    let code = node.first(&["currency", "currency_code"])?.text()?;
    Currency::from_code(code).ok()
}

/// The currency of the first amount that names one.
fn currency_within(values: &Node) -> Option<Currency> {
    currency(values).or_else(|| match values {
        Node::List(list) => list.iter().find_map(currency),
        Node::Map(entries) => entries.iter().find_map(|(_, value)| match value {
            Node::List(list) => list.iter().find_map(currency),
            other => currency(other),
        }),
        _ => None,
    })
}

fn kind(node: &Node) -> Option<CardKind> {
    let names = [
        "kind",
        "type",
        "product_type",
        "fulfillment",
        "fulfilment",
        "delivery",
        "delivery_method",
        "retail_type",
    ];
    names.into_iter().filter_map(|name| node.get(name)).find_map(|value| {
        let word = value.text().or_else(|| value.first(&["type", "kind", "name"])?.text())?;
        let word: String = word
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .map(|letter| letter.to_ascii_lowercase())
            .collect();
        match word.as_str() {
            "por" | "printonreceipt" | "print" => Some(CardKind::Por),
            "posa" | "pointofsaleactivation" | "activation" | "activate" => Some(CardKind::Posa),
            _ => None,
        }
    })
}

fn country(node: &Node, home: &Country) -> Option<Country> {
    let Some(named) = node.first(&["country", "country_code", "countries"]) else {
        return Some(home.clone());
    };
    if let Some(text) = named.text() {
        return text.parse().ok();
    }
    let mut listed = named.list()?.iter().filter_map(|one| one.text()?.parse().ok());
    let first: Country = listed.next()?;
    Some(if listed.any(|other| other == *home) { home.clone() } else { first })
}

/// A word that is not known does not keep a product from being sold: whether it may be is checked by every create.
fn sellable(node: &Node) -> bool {
    let denied = |name: &str| matches!(node.get(name), Some(Node::Bool(false)));
    let off = ["enabled", "available", "active", "sellable", "orderable"].into_iter().any(denied)
        || matches!(node.get("disabled"), Some(Node::Bool(true)));
    let word = node.first(&["status", "state", "availability"]).and_then(Node::text).unwrap_or_default();
    let word = word.to_ascii_lowercase();
    !off && !matches!(
        word.as_str(),
        "disabled"
            | "inactive"
            | "unavailable"
            | "blocked"
            | "suspended"
            | "discontinued"
            | "out_of_stock"
            | "archived"
    )
}

fn face_values(node: &Node, currency: Currency) -> Option<FaceValues> {
    let list = node
        .list()
        .or_else(|| node.first(&["amounts", "values", "denominations", "fixed"])?.list())
        .filter(|list| !list.is_empty());
    let bound = |names: &[&str]| node.first(names).and_then(|value| money(value, currency));
    let least =
        bound(&["min", "minimum", "from", "min_amount", "min_value", "min_face_value", "minimum_amount"]);
    let most =
        bound(&["max", "maximum", "to", "max_amount", "max_value", "max_face_value", "maximum_amount"]);
    let says_open = node.first(&["type", "kind"]).and_then(Node::text).is_some_and(|word| {
        matches!(word.to_ascii_lowercase().as_str(), "open" | "range" | "variable" | "flexible")
    });
    match (list, least, most) {
        (Some(list), ..) if !says_open => {
            let values: Vec<Money> =
                list.iter().map(|value| money(value, currency)).collect::<Option<_>>()?;
            (values.len() <= MOST_VALUES).then_some(FaceValues::Fixed(values))
        }
        (_, Some(least), Some(most)) if least.minor() <= most.minor() => {
            Some(FaceValues::Open { least, most })
        }
        // One face value, not in a list.
        (None, None, None) => money(node, currency).map(|value| FaceValues::Fixed(vec![value])),
        _ => None,
    }
}

/// A positive amount of `currency`: a text, a number, or an object.
fn money(node: &Node, currency: Currency) -> Option<Money> {
    signed_money(node, Some(currency)).filter(|money| money.is_positive() && money.currency() == currency)
}

fn clean(text: &str) -> String {
    let kept: String = text.chars().filter(|character| !character.is_control()).take(LONGEST_NAME).collect();
    kept.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(json: &str) -> Node {
        Node::read(json.as_bytes()).unwrap_or_else(|| panic!("{json}"))
    }

    fn home() -> Country {
        "DE".parse().unwrap()
    }

    fn values(json: &str) -> Option<String> {
        product(&node(json), &home()).map(|product| match product.face_values {
            FaceValues::Fixed(values) => format!("{values:?}"),
            FaceValues::Open { least, most } => format!("{least} to {most}"),
        })
    }

    #[test]
    fn a_product_is_read_in_every_spelling() {
        for (fields, expected) in [
            (r#""face_values":{"type":"fixed","amounts":["10.0","25.00"]}"#, Some("[10.00 EUR, 25.00 EUR]")),
            (r#""face_values":{"type":"open","min":"10.0","max":"250"}"#, Some("10.00 EUR to 250.00 EUR")),
            (r#""face_values":[{"currency":"EUR","amount":"15.0"}]"#, Some("[15.00 EUR]")),
            (
                r#""face_value_range":{"min":{"currency":"EUR","amount":"5.0"},"max":{"currency":"EUR","amount":"9.5"},"step":1}"#,
                Some("5.00 EUR to 9.50 EUR"),
            ),
            (r#""denominations":[10,25.5]"#, Some("[10.00 EUR, 25.50 EUR]")),
            (r#""values":{"minimum":10,"maximum":20}"#, Some("10.00 EUR to 20.00 EUR")),
            (r#""amounts":{"from":"10","to":"20"}"#, Some("10.00 EUR to 20.00 EUR")),
            (r#""min_amount":"10","max_amount":"20""#, Some("10.00 EUR to 20.00 EUR")),
            (r#""face_value":{"currency":"EUR","amount":"20.0"}"#, Some("[20.00 EUR]")),
            (r#""face_value":"20.0""#, Some("[20.00 EUR]")),
            (
                r#""face_values":{"type":"open","amounts":["10"],"min":"5","max":"50"}"#,
                Some("5.00 EUR to 50.00 EUR"),
            ),
            (r#""face_values":["10","0"]"#, None),
            (r#""face_values":["-10"]"#, None),
            (r#""face_values":["10.001"]"#, None),
            (r#""face_values":[{"currency":"CHF","amount":"10"}]"#, None),
            (r#""face_values":{"min":"20","max":"10"}"#, None),
            (r#""face_values":{"min":"20"}"#, None),
            (r#""face_values":[]"#, None),
            (r#""face_values":"many""#, None),
            (r#""x":1"#, None),
        ] {
            let json = format!(r#"{{"code":"p1","name":"n","kind":"por","currency":"EUR",{fields}}}"#);
            assert_eq!(values(&json).as_deref(), expected, "{fields}");
        }
    }

    #[test]
    fn a_product_needs_a_code_a_kind_a_currency_and_a_value_and_nothing_else() {
        let whole = r#"{"code":"p1","type":"posa","currency":"JPY","face_values":["500"]}"#;
        let product = super::product(&node(whole), &home()).unwrap();
        assert_eq!((product.name.as_str(), product.country.as_str()), ("p1", "DE"));
        assert_eq!(product.kind, CardKind::Posa);
        for json in [
            r#"{"type":"posa","currency":"JPY","face_values":["500"]}"#,
            r#"{"code":"p/1","type":"posa","currency":"JPY","face_values":["500"]}"#,
            r#"{"code":"p1","currency":"JPY","face_values":["500"]}"#,
            r#"{"code":"p1","type":"egift","currency":"JPY","face_values":["500"]}"#,
            r#"{"code":"p1","type":"posa","face_values":["500"]}"#,
            r#"{"code":"p1","type":"posa","currency":"XTS","face_values":["500"]}"#,
            r#"{"code":"p1","type":"posa","currency":"JPY","country":"Japan","face_values":["500"]}"#,
            "7",
            "null",
            "[]",
        ] {
            assert!(super::product(&node(json), &home()).is_none(), "{json}");
        }
    }

    #[test]
    fn kind_country_and_availability_are_read_from_the_words_in_use() {
        let read = |fields: &str| {
            let json = format!(r#"{{"code":"p1","currency":"EUR","face_values":["5"],{fields}}}"#);
            super::product(&node(&json), &home())
                .map(|it| (it.kind, it.country.as_str().to_owned(), it.sellable))
        };
        for (fields, expected) in [
            (r#""kind":"POR""#, (CardKind::Por, "DE", true)),
            (r#""type":"gift_card","delivery":"Print-on-Receipt""#, (CardKind::Por, "DE", true)),
            (r#""fulfillment":{"type":"point_of_sale_activation"}"#, (CardKind::Posa, "DE", true)),
            (r#""kind":"posa","country":"CH""#, (CardKind::Posa, "CH", true)),
            (r#""kind":"posa","countries":["CH","DE"]"#, (CardKind::Posa, "DE", true)),
            (r#""kind":"posa","countries":["CH","AT"]"#, (CardKind::Posa, "CH", true)),
            (r#""kind":"por","enabled":false"#, (CardKind::Por, "DE", false)),
            (r#""kind":"por","status":"DISABLED""#, (CardKind::Por, "DE", false)),
            (r#""kind":"por","state":"enabled""#, (CardKind::Por, "DE", true)),
            (r#""kind":"por","state":"waxing""#, (CardKind::Por, "DE", true)),
        ] {
            let (kind, country, sellable) = expected;
            assert_eq!(read(fields), Some((kind, country.to_owned(), sellable)), "{fields}");
        }
    }

    #[test]
    fn names_lose_control_characters_and_everything_beyond_eighty() {
        let json = format!(
            r#"{{"code":"p1","name":"A\u001bp\n{}","brand":{{"name":" B\u0000 "}},"kind":"por","currency":"EUR","face_values":["5"]}}"#,
            "ü".repeat(200)
        );
        let product = product(&node(&json), &home()).unwrap();
        assert!(product.name.starts_with("Apüü") && product.name.chars().count() == LONGEST_NAME);
        assert_eq!(product.brand, "B");
    }

    #[test]
    fn the_address_of_a_picture_is_read_from_the_field_that_is_named_in_every_shape() {
        for (json, field, expected) in [
            (r#"{"image_url":"https://h/1"}"#, "image_url", Some("https://h/1")),
            (r#"{"images":["https://h/1","https://h/2"]}"#, "images", Some("https://h/1")),
            (r#"{"images":[{"url":"https://h/1"}]}"#, "images", Some("https://h/1")),
            (r#"{"image":{"href":"https://h/1","size":1}}"#, "image", Some("https://h/1")),
            (r#"{"brand":{"logo":{"src":"https://h/1"}}}"#, "brand.logo", Some("https://h/1")),
            (r#"{"image_url":null}"#, "image_url", None),
            (r#"{"image_url":7}"#, "image_url", None),
            (r#"{"images":[]}"#, "images", None),
            (r#"{"images":[["https://h/1"]]}"#, "images", None),
            (r#"{"image":{"thumbnail":"https://h/1"}}"#, "image", None),
            (r#"{"other":"https://h/1"}"#, "image_url", None),
            ("[]", "image_url", None),
        ] {
            assert_eq!(picture(&node(json), field), expected, "{json}");
        }
    }

    #[test]
    fn balances_are_read_in_every_shape_and_may_be_debts() {
        let read = |json: &str| {
            balances(&node(json)).map(|all| all.iter().map(|it| it.available.to_string()).collect::<Vec<_>>())
        };
        for (json, expected) in [
            (
                r#"[{"available":{"currency":"EUR","amount":"100.0"}},{"currency":"CHF","amount":"-5"}]"#,
                Some(vec!["100.00 EUR", "-5.00 CHF"]),
            ),
            (r#"{"balances":[{"currency":"JPY","available_balance":500}]}"#, Some(vec!["500 JPY"])),
            (r#"{"data":{"currency":"EUR","available":"1.5"}}"#, Some(vec!["1.50 EUR"])),
            (r#"{"available":{"currency":"EUR","amount":"100.0"}}"#, Some(vec!["100.00 EUR"])),
            (r#"{"balances":{"EUR":"100.0"}}"#, Some(vec!["100.00 EUR"])),
            ("[]", Some(vec![])),
            (r#"[{"x":1},{"currency":"EUR","amount":"2"}]"#, Some(vec!["2.00 EUR"])),
            (r#"[{"x":1}]"#, None),
            ("{}", None),
            ("7", None),
        ] {
            let expected = expected.map(|all| all.into_iter().map(str::to_owned).collect());
            assert_eq!(read(json), expected, "{json}");
        }
    }

    #[test]
    fn a_store_is_known_by_the_retailers_own_id() {
        for (json, expected) in [
            (r#"{"id":"9f","store_id":"A1234","name":"Mitte\u0007"}"#, Some(("A1234", "Mitte"))),
            (r#"{"store":{"id":"A1234"}}"#, Some(("A1234", ""))),
            (r#"{"name":"x"}"#, None),
            ("[]", None),
        ] {
            let store = store(&node(json));
            assert_eq!(store.as_ref().map(|it| (it.id.as_str(), it.name.as_str())), expected, "{json}");
        }
    }

    #[test]
    fn a_list_and_its_next_page_are_found_under_any_of_their_names() {
        for (json, count) in [
            ("[1,2]", Some(2)),
            (r#"{"data":[1]}"#, Some(1)),
            (r#"{"items":[]}"#, Some(0)),
            (r#"{"products":[1]}"#, Some(1)),
            (r#"{"data":{"products":[1]}}"#, Some(1)),
            (r#"{"stores":[1]}"#, None),
            ("{}", None),
            ("7", None),
        ] {
            assert_eq!(entries(&node(json), "products").map(<[Node]>::len), count, "{json}");
        }
        let link = |text: &str| Some(Next::Link(text.to_owned()));
        let cursor = |text: &str| Some(Next::Cursor(text.to_owned()));
        for (json, expected) in [
            (r#"{"next":"https://h/v1/products?page=2"}"#, link("https://h/v1/products?page=2")),
            (r#"{"links":{"next":"/v1/products?page=2"}}"#, link("/v1/products?page=2")),
            (r#"{"_links":{"next":{"href":"?page=2"}}}"#, link("?page=2")),
            (r#"{"next_cursor":"abc"}"#, cursor("abc")),
            (r#"{"pagination":{"next_cursor":7}}"#, cursor("7")),
            (r#"{"next":"abc"}"#, cursor("abc")),
            (r#"{"next":null}"#, None),
            (r#"{"next":""}"#, None),
            (r#"{"next_cursor":""}"#, None),
            ("[]", None),
        ] {
            assert_eq!(next(&node(json)), expected, "{json}");
        }
    }
}
