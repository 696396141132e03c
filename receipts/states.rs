//! What cards and redemptions that are not closed are waiting for, in words for a report.
//!
//! The states come by their names, as the journal and the local API have them. One that is not here (it is closed, or of a later
//! release) is written as it came: an obligation must not vanish from a paper for want of a word.

use crate::wording::{Language, Words};

/// Where a card stands, by the name of its state.
pub fn of_card(state: &str, language: Language) -> &str {
    let words = match state {
        "creating" => &CREATING,
        "created" => &CREATED,
        "paid" => &PAID,
        "confirming" => &CONFIRMING,
        "asking" => &ASKING,
        "active" => &ACTIVE,
        "printing" => &PRINTING,
        "print_stopped" => &PRINT_STOPPED,
        "print_unclear" => &PRINT_UNCLEAR,
        "owed" => &UNDONE,
        "spent" => &SPENT,
        "stuck" => &NOT_UNDONE,
        _ => return state,
    };
    words.of(language)
}

/// Where a redemption stands, by the name of its state.
pub fn of_redemption(state: &str, language: Language) -> &str {
    let words = match state {
        "redeeming" => &REDEEMING,
        "looking_up" | "comparing" => &ASKING,
        "not_applied" => &NOT_APPLIED,
        "granted_less" => &GRANTED_LESS,
        "redeemed" => &NOT_TOLD,
        "answered" => &ANSWERED,
        "completed" => &COMPLETED,
        "unclear" => &UNCLEAR,
        "owed" => &GIVEN_BACK,
        "stuck" => &NOT_GIVEN_BACK,
        _ => return state,
    };
    words.of(language)
}

const CREATING: Words = Words {
    en: "Being ordered",
    de: "Wird bestellt",
    fr: "En commande",
    it: "In ordinazione",
    es: "Pidiéndose",
    nl: "Wordt besteld",
    pl: "Zamawiana",
};

const CREATED: Words = Words {
    en: "Waits for the payment",
    de: "Wartet auf die Zahlung",
    fr: "Attend le paiement",
    it: "In attesa del pagamento",
    es: "Espera el pago",
    nl: "Wacht op de betaling",
    pl: "Czeka na płatność",
};

const PAID: Words = Words {
    en: "Paid, not active",
    de: "Bezahlt, nicht freigeschaltet",
    fr: "Payée, pas activée",
    it: "Pagata, non attivata",
    es: "Pagada, sin activar",
    nl: "Betaald, niet geactiveerd",
    pl: "Opłacona, nieaktywna",
};

const CONFIRMING: Words = Words {
    en: "Being activated",
    de: "Wird freigeschaltet",
    fr: "En cours d'activation",
    it: "In attivazione",
    es: "Activándose",
    nl: "Wordt geactiveerd",
    pl: "Aktywowana",
};

const ASKING: Words = Words {
    en: "Its outcome is being found out",
    de: "Der Ausgang wird ermittelt",
    fr: "Vérification du résultat",
    it: "Esito in verifica",
    es: "Comprobando el resultado",
    nl: "Uitkomst wordt nagegaan",
    pl: "Ustalanie wyniku",
};

const ACTIVE: Words = Words {
    en: "Active, not printed",
    de: "Freigeschaltet, nicht gedruckt",
    fr: "Active, pas imprimée",
    it: "Attiva, non stampata",
    es: "Activa, sin imprimir",
    nl: "Actief, niet afgedrukt",
    pl: "Aktywna, niewydrukowana",
};

const PRINTING: Words = Words {
    en: "Being printed",
    de: "Wird gedruckt",
    fr: "En cours d'impression",
    it: "In stampa",
    es: "Imprimiéndose",
    nl: "Wordt afgedrukt",
    pl: "Drukowana",
};

const PRINT_STOPPED: Words = Words {
    en: "The printer stopped",
    de: "Der Drucker hat angehalten",
    fr: "L'imprimante s'est arrêtée",
    it: "La stampante si è fermata",
    es: "La impresora se detuvo",
    nl: "De printer is gestopt",
    pl: "Drukarka się zatrzymała",
};

const PRINT_UNCLEAR: Words = Words {
    en: "Unclear what is on paper",
    de: "Unklar, was auf dem Papier steht",
    fr: "Papier incertain",
    it: "Stampa incerta",
    es: "Impresión incierta",
    nl: "Onduidelijk wat op papier staat",
    pl: "Wydruk niepewny",
};

const UNDONE: Words = Words {
    en: "Being undone",
    de: "Wird rückgängig gemacht",
    fr: "En cours d'annulation",
    it: "In annullamento",
    es: "Anulándose",
    nl: "Wordt ongedaan gemaakt",
    pl: "Cofana",
};

