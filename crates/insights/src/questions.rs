//! Whether a message asks something.

use domain::language::Language;

use crate::words::{fold, words};

/// How many words of a sentence are looked at for the beginning of a question.
const BEGINNING: usize = 12;

/// Whether a text asks something: by a question mark, or by how one of its sentences begins.
pub(crate) fn is_question(language: Language, text: &str) -> bool {
    has_question_mark(text)
        || text
            .split(['.', '!', '\n', ';'])
            .any(|s| begins(language, s))
}

/// A question mark that is not part of an address, and does not stand alone.
fn has_question_mark(text: &str) -> bool {
    let asked = text.split_whitespace().any(|chunk| {
        chunk.contains(['?', '¿', '？', '؟'])
            && !chunk.contains("://")
            && !chunk.starts_with("www.")
    });
    asked && text.chars().any(char::is_alphanumeric)
}

/// Whether a sentence begins as questions begin, after a greeting and the like.
fn begins(language: Language, sentence: &str) -> bool {
    let asking = asking(language);
    let mut beginning = String::from(" ");
    let mut folded = String::new();
    for word in words(language, sentence).take(BEGINNING) {
        fold(language, word.text, &mut folded);
        if beginning == " " && asking.before.split(' ').any(|w| w == folded) {
            continue;
        }
        beginning.push_str(&folded);
        beginning.push(' ');
    }
    let starts = |phrase: &str| {
        beginning
            .get(1..)
            .and_then(|b| b.strip_prefix(phrase))
            .is_some_and(|after| after.starts_with(' '))
    };
    asking.starts.split('|').any(starts)
        || asking.within.split('|').any(|phrase| {
            beginning
                .split_once(phrase)
                .is_some_and(|(before, after)| before.ends_with(' ') && after.starts_with(' '))
        })
}

/// How questions are asked in a language without a question mark. Folded; `|` separates.
struct Asking {
    /// Words that may stand before the question.
    before: &'static str,
    /// What a question begins with.
    starts: &'static str,
    /// What makes a sentence a question wherever it stands.
    within: &'static str,
}

