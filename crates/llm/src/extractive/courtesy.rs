//! Telling a greeting, a thank-you, a goodbye or a mere call for help from a question.
//!
//! A message is a courtesy where nothing is left of it once all phrases of courtesy are taken out, in
//! whatever of the bots' languages they are. So "Hello, what are your opening hours?" is a question.

use domain::answers::Question;
use domain::knowledge::QuestionAnswer;
use domain::retrieval::ANSWERABLE;
use unicode_normalization::UnicodeNormalization;

/// What a message without a question is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Courtesy {
    /// "Hello!"
    Greeting,
    /// "Hello, I need help."
    CallForHelp,
    /// "Thank you!"
    Thanks,
    /// "Bye!"
    Goodbye,
}

/// Longer messages have something to say.
const MOST_WORDS: usize = 12;
/// The most words that a name has.
const NAME_WORDS: usize = 2;

/// What courtesy the visitor's message is, if nothing else.
pub fn of(question: &Question) -> Option<Courtesy> {
    let text = &question.text;
    let words = words(text)?;
    let answered = question.findings.answerable >= ANSWERABLE;
    if words.is_empty() {
        return text.contains('👋').then_some(Courtesy::Greeting);
    }
    if answered && is_curated(&words, question) {
        return None;
    }
    let (seen, greeted, left) = strip(&words);
    match seen? {
        // Where nobody was greeted, the knowledge may know whom to ask for help.
        Courtesy::CallForHelp if left.is_empty() && !greeted && answered => None,
        courtesy if left.is_empty() => Some(courtesy),
        _ if left.len() > NAME_WORDS || text.contains('?') => None,
        // What is left can be the bot's name ("Hi Ada!"), or all there is of a question ("Hi, refunds").
        courtesy if !answered || is_bots_name(&left.join(" "), question) => Some(courtesy),
        _ => None,
    }
}

/// Whether the bot's owner wrote what is to be said to just that: "How are you?".
fn is_curated(words: &[String], question: &Question) -> bool {
    let best = question.findings.hits.first();
    best.and_then(|hit| QuestionAnswer::of_chunk(&hit.chunk.draft))
        .and_then(|pair| self::words(&pair.question))
        .is_some_and(|asked| asked == words)
}

fn is_bots_name(name: &str, question: &Question) -> bool {
    let prompt = fold(&question.system_prompt);
    let after = prompt.split_once("you are ").map(|(_, after)| after);
    after
        .and_then(|after| after.strip_prefix(name))
        .is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
}

/// The words of a message in lower case without accents; `None` where there are too many.
fn words(text: &str) -> Option<Vec<String>> {
    // A byte is at least a fortieth of a word of courtesy: the long ones need not be folded.
    if text.len() > MOST_WORDS * 40 {
        return None;
    }
    let folded = fold(text);
    let words: Vec<_> = folded
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(unstretched)
        .collect();
    (words.len() <= MOST_WORDS).then_some(words)
}

fn fold(text: &str) -> String {
    text.nfd()
        .filter(|c| !unicode_normalization::char::is_combining_mark(*c))
        .filter(|c| !matches!(c, '\'' | '’'))
        .flat_map(char::to_lowercase)
        .collect()
}

/// "hellooo" is "hello".
fn unstretched(word: &str) -> String {
    let mut short = String::with_capacity(word.len());
    let mut chars = word.chars().peekable();
    while let Some(c) = chars.next() {
        let mut times = 1;
        while chars.next_if_eq(&c).is_some() {
            times += 1;
        }
        short.extend(std::iter::repeat_n(c, if times > 2 { 1 } else { times }));
    }
    short
}

/// Takes the phrases out, the longest first at each place: what they are together, whether there is a
/// greeting among them, and what is left. It stops where more is left than a name.
fn strip(words: &[String]) -> (Option<Courtesy>, bool, Vec<&str>) {
    let mut seen = None;
    let mut greeted = false;
    let mut left = Vec::new();
    let mut rest = words;
    while let Some((first, others)) = rest.split_first() {
        let longest = PHRASES
            .iter()
            .flat_map(|(kind, phrases)| phrases.iter().map(move |phrase| (kind, phrase)))
            .filter_map(|(kind, phrase)| Some((length_at(rest, phrase)?, kind)))
            .max_by_key(|(length, _)| *length);
        match longest {
            Some((length, kind)) => {
                greeted |= *kind == Some(Courtesy::Greeting);
                seen = seen.max(*kind);
                rest = &rest[length..];
            }
            None => {
                left.push(first.as_str());
                if left.len() > NAME_WORDS {
                    break;
                }
                rest = others;
            }
        }
    }
    (seen, greeted, left)
}

/// How many words the phrase has, if the words begin with it.
fn length_at(words: &[String], phrase: &str) -> Option<usize> {
    let mut length = 0;
    for word in phrase.split(' ') {
        if words.get(length)? != word {
            return None;
        }
        length += 1;
    }
    Some(length)
}