const SPENT: Words = Words {
    en: "Spent before it was undone",
    de: "Eingelöst, bevor sie zurückgenommen war",
    fr: "Dépensée avant l'annulation",
    it: "Spesa prima dell'annullamento",
    es: "Gastada antes de anularse",
    nl: "Besteed voor de annulering",
    pl: "Wydana przed cofnięciem",
};

const NOT_UNDONE: Words = Words {
    en: "Cannot be undone",
    de: "Kann nicht zurückgenommen werden",
    fr: "Ne peut être annulée",
    it: "Non annullabile",
    es: "No se puede anular",
    nl: "Kan niet ongedaan worden gemaakt",
    pl: "Nie można cofnąć",
};

const REDEEMING: Words = Words {
    en: "Being redeemed",
    de: "Wird eingelöst",
    fr: "Utilisation en cours",
    it: "Utilizzo in corso",
    es: "Canjeándose",
    nl: "Wordt ingewisseld",
    pl: "W trakcie realizacji",
};

const NOT_APPLIED: Words = Words {
    en: "Probably not redeemed",
    de: "Wohl nicht eingelöst",
    fr: "Sans doute non utilisé",
    it: "Probabilmente non utilizzato",
    es: "Probablemente sin canjear",
    nl: "Waarschijnlijk niet ingewisseld",
    pl: "Raczej niezrealizowany",
};

const GRANTED_LESS: Words = Words {
    en: "Less was granted",
    de: "Weniger gewährt",
    fr: "Moins accordé",
    it: "Concesso di meno",
    es: "Se concedió menos",
    nl: "Minder toegekend",
    pl: "Przyznano mniej",
};

const NOT_TOLD: Words = Words {
    en: "Redeemed, the till not told",
    de: "Eingelöst, Kasse weiß es nicht",
    fr: "Utilisé, caisse non informée",
    it: "Utilizzato, cassa non informata",
    es: "Canjeado, caja sin aviso",
    nl: "Ingewisseld, kassa weet het niet",
    pl: "Zrealizowany, kasa nie wie",
};

const ANSWERED: Words = Words {
    en: "Redeemed, basket open",
    de: "Eingelöst, Korb offen",
    fr: "Utilisé, panier ouvert",
    it: "Utilizzato, carrello aperto",
    es: "Canjeado, cesta abierta",
    nl: "Ingewisseld, mandje open",
    pl: "Zrealizowany, koszyk otwarty",
};

const COMPLETED: Words = Words {
    en: "Redeemed, without a number",
    de: "Eingelöst, ohne Nummer",
    fr: "Utilisé, sans numéro",
    it: "Utilizzato, senza numero",
    es: "Canjeado, sin número",
    nl: "Ingewisseld, zonder nummer",
    pl: "Zrealizowany, bez numeru",
};

const UNCLEAR: Words = Words {
    en: "Unclear",
    de: "Unklar",
    fr: "Incertain",
    it: "Incerto",
    es: "Incierto",
    nl: "Onduidelijk",
    pl: "Niejasny",
};

const GIVEN_BACK: Words = Words {
    en: "Being given back",
    de: "Wird zurückgegeben",
    fr: "Restitution en cours",
    it: "Restituzione in corso",
    es: "Devolviéndose",
    nl: "Wordt teruggegeven",
    pl: "W trakcie zwrotu",
};

const NOT_GIVEN_BACK: Words = Words {
    en: "Cannot be given back",
    de: "Nicht zurückzugeben",
    fr: "Restitution impossible",
    it: "Non restituibile",
    es: "No se puede devolver",
    nl: "Kan niet worden teruggegeven",
    pl: "Nie można zwrócić",
};

#[cfg(test)]
mod tests {
    use tilld_domain::order::Order;
    use tilld_domain::redemption::Redemption;

    use super::*;

    /// What is over is listed nowhere.
    const CLOSED: [&str; 5] = ["not_sold", "not_redeemed", "sold", "cleared", "settled"];

    #[test]
    fn every_state_that_is_not_closed_has_words_and_any_other_is_shown_by_its_name() {
        for language in Language::ALL {
            let ways = [
                (&Order::STATE_NAMES[..], of_card as fn(_, _) -> _),
                (&Redemption::STATE_NAMES, of_redemption),
            ];
            for (states, of) in ways {
                for state in states {
                    let words: &str = of(state, language);
                    assert!(!words.is_empty());
                    assert_eq!(words == *state, CLOSED.contains(state), "{state} {language:?}");
                }
                assert_eq!(of("of_a_later_release", language), "of_a_later_release");
            }
        }
    }
}