const fn asking(language: Language) -> Asking {
    match language {
        Language::En => Asking {
            before: "hi hello hey please ok okay so and but also well sir madam then thanks",
            starts: "what|whats|when|whens|where|wheres|who|whos|whom|whose|why|which|how|hows|is|are|am i|was|were|\
                     do|does|did|can|could|would|will|should|shall|may i|have you|has|isnt|arent|dont you|doesnt|\
                     didnt|cant you|cant i|couldnt|wont|wouldnt|any|whether",
            within: "want to know|like to know|wondering if|wonder if|wondering whether|tell me how|tell me what|tell me \
                     when|tell me where|tell me if|tell me why|let me know if|let me know when|know if|know whether|\
                     do you know|do you have|can you|could you|can i|is there|are there|how to|how do i|how can i|\
                     how much|how many|how long",
        },
        Language::Es => Asking {
            before: "hola buenas buenos dias tardes noches por favor perdon disculpe disculpa y pero entonces oye",
            starts: "que|cual|cuales|cuando|cuanto|cuanta|cuantos|cuantas|donde|adonde|quien|quienes|como|por que|\
                     para que|a que|en que|de que|con que|desde cuando|hasta cuando|puedo|puede|pueden|podria|\
                     podrian|podeis|puedes|podemos|se puede|hay|tienen|teneis|tienes|tiene|es posible|hacen|haceis|\
                     esta disponible|sabes|sabe|saben|aceptan|venden|envian",
            within: "quiero saber|quisiera saber|me gustaria saber|queria saber|saber si|saber como|saber cuando|saber \
                     cuanto|saber donde|me pueden decir|me puede decir|me puedes decir|decirme|cuanto cuesta|como \
                     puedo|donde puedo",
        },
        Language::Fr => Asking {
            before: "bonjour bonsoir salut svp stp et mais alors donc merci madame monsieur",
            starts: "que|qu|quel|quelle|quels|quelles|quand|ou|qui|pourquoi|comment|combien|est ce|quoi|lequel|laquelle|\
                     puis je|peut on|pouvez vous|peux tu|pourriez vous|avez vous|as tu|y a t il|faites vous|livrez vous|\
                     acceptez vous|vendez vous|etes vous|dois je|faut il|depuis quand|a quelle|de quelle|en quelle|\
                     dans quel|a quel|c est quoi|c est combien|proposez vous|savez vous",
            within: "est ce que|savoir si|savoir comment|savoir quand|savoir combien|savoir ou|voudrais savoir|aimerais \
                     savoir|pouvez vous|pourriez vous|me dire|me demande si|avez vous|y a t il|comment faire|quel est|\
                     quelle est|quels sont",
        },
        Language::De => Asking {
            before: "hallo guten tag morgen abend bitte und aber also hi hey ok danke",
            starts: "was|wann|wo|wohin|woher|wer|wen|wem|wessen|warum|wieso|weshalb|wie|wieviel|welche|welcher|welches|\
                     welchen|welchem|wozu|wofur|womit|worin|woran|kann|kannst|konnen|konnt|konnte|konnten|konntet|gibt|ist|\
                     sind|habt|haben sie|hast|hat|darf|durfen|muss ich|mussen|soll|sollte ich|wird|werden|wurden sie|\
                     liefert ihr|liefern sie|verkauft|verkaufen sie|funktioniert|kostet|bietet|bieten sie|seid|ab wann|\
                     bis wann|seit wann|in welcher|in welchem|um wie viel|macht ihr|geht das|nehmt|akzeptiert|passt",
            within: "mochte wissen|gerne wissen|gern wissen|wissen ob|sagen ob|sagen wie|sagen wann|sagen wo|wollte fragen|\
                     frage mich|weiss jemand|konnen sie mir|konnt ihr mir|kannst du mir|wie kann ich|wo finde ich|gibt es",
        },
        Language::It => Asking {
            before: "ciao salve buongiorno buonasera per favore scusi scusa e ma allora grazie",
            starts: "che|cosa|cos|quale|quali|qual|quando|quanto|quanta|quanti|quante|dove|dov|chi|perche|come|posso|\
                     puo|potete|potrei|potreste|puoi|possiamo|si puo|avete|hai|c e|ci sono|e possibile|fate|siete|\
                     spedite|consegnate|accettate|vendete|da quando|fino a quando|a che|in che|di che|con che|per quanto|\
                     a quanto|e disponibile|sapete|funziona",
            within: "vorrei sapere|volevo sapere|voglio sapere|sapere se|sapere come|sapere quando|sapere quanto|mi \
                     sapete dire|mi puo dire|mi potete dire|dirmi se|quanto costa|come posso|dove posso|mi chiedo se",
        },
        Language::Pt => Asking {
            before: "ola oi bom boa dia tarde noite por favor e mas entao obrigado obrigada moco moca",
            starts: "que|o que|qual|quais|quando|quanto|quanta|quantos|quantas|onde|aonde|cade|quem|por que|porque|pq|como|\
                     posso|pode|podem|poderia|poderiam|da para|da pra|tem|voces|vcs|ha|e possivel|fazem|aceitam|vendem|\
                     entregam|a que|em que|de que|com que|ate quando|desde quando|sera que|consigo|esta disponivel",
            within: "quero saber|queria saber|gostaria de saber|saber se|saber como|saber quando|saber quanto|me dizer|\
                     podem me|pode me|poderia me|quanto custa|como faco|onde posso|como posso|sera que",
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_are_told_in_six_languages_with_and_without_a_mark() {
        for (language, text, expected) in [
            (Language::En, "Do you ship to Canada?", true),
            (Language::En, "hi where is my order", true),
            (Language::En, "I want to know if it is in stock", true),
            (Language::En, "Thanks. how long does it take", true),
            (Language::En, "I would like a refund", false),
            (Language::En, "The lamp is broken", false),
            (Language::En, "see https://shop.example/?id=1", false),
            (Language::Es, "¿Hacen envíos?", true),
            (Language::Es, "hola cuanto cuesta", true),
            (Language::Es, "quisiera saber el precio", true),
            (Language::Es, "gracias por todo", false),
            (Language::Fr, "Livrez-vous en Suisse", true),
            (Language::Fr, "est-ce que c'est disponible", true),
            (Language::Fr, "j'aimerais savoir le prix", true),
            (Language::Fr, "je veux un remboursement", false),
            (Language::De, "wann kommt mein Paket", true),
            (Language::De, "Guten Tag, können Sie mir helfen", true),
            (Language::De, "ich möchte wissen, ob das geht", true),
            (Language::De, "Die Lampe ist kaputt.", false),
            (Language::It, "dov'è il mio ordine", true),
            (Language::It, "vorrei sapere se spedite", true),
            (Language::It, "Voglio un rimborso", false),
            (Language::Pt, "cadê meu pedido", true),
            (Language::Pt, "gostaria de saber o valor", true),
            (Language::Pt, "obrigada pela ajuda", false),
        ] {
            assert_eq!(is_question(language, text), expected, "{language} {text}");
        }
    }

    #[test]
    fn hostile_texts_are_no_questions() {
        for language in Language::ALL {
            for text in [
                "",
                "?",
                "???",
                " . . ",
                &"😀".repeat(8_000),
                &".".repeat(8_000),
            ] {
                assert!(!is_question(*language, text), "{language} {text}");
            }
            assert!(is_question(*language, "нет ответа？"));
        }
    }
}
