//! Questions that lean on the one before them, and questions that only look like it.

use domain::language::Language;
use domain::messages::{Author, Utterance};
use domain::retrieval::{ANSWERABLE, Findings};

use super::Open;
use super::bench::{Bench, ask, contents, draft, shop};

/// A small base in one language, and what is asked of it.
struct Talk {
    language: Language,
    hours: &'static str,
    tickets: &'static str,
    /// Asks for the hours, and follow-ups to it that the hours answer.
    opening: (&'static str, [&'static str; 2]),
    /// Asks for the price, and follow-ups to it that the tickets answer.
    price: (&'static str, [&'static str; 3]),
    /// Has an answer nowhere here, whatever was asked before it.
    unanswered: [&'static str; 4],
}

const TALKS: [Talk; 6] = [
    Talk {
        language: Language::En,
        hours: "We are open Monday to Friday, 9 am to 6 pm. On Sundays we are closed.",
        tickets: "A ticket costs 12 euros. For children it costs 6 euros.",
        opening: ("When are you open?", ["And on Sundays?", "Until when?"]),
        price: (
            "What does a ticket cost?",
            ["How much?", "And for children?", "How much is that?"],
        ),
        unanswered: [
            "What is the weather like on Mars?",
            "Who are you?",
            "Where do I park?",
            "And what can you tell me of dragons?",
        ],
    },
    Talk {
        language: Language::Es,
        hours: "Abrimos de lunes a viernes, de 9 a 18 horas. Los domingos cerramos.",
        tickets: "Una entrada cuesta 12 euros. Para niños cuesta 6 euros.",
        opening: (
            "¿A qué horas abren?",
            ["¿Y los domingos?", "¿Hasta cuándo?"],
        ),
        price: (
            "¿Cuánto cuesta una entrada?",
            ["¿Cuánto?", "¿Y para niños?", "¿Y cuánto es eso?"],
        ),
        unanswered: [
            "¿Qué tiempo hace en Marte?",
            "¿Quién eres tú?",
            "¿Dónde puedo aparcar?",
            "¿Y los dragones?",
        ],
    },
    Talk {
        language: Language::Fr,
        hours: "Nous sommes ouverts du lundi au vendredi, de 9 à 18 heures. Le dimanche nous sommes fermés.",
        tickets: "Un billet coûte 12 euros. Pour les enfants il coûte 6 euros.",
        opening: (
            "À quelle heure êtes-vous ouverts ?",
            ["Et le dimanche ?", "Jusqu'à quand ?"],
        ),
        price: (
            "Combien coûte un billet ?",
            ["Combien ?", "Et pour les enfants ?", "Et c'est combien ?"],
        ),
        unanswered: [
            "Quel temps fait-il sur Mars ?",
            "Qui êtes-vous ?",
            "Où puis-je me garer ?",
            "Et les dragons ?",
        ],
    },
    Talk {
        language: Language::De,
        hours: "Wir haben Montag bis Freitag von 9 bis 18 Uhr geöffnet. Am Sonntag ist geschlossen.",
        tickets: "Eine Karte kostet 12 Euro. Für Kinder kostet sie 6 Euro.",
        opening: ("Wann habt ihr geöffnet?", ["Und am Sonntag?", "Bis wann?"]),
        price: (
            "Was kostet eine Karte?",
            ["Wie viel?", "Und für Kinder?", "Und wie viel ist das?"],
        ),
        unanswered: [
            "Wie ist das Wetter auf dem Mars?",
            "Wer bist du eigentlich?",
            "Wo kann ich parken?",
            "Und die Drachen?",
        ],
    },
    Talk {
        language: Language::It,
        hours: "Siamo aperti da lunedì a venerdì, dalle ore 9 alle 18. La domenica siamo chiusi.",
        tickets: "Un biglietto costa 12 euro. Per i bambini costa 6 euro.",
        opening: (
            "A che ora siete aperti?",
            ["E la domenica?", "Fino a quando?"],
        ),
        price: (
            "Quanto costa un biglietto?",
            ["Quanto?", "E per i bambini?", "E quanto è questo?"],
        ),
        unanswered: [
            "Che tempo fa su Marte?",
            "Tu chi sei?",
            "Dove posso parcheggiare?",
            "E i draghi?",
        ],
    },
    Talk {
        language: Language::Pt,
        hours: "Abrimos de segunda a sexta, das 9 às 18 horas. Aos domingos fechamos.",
        tickets: "Um bilhete custa 12 euros. Para crianças custa 6 euros.",
        opening: ("A que horas abrem?", ["E aos domingos?", "Até quando?"]),
        price: (
            "Quanto custa um bilhete?",
            ["Quanto?", "E para crianças?", "E quanto é isso?"],
        ),
        unanswered: [
            "Como está o tempo em Marte?",
            "Quem é você?",
            "Onde posso estacionar?",
            "E os dragões?",
        ],
    },
];

