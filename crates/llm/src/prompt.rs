//! What goes into a model's context, and what is left out where there is too much of it.

use std::collections::VecDeque;

use domain::answers::Question;
use domain::messages::Author;
use domain::prompts::with_knowledge;

/// A question as models are asked it.
#[derive(Debug)]
pub struct Prompt<'a> {
    /// The bot's instructions with the knowledge.
    pub system: String,
    /// What was said, oldest first; the visitor's message last.
    pub turns: Vec<(Author, &'a str)>,
    /// How many of the question's hits are in `system`; they are the best.
    pub passages: usize,
}

impl<'a> Prompt<'a> {
    /// Packs a question into `budget` bytes of UTF-8 (about four are a token in English, and one to three in
    /// other scripts). What does not fit is left out: first the oldest of the history, then the worst hits.
    /// The bot's instructions, the best hit and the visitor's message always go, whatever they weigh.
    pub fn pack(question: &'a Question, budget: usize) -> Self {
        let said = question.history.iter().map(|u| (u.author, u.text.as_str()));
        // Some servers refuse messages without words.
        let mut turns: VecDeque<_> = said.filter(|(_, text)| !text.trim().is_empty()).collect();
        let mut passages: Vec<_> = question
            .findings
            .hits
            .iter()
            .map(|hit| {
                let draft = &hit.chunk.draft;
                let source = match &draft.heading {
                    Some(heading) => format!("{} > {heading}", hit.source_name),
                    None => hit.source_name.clone(),
                };
                (source, draft.content.as_str())
            })
            .collect();

        let mut size = question.system_prompt.len() + question.text.len();
        size += turns.iter().map(|(_, text)| text.len()).sum::<usize>();
        size += passages.iter().map(weight).sum::<usize>();
        while size > budget
            && let Some((_, text)) = turns.pop_front()
        {
            size -= text.len();
        }
        while size > budget
            && passages.len() > 1
            && let Some(passage) = passages.pop()
        {
            size -= weight(&passage);
        }

        turns.push_back((Author::User, &question.text));
        let texts = passages.iter().map(|(s, text)| (s.as_str(), *text));
        Self {
            system: with_knowledge(&question.system_prompt, texts),
            turns: turns.into(),
            passages: passages.len(),
        }
    }
}

fn weight((source, text): &(String, &str)) -> usize {
    source.len() + text.len()
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
        assert_eq!((all.turns.len(), all.passages), (5, 2));
        assert_eq!(all.turns[4], (Author::User, "What now?"));

        let some = Prompt::pack(&asked, 550);
        assert_eq!((some.turns.len(), some.passages), (3, 2));
        assert!(some.turns[0].1.starts_with('2'), "{:?}", some.turns);

        let few = Prompt::pack(&asked, 250);
        assert_eq!((few.turns.len(), few.passages), (1, 1));
        assert!(few.system.contains("aaa") && !few.system.contains("bbb"));

        let least = Prompt::pack(&asked, 1);
        assert_eq!((least.turns.len(), least.passages), (1, 1));
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
}
