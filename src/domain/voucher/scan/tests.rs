//! What the counter makes of everything that a scanner or a person can send.

use proptest::prelude::*;

use super::*;

fn rules() -> ScanRules {
    let link = |host: &str, path: &str| LinkRule { host: host.to_owned(), path: path.to_owned() };
    ScanRules::new(
        vec!["V:".to_owned(), "V:V".to_owned(), "\u{2}".to_owned()],
        vec!["#".to_owned()],
        vec![link("vouchers.example", "/"), link("gifts.example", "/v/")],
        vec!["R".to_owned(), "99".to_owned()],
    )
    .unwrap()
}

fn told(rules: &ScanRules, raw: &str) -> String {
    match rules.read(raw) {
        Ok(VoucherCode::Number(digits)) => format!("number {}", digits.reveal()),
        Ok(VoucherCode::Token(token)) => format!("token {}", token.reveal()),
        Err(why) => why.code().to_owned(),
    }
}

fn check(table: &[(&str, &str)]) {
    let rules = rules();
    let wrong: Vec<String> = table
        .iter()
        .map(|(raw, expected)| (raw, told(&rules, raw), expected))
        .filter(|(_, found, expected)| found != *expected)
        .map(|(raw, found, expected)| format!("{raw:?} => {found}\n   not: {expected}\n"))
        .collect();
    assert!(wrong.is_empty(), "these are read otherwise:\n{}", wrong.concat());
}

#[test]
fn twelve_digits_are_a_code_however_they_are_written() {
    check(&[
        ("012345678901", "number 012345678901"),
        ("000000000000", "number 000000000000"),
        ("0123 4567 8901", "number 012345678901"),
        ("0123-4567-8901", "number 012345678901"),
        ("0123 - 4567 - 8901", "number 012345678901"),
        ("0123\u{2011}4567\u{2013}8901", "number 012345678901"),
        ("012\u{a0}345\u{202f}678 901", "number 012345678901"),
        ("  012345678901  ", "number 012345678901"),
        // a UPC-A product, which no program can tell from a code
        ("036000291452", "number 036000291452"),
    ]);
}

#[test]
fn what_scanners_add_is_taken_away() {
    check(&[
        ("012345678901\r\n", "number 012345678901"),
        ("\u{2}012345678901\u{3}", "number 012345678901"),
        ("\t012345678901\t", "number 012345678901"),
        ("]C0012345678901\r", "number 012345678901"),
        ("]Q1https://vouchers.example/Ab3_-xYz12\r\n", "token Ab3_-xYz12"),
        ("]d2Ab3_-xYz12", "token Ab3_-xYz12"),
        ("V:012345678901#", "number 012345678901"),
        ("V:V012345678901", "number 012345678901"),
        ("V:]Q1Ab3_-xYz12#\r", "token Ab3_-xYz12"),
        ("]Q1V:Ab3_-xYz12", "token Ab3_-xYz12"),
        // no symbology: a letter and one more letter or digit
        ("]1x012345678901", "scan_unreadable"),
        ("]C-012345678901", "scan_unreadable"),
        ("V:", "scan_empty"),
        // only once, and only at the ends
        ("V:V:012345678901", "scan_unreadable"),
        ("012345#678901", "scan_unreadable"),
        ("0123\t45678901", "scan_unreadable"),
    ]);
}

