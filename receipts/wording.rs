//! The words on slips, in the languages of the countries that the daemon is made for.
//!
//! Each phrase names every language as a field, so a translation that is missing does not compile. `{n}` and `{m}`
//! stand for numbers. A language that is not here reads English: a slip in a foreign language is still a slip. A
//! library for messages (plurals, genders) is deliberately absent: no phrase here needs either.

use tilld_domain::ids::Locale;

/// A language that slips can be in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Language {
    /// English, also for every language that is not here.
    English,
    /// German.
    German,
    /// French.
    French,
    /// Italian.
    Italian,
    /// Spanish.
    Spanish,
    /// Dutch.
    Dutch,
    /// Polish.
    Polish,
}

impl Language {
    /// Every language.
    pub const ALL: [Self; 7] =
        [Self::English, Self::German, Self::French, Self::Italian, Self::Spanish, Self::Dutch, Self::Polish];

    /// The language of a BCP 47 tag, by its first part.
    pub fn of(locale: &Locale) -> Self {
        let tag = locale.as_str();
        match tag.split('-').next().unwrap_or(tag).to_ascii_lowercase().as_str() {
            "de" => Self::German,
            "fr" => Self::French,
            "it" => Self::Italian,
            "es" => Self::Spanish,
            "nl" => Self::Dutch,
            "pl" => Self::Polish,
            _ => Self::English,
        }
    }
}

/// A phrase on a slip.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Phrase {
    /// The mark of a reprint; `{n}` is the number of the copy.
    Copy,
    /// From the second attempt at a slip on; `{n}` is the attempt.
    EarlierVoid,
    /// Which card of a receipt, `{n}` of `{m}`.
    CardOf,
    /// A POSA card is live now.
    Activated,
    /// A part of what the provider sent could not be read as text.
    CheckSlip,
    /// Above the number of a slip, which must not be taken for the card's code.
    SlipNumber,
    /// In place of a product's name that is empty.
    GiftCard,
    /// Label of the date and time.
    Date,
    /// Label of the store.
    Store,
    /// Label of the terminal.
    Till,
    /// Label of the receipt's number.
    Receipt,
    /// Title: value was taken from a voucher.
    VoucherRedeemed,
    /// Title: a redemption was taken back.
    RedemptionReversed,
    /// What that means.
    GivenBack,
    /// Title: what a voucher is worth.
    VoucherBalance,
    /// In place of an amount.
    NotRedeemable,
    /// That it was only looked at.
    NothingRedeemed,
    /// Label of the end of a voucher's code.
    VoucherCode,
    /// Label of how something is paid.
    Tender,
    /// Label of what lowers the price.
    Discount,
    /// A voucher that somebody paid for.
    Voucher,
    /// A voucher that the shop gave away.
    Promotional,
    /// Label of what is left on a voucher.
    Left,
    /// In place of an item's name that is empty.
    Item,
    /// Label of a redemption's number.
    Redemption,
    /// Label of the provider's number of a redemption.
    ProviderNumber,
    /// Title: a look at the day as it stands.
    ReportX,
    /// Title: the closing of a day; `{n}` is its number.
    ReportZ,
    /// The mark of a second paper that has no number.
    SecondPaper,
    /// Label of a day of business.
    Day,
    /// Label of who closed a day.
    ClosedBy,
    /// Cards that were sold.
    Sold,
    /// Paid cards whose money was given back.
    MoneyBack,
    /// Vouchers that paid.
    Redeemed,
    /// Redemptions that were taken back.
    ValueGivenBack,
    /// Heading of sums by product.
    ByProduct,
    /// Heading of sums by how it was paid.
    ByPayment,
    /// Heading of sums by provider.
    ByProvider,
    /// Heading of sums by cashier.
    ByCashier,
    /// In place of a cashier that the till did not name.
    Unnamed,
    /// Paid in notes and coins.
    Cash,
    /// Paid with a payment card.
    PaymentCard,
    /// Paid with both.
    CashAndCard,
    /// Heading of what is not closed.
    StillOpen,
    /// In place of sums where there are none.
    NothingHappened,
}