/// Phrases, folded; those without a kind go with any of them. The kinds grow in weight, as in [`Courtesy`].
#[rustfmt::skip]
const PHRASES: &[(Option<Courtesy>, &[&str])] = &[
    (Some(Courtesy::Greeting), &[
        // en
        "hi", "hii", "hiya", "hello", "helo", "hallo", "hey", "heya", "heyy", "yo", "howdy", "greetings", "morning",
        "good morning", "good afternoon", "good evening", "good day", "whats up", "sup", "how are you",
        "how are you doing", "how are you today", "hows it going", "how do you do", "nice to meet you",
        // es
        "hola", "holi", "buenas", "buen dia", "buenos dias", "buenas tardes", "buenas noches", "saludos", "que tal",
        "como estas", "como esta", "como esta usted", "mucho gusto",
        // fr
        "bonjour", "bonsoir", "salut", "coucou", "allo", "comment allez vous", "comment ca va", "ca va", "enchante",
        // de
        "guten morgen", "guten tag", "guten abend", "gruss gott", "gruß gott", "grussgott", "gruezi", "servus", "moin",
        "moin moin", "tag", "morgen", "n abend", "hallochen", "wie geht es ihnen", "wie gehts", "wie geht es dir",
        "gruezi mitenand",
        // it
        "ciao", "salve", "buongiorno", "buon giorno", "buonasera", "buona sera", "buon pomeriggio", "come stai",
        "come sta", "come va", "piacere",
        // pt
        "ola", "oi", "oie", "bom dia", "boa tarde", "boa noite", "tudo bem", "tudo bom", "como vai", "e ai",
    ]),
    (Some(Courtesy::CallForHelp), &[
        "help", "help me", "i need help", "i need some help", "i need your help", "i need assistance", "i want help",
        "i would like some help", "im looking for help", "can you help me", "can you help", "could you help me",
        "could you please help me", "can you please help me", "can i ask you something", "can i ask a question",
        "can i ask you a question", "i have a question", "i have questions", "i have some questions",
        "i have a quick question", "anyone there", "is anyone there", "is anybody there", "are you there",
        "ayuda", "necesito ayuda", "me puedes ayudar", "puedes ayudarme", "me puede ayudar", "puede ayudarme",
        "tengo una pregunta", "tengo una duda",
        "aide", "j ai besoin d aide", "jai besoin daide", "pouvez vous maider", "peux tu maider",
        "jai une question",
        "hilfe", "ich brauche hilfe", "ich brauche ihre hilfe", "konnen sie mir helfen", "kannst du mir helfen",
        "ich habe eine frage", "ich hatte eine frage", "ich hab eine frage",
        "aiuto", "ho bisogno di aiuto", "mi puo aiutare", "puo aiutarmi", "mi puoi aiutare", "puoi aiutarmi",
        "ho una domanda",
        "ajuda", "preciso de ajuda", "preciso da sua ajuda", "pode me ajudar", "voce pode me ajudar",
        "tenho uma pergunta", "tenho uma duvida",
    ]),
    (Some(Courtesy::Thanks), &[
        "thanks", "thank you", "thx", "ty", "tysm", "cheers", "much appreciated", "i appreciate it", "thanks a lot",
        "thank you so much", "thank you very much", "many thanks", "that helps", "that helped", "that was helpful",
        "very helpful", "ok", "okay", "great", "perfect", "awesome", "cool", "got it",
        "gracias", "muchas gracias", "mil gracias", "muchisimas gracias", "perfecto", "vale",
        "merci", "merci beaucoup", "merci bien", "mille mercis", "parfait", "d accord", "daccord",
        "danke", "danke schon", "dankeschon", "danke sehr", "vielen dank", "besten dank", "herzlichen dank",
        "tausend dank", "perfekt", "alles klar", "super",
        "grazie", "grazie mille", "molte grazie", "tante grazie", "ti ringrazio", "la ringrazio", "perfetto",
        "obrigado", "obrigada", "muito obrigado", "muito obrigada", "valeu", "perfeito",
    ]),
    (Some(Courtesy::Goodbye), &[
        "bye", "bye bye", "goodbye", "good bye", "see you", "see ya", "see you later", "see you soon", "cya", "farewell",
        "good night", "have a nice day", "have a good day", "have a great day", "take care", "thats all",
        "adios", "hasta luego", "hasta pronto", "hasta manana", "nos vemos", "chao", "chau",
        "au revoir", "a bientot", "a plus tard", "a demain", "bonne journee", "bonne soiree", "bonne nuit",
        "tschuss", "tschuß", "auf wiedersehen", "auf wiederhoren", "bis bald", "bis dann", "bis spater", "gute nacht",
        "schonen tag noch", "einen schonen tag", "schonen abend noch",
        "arrivederci", "arrivederla", "a presto", "a domani", "buona giornata", "buona serata", "buonanotte",
        "buona notte", "addio",
        "tchau", "adeus", "ate logo", "ate mais", "ate breve", "ate amanha",
    ]),
    (None, &[
        "there", "again", "everyone", "everybody", "all", "team", "friend", "bot", "robot", "assistant", "sir", "madam",
        "dear", "please", "so", "and", "a lot", "very much", "so much", "for your help", "for the help", "for that",
        "for the info", "for the information", "for everything", "for your time", "today", "now", "then", "you too",
        "a todos", "amigo", "por favor", "y", "por todo", "por su ayuda", "por tu ayuda", "por la ayuda", "muy bien",
        "a tous", "tout le monde", "sil vous plait", "sil te plait", "et", "pour tout", "pour votre aide", "pour ton aide",
        "madame", "monsieur",
        "zusammen", "bitte", "und", "fur alles", "fur ihre hilfe", "fur die hilfe", "fur deine hilfe", "fur die info",
        "a tutti", "per favore", "e", "di tutto", "per tutto", "per laiuto", "di cuore",
        "pessoal", "por tudo", "pela ajuda", "pela sua ajuda",
    ]),
];