#[test]
fn a_qr_code_holds_a_link_or_a_bare_token() {
    check(&[
        ("https://vouchers.example/Ab3_-xYz12", "token Ab3_-xYz12"),
        ("HTTPS://Vouchers.Example/Ab3_-xYz12", "token Ab3_-xYz12"),
        ("http://vouchers.example:8080/Ab3_-xYz12/", "token Ab3_-xYz12"),
        ("https://vouchers.example/Ab3_-xYz12?utm=1#top", "token Ab3_-xYz12"),
        ("https://vouchers.example/vouchers/Ab3_-xYz12", "token vouchers/Ab3_-xYz12"),
        ("https://gifts.example/v/Ab3_-xYz12", "token Ab3_-xYz12"),
        ("https://gifts.example/Ab3_-xYz12", "scan_foreign_link"),
        ("https://elsewhere.example/Ab3_-xYz12", "scan_foreign_link"),
        ("https://vouchers.example.evil.example/Ab3_-xYz12", "scan_foreign_link"),
        ("https://evil.example@vouchers.example/Ab3_-xYz12", "scan_foreign_link"),
        ("https://vouchers.example:evil/Ab3_-xYz12", "scan_foreign_link"),
        ("https://vouchers.example\\@evil.example/Ab3_-xYz12", "scan_foreign_link"),
        ("https://vouchers.example/%41b3_-xYz12", "scan_foreign_link"),
        ("https://vouchers.example/../Ab3_-xYz12", "scan_foreign_link"),
        ("https://vouchers.example/", "scan_foreign_link"),
        ("https://vouchers.example", "scan_foreign_link"),
        ("https://", "scan_foreign_link"),
        ("ftp://vouchers.example/Ab3_-xYz12", "scan_unreadable"),
        ("Ab3_-xYz12", "token Ab3_-xYz12"),
        ("0190b5c2-9a4e-7cc3-98c4-dc0c0c07398f", "token 0190b5c2-9a4e-7cc3-98c4-dc0c0c07398f"),
        ("vouchers/Ab3_-xYz12", "scan_unreadable"),
        ("Ab3_-xY", "scan_unreadable"),
    ]);
}

#[test]
fn without_rules_a_link_may_lead_anywhere_because_it_is_never_followed() {
    let rules = ScanRules::plain();
    assert_eq!(told(&rules, "https://any.example/Ab3_-xYz12"), "token Ab3_-xYz12");
    assert_eq!(told(&rules, "https://any.example/x"), "scan_foreign_link");
    assert_eq!(told(&rules, "R000000017"), "token R000000017");
}

#[test]
fn anything_else_is_refused_by_what_it_is() {
    let long = "x".repeat(LONGEST + 1);
    check(&[
        ("", "scan_empty"),
        (" \r\n", "scan_empty"),
        ("\u{2}\u{3}", "scan_empty"),
        ("]C0", "scan_empty"),
        (&long, "scan_too_long"),
        // products
        ("4006381333931", "scan_product_code"),
        ("40170725", "scan_product_code"),
        ("10614141000415", "scan_product_code"),
        ("]E04006381333931", "scan_product_code"),
        ("]E0036000291452", "scan_product_code"),
        // payment cards: Visa, American Express, Diners, Maestro of 19 digits, in groups, on a track, in a link
        ("4111111111111111", "scan_payment_card"),
        ("4111 1111 1111 1111", "scan_payment_card"),
        ("378282246310005", "scan_payment_card"),
        ("30569309025904", "scan_payment_card"),
        ("6304000000000000000", "scan_payment_card"),
        ("4222222222222", "scan_payment_card"),
        (";4111111111111111=29121010000000000000?", "scan_payment_card"),
        ("%B4111111111111111^DOE/JOHN^2912101?", "scan_payment_card"),
        ("https://vouchers.example/4111111111111111", "scan_payment_card"),
        // receipts of this shop
        ("R000000017", "scan_receipt"),
        ("R 000000017", "scan_receipt"),
        ("9900000000017", "scan_receipt"),
        ("990000000017", "number 990000000017"),
        // numbers of another length
        ("1", "scan_too_short"),
        ("01234567890", "scan_too_short"),
        ("40170726", "scan_too_short"),
        ("4006381333933", "scan_too_long"),
        ("4111111111111112", "scan_too_long"),
        ("41111111111111111111", "scan_too_long"),
        // and what nobody can read
        ("-012345678901", "scan_unreadable"),
        ("+12345678901", "scan_unreadable"),
        ("012345678901x", "token 012345678901x"),
        ("hello world", "scan_unreadable"),
        ("٠١٢٣٤٥٦٧٨٩٠١", "scan_unreadable"),
        ("０１２３４５６７８９０１", "scan_unreadable"),
        ("Gutschein🎁", "scan_unreadable"),
        ("\u{0}", "scan_empty"),
        ("0123456\u{0}78901", "scan_unreadable"),
    ]);
}

