//! What goes into a model's context, and what is left out where there is too much of it.

use std::collections::VecDeque;

use domain::answers::Question;
use domain::messages::Author;
use domain::prompts::with_knowledge;
use domain::retrieval::{Hit, Passage, passages};

/// A question as models are asked it.
#[derive(Debug)]
pub struct Prompt<'a> {
    /// The bot's instructions with the knowledge.
    pub system: String,
    /// What was said, oldest first; the visitor's message last.
    pub turns: Vec<(Author, &'a str)>,
    /// How many of the question's hits are in `system`; they are the best. Neighbours are one passage there.
    pub hits: usize,
}

impl<'a> Prompt<'a> {
    /// Packs a question into `budget` bytes of UTF-8 (about four are a token in English, and one to three in
    /// other scripts). What does not fit is left out: first the oldest of the history, then the worst hits.
    /// The bot's instructions, the best hit and the visitor's message always go, whatever they weigh.
    pub fn pack(question: &'a Question, budget: usize) -> Self {
        let said = question.history.iter().map(|u| (u.author, u.text.as_str()));
        // Some servers refuse messages without words.
        let mut turns: VecDeque<_> = said.filter(|(_, text)| !text.trim().is_empty()).collect();
        let mut hits = &*question.findings.hits;

        let mut size = question.system_prompt.len() + question.text.len();
        size += turns.iter().map(|(_, text)| text.len()).sum::<usize>();
        size += hits.iter().map(weight).sum::<usize>();
        while size > budget
            && let Some((_, text)) = turns.pop_front()
        {
            size -= text.len();
        }
        while size > budget
            && let [best @ .., worst] = hits
            && !best.is_empty()
        {
            size -= weight(worst);
            hits = best;
        }

        turns.push_back((Author::User, &question.text));
        let passages = passages(hits);
        let sources: Vec<_> = passages.iter().map(source).collect();
        let texts = sources.iter().zip(&passages);
        let texts = texts.map(|(source, passage)| (source.as_str(), &*passage.text));
        Self {
            system: with_knowledge(&question.system_prompt, texts),
            turns: turns.into(),
            hits: hits.len(),
        }
    }
}

fn source(passage: &Passage<'_>) -> String {
    match passage.heading {
        Some(heading) => format!("{} > {heading}", passage.source_name),
        None => passage.source_name.to_owned(),
    }
}

fn weight(hit: &Hit) -> usize {
    let Hit {
        chunk, source_name, ..
    } = hit;
    let heading = chunk.draft.heading.as_ref().map_or(0, String::len);
    source_name.len() + heading + chunk.draft.content.len()
}

#[cfg(test)]
mod tests {
    use contracts::answers::{hit, question};
    use domain::messages::Utterance;

    use super::*;

    fn long() -> Question {
        let mut asked = question("What now?");
        asked.system_prompt = "S".repeat(100);
        asked.history = (0..4)
            .map(|n| Utterance {
                author: if n % 2 == 0 {
                    Author::Bot
                } else {
                    Author::User
                },
                text: format!("{n}").repeat(100),
            })
            .collect();
        asked.findings.hits = vec![hit(&"a".repeat(100), &[]), hit(&"b".repeat(100), &[])];
        asked
    }

    #[test]
    fn the_oldest_history_goes_first_and_the_worst_hits_next() {
        let asked = long();
        let all = Prompt::pack(&asked, 10_000);
        assert_eq!((all.turns.len(), all.hits), (5, 2));
        assert_eq!(all.turns[4], (Author::User, "What now?"));

        let some = Prompt::pack(&asked, 550);
        assert_eq!((some.turns.len(), some.hits), (3, 2));
        assert!(some.turns[0].1.starts_with('2'), "{:?}", some.turns);

        let few = Prompt::pack(&asked, 250);
        assert_eq!((few.turns.len(), few.hits), (1, 1));
        assert!(few.system.contains("aaa") && !few.system.contains("bbb"));

        let least = Prompt::pack(&asked, 1);
        assert_eq!((least.turns.len(), least.hits), (1, 1));
    }

    #[test]
    fn a_passage_is_named_by_source_and_heading() {
        let mut asked = question("q");
        let mut found = hit("Thirty days.", &[]);
        found.source_name = "Shop".into();
        found.chunk.draft.heading = Some("Returns".into());
        asked.findings.hits = vec![found];
        let prompt = Prompt::pack(&asked, 1_000);
        assert!(prompt.system.contains("source=\"Shop > Returns\""));
    }

    #[test]
    fn neighbours_are_one_passage_and_two_hits() {
        let mut asked = question("q");
        let of = |index: u32, content: &str| {
            let mut found = hit(content, &[]);
            found.chunk.index = index;
            found
        };
        let repeated = "- a form that you have signed";
        asked.findings.hits = vec![
            of(4, &format!("{repeated}\n- a photo")),
            of(3, &format!("You need:\n{repeated}")),
            of(7, "Ask us."),
        ];
        let prompt = Prompt::pack(&asked, 1_000);
        assert_eq!(prompt.hits, 3);
        assert_eq!(prompt.system.matches("<passage ").count(), 2);
        let joined = format!("You need:\n{repeated}\n- a photo\n</passage>");
        assert!(prompt.system.contains(&joined), "{}", prompt.system);
    }

    #[test]
    fn poisoned_knowledge_stays_in_its_block() {
        contracts::poisoned::stays_in_its_block(|source, text| {
            let mut asked = question("q");
            let mut found = hit(text, &[]);
            found.source_name = source.into();
            asked.findings.hits = vec![found];
            Prompt::pack(&asked, 10_000).system
        });
    }
}