#[cfg(test)]
mod tests {
    use contracts::answers::{answerable, question};

    use super::*;

    #[test]
    fn courtesies_are_known_in_every_language_and_writing() {
        use Courtesy::{CallForHelp, Goodbye, Greeting, Thanks};
        for (text, expected) in [
            ("hi", Greeting),
            ("Hello there!", Greeting),
            ("HELLOOOO 😀", Greeting),
            ("👋", Greeting),
            ("Good morning, Ada!", Greeting),
            ("hey botty", Greeting),
            ("Hi, how are you?", Greeting),
            ("What's up", Greeting),
            ("¡Buenos días!", Greeting),
            ("buenos dias", Greeting),
            ("¿Hola, qué tal?", Greeting),
            ("Bonjour à tous", Greeting),
            ("Salut !", Greeting),
            ("guten Morgen", Greeting),
            ("Grüß Gott!", Greeting),
            ("Moin", Greeting),
            ("ciao", Greeting),
            ("Buonasera!", Greeting),
            ("bom dia", Greeting),
            ("Olá, tudo bem?", Greeting),
            ("Hello, I need help", CallForHelp),
            ("Hi! Can you help me, please?", CallForHelp),
            ("Hallo, ich brauche Hilfe.", CallForHelp),
            ("Bonjour, j’ai une question", CallForHelp),
            ("Thank you so much!", Thanks),
            ("ok thanks", Thanks),
            ("Danke schön!", Thanks),
            ("Merci beaucoup 🙏", Thanks),
            ("muchas gracias", Thanks),
            ("Grazie mille", Thanks),
            ("Obrigada!", Thanks),
            ("Thanks for your help", Thanks),
            ("bye", Goodbye),
            ("Thanks, bye!", Goodbye),
            ("Tschüss", Goodbye),
            ("Au revoir", Goodbye),
            ("Até logo", Goodbye),
            ("Arrivederci!", Goodbye),
            ("¡Adiós!", Goodbye),
        ] {
            assert_eq!(of(&question(text)), Some(expected), "{text}");
        }
    }

    #[test]
    fn questions_are_no_courtesies() {
        for text in [
            "Hello, what are your opening hours?",
            "Hi, refunds?",
            "hi there can I return shoes",
            "Thanks, and the price?",
            "What does hello mean?",
            "Hola, ¿cuánto cuesta el envío?",
            "Guten Tag, wann haben Sie geöffnet?",
            "refunds",
            "",
            "?",
            "😀",
            "Bonjour, avez-vous un magasin à Lyon ?",
        ] {
            assert_eq!(of(&question(text)), None, "{text}");
        }
        assert_eq!(of(&question(&"hello ".repeat(1_000))), None);
    }

    #[test]
    fn a_single_word_after_a_greeting_is_a_name_or_a_question() {
        let found = |text| of(&answerable(text, &[("Within thirty days.", 0.9)]));
        assert_eq!(found("Hi, refunds"), None);
        assert_eq!(
            found("Hi Ada"),
            Some(Courtesy::Greeting),
            "the prompt says that she is Ada"
        );
        assert_eq!(found("hello!"), Some(Courtesy::Greeting));
        assert_eq!(found("help"), None, "the knowledge tells whom to ask");
        assert_eq!(found("Hello, I need help"), Some(Courtesy::CallForHelp));
    }

    #[test]
    fn what_a_pair_answers_is_no_courtesy() {
        let pair = QuestionAnswer {
            question: "How are you?".into(),
            answer: "Never better.".into(),
        };
        let asked = |text| {
            let mut asked = answerable(text, &[(&pair.answer, 1.5)]);
            asked.findings.hits[0].chunk.draft = pair.chunk();
            asked
        };
        assert_eq!(of(&asked("how are you")), None);
        assert_eq!(of(&asked("Hello!")), Some(Courtesy::Greeting));
        let mut unsure = asked("How are you?");
        unsure.findings.answerable = ANSWERABLE - 0.01;
        assert_eq!(of(&unsure), Some(Courtesy::Greeting));
    }
}