#[test]
fn rules_that_would_eat_a_code_or_fit_no_link_are_refused() {
    let made = |prefix: &str, suffix: &str, host: &str, path: &str| {
        let links = vec![LinkRule { host: host.to_owned(), path: path.to_owned() }];
        ScanRules::new(vec![prefix.to_owned()], vec![suffix.to_owned()], links, Vec::new()).map(|_| ())
    };
    for (prefix, suffix, host, path, expected) in [
        ("V", "#", "vouchers.example", "/", Ok(())),
        ("V", "#", "vouchers.example", "/v/", Ok(())),
        ("", "#", "vouchers.example", "/", Err(ScanRulesError::Length)),
        ("V", "", "vouchers.example", "/", Err(ScanRulesError::Length)),
        ("01", "#", "vouchers.example", "/", Err(ScanRulesError::Digits)),
        ("V", "9", "vouchers.example", "/", Err(ScanRulesError::Digits)),
        ("V", "#", "Vouchers.example", "/", Err(ScanRulesError::Host)),
        ("V", "#", "vouchers.example:80", "/", Err(ScanRulesError::Host)),
        ("V", "#", "", "/", Err(ScanRulesError::Host)),
        ("V", "#", "vouchers.example", "v/", Err(ScanRulesError::Path)),
        ("V", "#", "vouchers.example", "/v", Err(ScanRulesError::Path)),
        ("V", "#", "vouchers.example", "/a b/", Err(ScanRulesError::Path)),
    ] {
        assert_eq!(made(prefix, suffix, host, path), expected, "{prefix} {suffix} {host} {path}");
    }
}

/// Texts that are nearly something.
fn nearly() -> impl Strategy<Value = String> {
    prop_oneof![
        "[0-9 \\-]{0,40}",
        "\\]?[A-Z][0-9][0-9]{8,19}",
        "(V:|\u{2})?[0-9]{12}#?[\r\n\t\u{3}]{0,3}",
        "https?://[a-z.:@]{0,20}/[A-Za-z0-9_/%.?#-]{0,60}",
        "[A-Za-z0-9_-]{1,140}",
        any::<String>(),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_comes_is_a_code_that_stood_in_it_or_a_refusal(raw in nearly()) {
        match rules().read(&raw) {
            Ok(VoucherCode::Number(code)) => {
                let digits: String = raw.chars().filter(char::is_ascii_digit).collect();
                prop_assert!(digits.ends_with(code.reveal()), "{raw:?}");
                prop_assert_eq!(code.reveal().len(), DIGITS);
            }
            Ok(VoucherCode::Token(code)) => {
                prop_assert!(raw.contains(code.reveal()), "{raw:?}");
                let runs = code.reveal().split(|character: char| !character.is_ascii_digit());
                for run in runs.filter(|run| CARD_DIGITS.contains(&run.len())) {
                    prop_assert!(!is_card_number(run), "{raw:?}");
                }
            }
            Err(why) => prop_assert!(why.code().starts_with("scan_"), "{why:?}"),
        }
    }

    #[test]
    fn every_card_number_is_refused_in_every_form(
        head in "[1-9][0-9]{11,17}",
        groups in 2..6_usize,
        around in prop_oneof![Just(("", "")), Just(("\u{2}", "\u{3}")), Just(("%B", "^X?")), Just(("https://vouchers.example/", ""))],
    ) {
        let digits: Vec<u32> = head.chars().map(|digit| digit.to_digit(10).unwrap()).collect();
        let check = (0..10).find(|last| luhn(&[digits.as_slice(), &[*last]].concat())).unwrap();
        let number = format!("{head}{check}");
        let (before, after) = around;
        let refused = rules().read(&format!("{before}{number}{after}"));
        prop_assert!(matches!(refused, Err(Refusal::ScanPaymentCard | Refusal::ScanProductCode | Refusal::ScanReceipt)), "{number}");
        let grouped: Vec<&str> = number.as_bytes().chunks(groups).map(|part| std::str::from_utf8(part).unwrap()).collect();
        prop_assert!(rules().read(&grouped.join(" ")).is_err(), "{number}");
    }
}