pub(crate) struct Words {
    pub(crate) en: &'static str,
    pub(crate) de: &'static str,
    pub(crate) fr: &'static str,
    pub(crate) it: &'static str,
    pub(crate) es: &'static str,
    pub(crate) nl: &'static str,
    pub(crate) pl: &'static str,
}

impl Words {
    /// Those of a language.
    pub(crate) fn of(&self, language: Language) -> &'static str {
        match language {
            Language::English => self.en,
            Language::German => self.de,
            Language::French => self.fr,
            Language::Italian => self.it,
            Language::Spanish => self.es,
            Language::Dutch => self.nl,
            Language::Polish => self.pl,
        }
    }
}

impl Phrase {
    /// Every phrase.
    pub const ALL: [Self; 45] = [
        Self::Copy,
        Self::EarlierVoid,
        Self::CardOf,
        Self::Activated,
        Self::CheckSlip,
        Self::SlipNumber,
        Self::GiftCard,
        Self::Date,
        Self::Store,
        Self::Till,
        Self::Receipt,
        Self::VoucherRedeemed,
        Self::RedemptionReversed,
        Self::GivenBack,
        Self::VoucherBalance,
        Self::NotRedeemable,
        Self::NothingRedeemed,
        Self::VoucherCode,
        Self::Tender,
        Self::Discount,
        Self::Voucher,
        Self::Promotional,
        Self::Left,
        Self::Item,
        Self::Redemption,
        Self::ProviderNumber,
        Self::ReportX,
        Self::ReportZ,
        Self::SecondPaper,
        Self::Day,
        Self::ClosedBy,
        Self::Sold,
        Self::MoneyBack,
        Self::Redeemed,
        Self::ValueGivenBack,
        Self::ByProduct,
        Self::ByPayment,
        Self::ByProvider,
        Self::ByCashier,
        Self::Unnamed,
        Self::Cash,
        Self::PaymentCard,
        Self::CashAndCard,
        Self::StillOpen,
        Self::NothingHappened,
    ];