fn said(author: Author, text: &str) -> Utterance {
    Utterance {
        author,
        text: text.to_owned(),
    }
}

/// What is found for a question after visitors' questions before it, which the bot has answered.
async fn after(bench: &Bench, language: Language, before: &[&str], text: &str) -> Findings {
    let mut query = ask(&bench.shelf, text).await;
    query.language = language;
    query.history = before
        .iter()
        .flat_map(|asked| [said(Author::User, asked), said(Author::Bot, "Yes.")])
        .collect();
    bench.retriever.search(&query).await.unwrap()
}

/// A question without words of its own is understood from the one before.
pub async fn follows_up_on_the_question_before(open: Open<'_>) {
    let bench = Bench::with(open, shop());
    let mut query = ask(&bench.shelf, "And how much is that?").await;
    let alone = bench.retriever.search(&query).await.unwrap();
    assert!(alone.hits.is_empty());
    query.history = vec![
        said(Author::User, "Do you sell gift cards?"),
        said(Author::Bot, "Yes, at 12 Market Street."),
    ];
    let findings = bench.retriever.search(&query).await.unwrap();
    assert!(findings.hits[0].chunk.draft.content.contains("Gift cards"));
    // Its own words count more.
    query.text = "And the lamp?".to_owned();
    let findings = bench.retriever.search(&query).await.unwrap();
    assert!(findings.hits[0].chunk.draft.content.contains("lamp"));
}

/// What a question leaves out because it was just asked is filled in, also over several of them and over a "thanks".
pub async fn answers_follow_ups_in_every_language(open: Open<'_>) {
    for talk in &TALKS {
        let bench = Bench::with(open, vec![draft(talk.hours), draft(talk.tickets)]);
        let asked = [
            (talk.opening.0, &talk.opening.1[..], talk.hours),
            (talk.price.0, &talk.price.1[..], talk.tickets),
        ];
        for (before, follow_ups, content) in asked {
            for text in follow_ups {
                let findings = after(&bench, talk.language, &[before], text).await;
                assert_eq!(contents(&findings)[0], content, "{before} {text}");
                let sure = findings.answerable;
                assert!(sure >= ANSWERABLE, "{before} {text} {sure}");
            }
        }
    }
    let bench = Bench::with(open, shop());
    let before = ["Do gift cards expire?", "And in winter?", "Thanks!"];
    let findings = after(&bench, Language::En, &before, "How much?").await;
    assert!(contents(&findings)[0].contains("Gift cards"));
    assert!(findings.answerable >= ANSWERABLE);
}

/// The words of another question vouch for no answer to what this one asks in its own.
pub async fn words_asked_before_answer_nothing_else(open: Open<'_>) {
    for talk in &TALKS {
        let bench = Bench::with(open, vec![draft(talk.hours), draft(talk.tickets)]);
        for before in [talk.opening.0, talk.price.0] {
            for text in talk.unanswered {
                let findings = after(&bench, talk.language, &[before], text).await;
                let sure = findings.answerable;
                assert!(sure < ANSWERABLE, "{before} {text} {sure}");
            }
        }
    }
}

/// What is asked in full is found as if nothing had been asked before it.
pub async fn a_whole_question_stands_by_itself(open: Open<'_>) {
    for talk in &TALKS {
        let bench = Bench::with(open, vec![draft(talk.hours), draft(talk.tickets)]);
        for (before, text) in [
            (talk.opening.0, talk.price.0),
            (talk.price.0, talk.opening.0),
            (talk.opening.0, talk.unanswered[0]),
        ] {
            let one = after(&bench, talk.language, &[], text).await;
            let other = after(&bench, talk.language, &[before], text).await;
            assert_eq!(contents(&one), contents(&other), "{before} {text}");
            assert_eq!(one.answerable.to_bits(), other.answerable.to_bits());
        }
    }
}