    /// The phrase in a language, its places still open.
    pub fn text(self, language: Language) -> &'static str {
        self.words().of(language)
    }

    /// The phrase in a language with `n` and `m` in their places.
    pub fn with(self, language: Language, n: u16, m: u16) -> String {
        self.text(language).replace("{n}", &n.to_string()).replace("{m}", &m.to_string())
    }

    fn words(self) -> Words {
        match self {
            Self::Copy => Words {
                en: "COPY {n}",
                de: "KOPIE {n}",
                fr: "COPIE {n}",
                it: "COPIA {n}",
                es: "COPIA {n}",
                nl: "KOPIE {n}",
                pl: "KOPIA {n}",
            },
            Self::EarlierVoid => Words {
                en: "Attempt {n}: an earlier paper is void",
                de: "Versuch {n}: ein früherer Ausdruck ist ungültig",
                fr: "Essai {n} : un ticket antérieur est nul",
                it: "Tentativo {n}: uno scontrino precedente non è valido",
                es: "Intento {n}: un tique anterior no es válido",
                nl: "Poging {n}: een eerdere bon is ongeldig",
                pl: "Próba {n}: wcześniejszy wydruk jest nieważny",
            },
            Self::CardOf => Words {
                en: "Card {n} of {m}",
                de: "Karte {n} von {m}",
                fr: "Carte {n} sur {m}",
                it: "Carta {n} di {m}",
                es: "Tarjeta {n} de {m}",
                nl: "Kaart {n} van {m}",
                pl: "Karta {n} z {m}",
            },
            Self::Activated => Words {
                en: "The card has been activated.",
                de: "Die Karte wurde aktiviert.",
                fr: "La carte a été activée.",
                it: "La carta è stata attivata.",
                es: "La tarjeta ha sido activada.",
                nl: "De kaart is geactiveerd.",
                pl: "Karta została aktywowana.",
            },
            Self::CheckSlip => Words {
                en: "Staff: check this slip, a part of it could not be read",
                de: "Personal: Beleg prüfen, ein Teil war nicht lesbar",
                fr: "Personnel : vérifier ce ticket, une partie était illisible",
                it: "Personale: controllare lo scontrino, una parte era illeggibile",
                es: "Personal: revise este tique, una parte no se pudo leer",
                nl: "Personeel: controleer deze bon, een deel was onleesbaar",
                pl: "Personel: sprawdź wydruk, część była nieczytelna",
            },
            Self::SlipNumber => Words {
                en: "Slip number, not the card's code",
                de: "Belegnummer, kein Gutscheincode",
                fr: "Numéro du ticket, pas le code",
                it: "Numero scontrino, non il codice",
                es: "Número del tique, no el código",
                nl: "Bonnummer, niet de kaartcode",
                pl: "Numer wydruku, nie kod karty",
            },
            Self::GiftCard => Words {
                en: "Gift card",
                de: "Geschenkkarte",
                fr: "Carte cadeau",
                it: "Carta regalo",
                es: "Tarjeta regalo",
                nl: "Cadeaukaart",
                pl: "Karta podarunkowa",
            },
            Self::Date => Words {
                en: "Date",
                de: "Datum",
                fr: "Date",
                it: "Data",
                es: "Fecha",
                nl: "Datum",
                pl: "Data",
            },
            Self::Store => Words {
                en: "Store",
                de: "Filiale",
                fr: "Magasin",
                it: "Negozio",
                es: "Tienda",
                nl: "Winkel",
                pl: "Sklep",
            },
            Self::Till => Words {
                en: "Till",
                de: "Kasse",
                fr: "Caisse",
                it: "Cassa",
                es: "Caja",
                nl: "Kassa",
                pl: "Kasa",
            },
            Self::Receipt => Words {
                en: "Receipt",
                de: "Bon",
                fr: "Ticket",
                it: "Scontrino",
                es: "Tique",
                nl: "Bon",
                pl: "Paragon",
            },
            Self::VoucherRedeemed => Words {
                en: "Voucher redeemed",
                de: "Gutschein eingelöst",
                fr: "Bon cadeau utilisé",
                it: "Buono utilizzato",
                es: "Vale canjeado",
                nl: "Voucher ingewisseld",
                pl: "Bon zrealizowany",
            },
            Self::RedemptionReversed => Words {
                en: "Redemption reversed",
                de: "Einlösung zurückgenommen",
                fr: "Utilisation annulée",
                it: "Utilizzo annullato",
                es: "Canje anulado",
                nl: "Inwisseling teruggedraaid",
                pl: "Realizacja anulowana",
            },
            Self::GivenBack => Words {
                en: "The value is on the voucher again.",
                de: "Der Wert ist wieder auf dem Gutschein.",
                fr: "La valeur est de nouveau sur le bon.",
                it: "Il valore è di nuovo sul buono.",
                es: "El valor vuelve a estar en el vale.",
                nl: "De waarde staat weer op de voucher.",
                pl: "Wartość jest znowu na bonie.",
            },
            Self::VoucherBalance => Words {
                en: "Voucher balance",
                de: "Guthaben des Gutscheins",
                fr: "Solde du bon cadeau",
                it: "Saldo del buono",
                es: "Saldo del vale",
                nl: "Saldo van de voucher",
                pl: "Stan bonu",
            },
            Self::NotRedeemable => Words {
                en: "Cannot be redeemed now",
                de: "Derzeit nicht einlösbar",
                fr: "Non utilisable actuellement",
                it: "Al momento non utilizzabile",
                es: "No se puede canjear ahora",
                nl: "Nu niet in te wisselen",
                pl: "Obecnie nie do realizacji",
            },
            Self::NothingRedeemed => Words {
                en: "Nothing was redeemed.",
                de: "Es wurde nichts eingelöst.",
                fr: "Rien n'a été utilisé.",
                it: "Non è stato utilizzato nulla.",
                es: "No se ha canjeado nada.",
                nl: "Er is niets ingewisseld.",
                pl: "Nic nie zostało zrealizowane.",
            },
            Self::VoucherCode => Words {
                en: "Voucher code",
                de: "Gutscheincode",
                fr: "Code du bon",
                it: "Codice del buono",
                es: "Código del vale",
                nl: "Vouchercode",
                pl: "Kod bonu",
            },
            Self::Tender => Words {
                en: "Payment",
                de: "Zahlungsmittel",
                fr: "Paiement",
                it: "Pagamento",
                es: "Pago",
                nl: "Betaalmiddel",
                pl: "Płatność",
            },
            Self::Discount => Words {
                en: "Discount",
                de: "Rabatt",
                fr: "Remise",
                it: "Sconto",
                es: "Descuento",
                nl: "Korting",
                pl: "Rabat",
            },
            Self::Voucher => Words {
                en: "Voucher",
                de: "Gutschein",
                fr: "Bon cadeau",
                it: "Buono",
                es: "Vale",
                nl: "Voucher",
                pl: "Bon",
            },
            Self::Promotional => Words {
                en: "Promotional voucher",
                de: "Aktionsgutschein",
                fr: "Bon promotionnel",
                it: "Buono promozionale",
                es: "Vale promocional",
                nl: "Actievoucher",
                pl: "Bon promocyjny",
            },
            Self::Left => Words {
                en: "Left on it",
                de: "Restguthaben",
                fr: "Solde restant",
                it: "Saldo residuo",
                es: "Saldo restante",
                nl: "Restsaldo",
                pl: "Pozostało",
            },
            Self::Item => Words {
                en: "Item",
                de: "Artikel",
                fr: "Article",
                it: "Articolo",
                es: "Artículo",
                nl: "Artikel",
                pl: "Artykuł",
            },
            Self::Redemption => Words {
                en: "Redemption",
                de: "Einlösung",
                fr: "Utilisation",
                it: "Utilizzo",
                es: "Canje",
                nl: "Inwisseling",
                pl: "Realizacja",
            },
            Self::ProviderNumber => Words {
                en: "Provider's number",
                de: "Nummer beim Anbieter",
                fr: "Numéro du prestataire",
                it: "Numero del fornitore",
                es: "Número del proveedor",
                nl: "Nummer bij aanbieder",
                pl: "Numer u dostawcy",
            },
            Self::ReportX => Words {
                en: "X report",
                de: "X-Bericht",
                fr: "Rapport X",
                it: "Rapporto X",
                es: "Informe X",
                nl: "X-rapport",
                pl: "Raport X",
            },
            Self::ReportZ => Words {
                en: "Z report {n}",
                de: "Z-Bericht {n}",
                fr: "Rapport Z {n}",
                it: "Rapporto Z {n}",
                es: "Informe Z {n}",
                nl: "Z-rapport {n}",
                pl: "Raport Z {n}",
            },
            Self::SecondPaper => Words {
                en: "COPY",
                de: "KOPIE",
                fr: "COPIE",
                it: "COPIA",
                es: "COPIA",
                nl: "KOPIE",
                pl: "KOPIA",
            },
            Self::Day => Words {
                en: "Business day",
                de: "Geschäftstag",
                fr: "Journée",
                it: "Giornata",
                es: "Jornada",
                nl: "Werkdag",
                pl: "Dzień handlowy",
            },
            Self::ClosedBy => Words {
                en: "Closed by",
                de: "Abgeschlossen von",
                fr: "Clôturé par",
                it: "Chiuso da",
                es: "Cerrado por",
                nl: "Afgesloten door",
                pl: "Zamknięty przez",
            },
            Self::Sold => Words {
                en: "Sold",
                de: "Verkauft",
                fr: "Vendu",
                it: "Venduto",
                es: "Vendido",
                nl: "Verkocht",
                pl: "Sprzedane",
            },
            Self::MoneyBack => Words {
                en: "Money given back",
                de: "Geld zurück",
                fr: "Remboursé",
                it: "Rimborsato",
                es: "Dinero devuelto",
                nl: "Geld terug",
                pl: "Zwrot pieniędzy",
            },
            Self::Redeemed => Words {
                en: "Redeemed",
                de: "Eingelöst",
                fr: "Utilisé",
                it: "Utilizzato",
                es: "Canjeado",
                nl: "Ingewisseld",
                pl: "Zrealizowane",
            },
            Self::ValueGivenBack => Words {
                en: "Redemption reversed",
                de: "Einlösung zurück",
                fr: "Utilisation annulée",
                it: "Utilizzo annullato",
                es: "Canje anulado",
                nl: "Inwisseling terug",
                pl: "Realizacja cofnięta",
            },
            Self::ByProduct => Words {
                en: "By product",
                de: "Nach Produkt",
                fr: "Par produit",
                it: "Per prodotto",
                es: "Por producto",
                nl: "Per product",
                pl: "Według produktu",
            },
            Self::ByPayment => Words {
                en: "By payment",
                de: "Nach Zahlungsart",
                fr: "Par paiement",
                it: "Per pagamento",
                es: "Por forma de pago",
                nl: "Per betaalwijze",
                pl: "Według płatności",
            },
            Self::ByProvider => Words {
                en: "By provider",
                de: "Nach Anbieter",
                fr: "Par prestataire",
                it: "Per fornitore",
                es: "Por proveedor",
                nl: "Per aanbieder",
                pl: "Według dostawcy",
            },
            Self::ByCashier => Words {
                en: "By cashier",
                de: "Nach Kassierer",
                fr: "Par caissier",
                it: "Per cassiere",
                es: "Por cajero",
                nl: "Per kassier",
                pl: "Według kasjera",
            },
            Self::Unnamed => Words {
                en: "Not named",
                de: "Ohne Namen",
                fr: "Sans nom",
                it: "Senza nome",
                es: "Sin nombre",
                nl: "Zonder naam",
                pl: "Bez nazwiska",
            },
            Self::Cash => Words {
                en: "Cash",
                de: "Bar",
                fr: "Espèces",
                it: "Contanti",
                es: "Efectivo",
                nl: "Contant",
                pl: "Gotówka",
            },
            Self::PaymentCard => Words {
                en: "Card",
                de: "Karte",
                fr: "Carte bancaire",
                it: "Carta di pagamento",
                es: "Tarjeta",
                nl: "Pinpas",
                pl: "Karta płatnicza",
            },
            Self::CashAndCard => Words {
                en: "Cash and card",
                de: "Bar und Karte",
                fr: "Espèces et carte",
                it: "Contanti e carta",
                es: "Efectivo y tarjeta",
                nl: "Contant en pin",
                pl: "Gotówka i karta",
            },
            Self::StillOpen => Words {
                en: "Still open",
                de: "Noch offen",
                fr: "Encore ouvert",
                it: "Ancora aperto",
                es: "Aún abierto",
                nl: "Nog open",
                pl: "Nadal otwarte",
            },
            Self::NothingHappened => Words {
                en: "No sale and no redemption.",
                de: "Kein Verkauf und keine Einlösung.",
                fr: "Aucune vente ni utilisation.",
                it: "Nessuna vendita e nessun utilizzo.",
                es: "Ninguna venta ni canje.",
                nl: "Geen verkoop en geen inwisseling.",
                pl: "Brak sprzedaży i realizacji.",
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_phrase_has_words_in_every_language_with_the_same_places_open() {
        for phrase in Phrase::ALL {
            let english = phrase.text(Language::English);
            for language in Language::ALL {
                let text = phrase.text(language);
                assert!(!text.trim().is_empty(), "{phrase:?} {language:?}");
                for place in ["{n}", "{m}"] {
                    let count = text.matches(place).count();
                    assert_eq!(count, english.matches(place).count(), "{phrase:?} {language:?} {place}");
                }
                assert!(!phrase.with(language, 1, 2).contains('{'), "{phrase:?} {language:?}");
            }
        }
    }

    #[test]
    fn the_language_is_the_first_part_of_the_tag_and_english_if_unknown() {
        for (tag, language) in [
            ("de-DE", Language::German),
            ("de", Language::German),
            ("DE-at", Language::German),
            ("fr-CH", Language::French),
            ("pl-PL", Language::Polish),
            ("nl-BE", Language::Dutch),
            ("cs-CZ", Language::English),
            ("deu", Language::English),
            ("-", Language::English),
        ] {
            assert_eq!(Language::of(&tag.parse().unwrap()), language, "{tag}");
        }
    }
}
