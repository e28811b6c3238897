//! The languages that bots speak.

use crate::named::named;

named! {
    /// A bot's language (Tenant API, "Create new bot").
    Language {
        /// English.
        En = "en",
        /// Spanish.
        Es = "es",
        /// French.
        Fr = "fr",
        /// German.
        De = "de",
        /// Italian.
        It = "it",
        /// Portuguese.
        Pt = "pt",
    }
}

impl Language {
    /// The language's name in English, for prompts.
    pub const fn english_name(self) -> &'static str {
        match self {
            Self::En => "English",
            Self::Es => "Spanish",
            Self::Fr => "French",
            Self::De => "German",
            Self::It => "Italian",
            Self::Pt => "Portuguese",
        }
    }

    /// The sentence for "the knowledge has no answer to this".
    pub const fn does_not_know(self) -> &'static str {
        match self {
            Self::En => {
                "I'm sorry, I don't have information about that. Could you ask in other words?"
            }
            Self::Es => {
                "Lo siento, no tengo información sobre eso. ¿Podría preguntarlo con otras palabras?"
            }
            Self::Fr => {
                "Désolé, je n'ai pas d'information à ce sujet. Pourriez-vous poser la question autrement ?"
            }
            Self::De => {
                "Es tut mir leid, dazu habe ich keine Informationen. Können Sie die Frage anders stellen?"
            }
            Self::It => {
                "Mi dispiace, non ho informazioni su questo. Potrebbe chiederlo con altre parole?"
            }
            Self::Pt => {
                "Desculpe, não tenho informações sobre isso. Poderia perguntar com outras palavras?"
            }
        }
    }

    /// The answer to a greeting, where the bot has no welcome message of its own.
    pub const fn greeting(self) -> &'static str {
        match self {
            Self::En => "Hello! How can I help you?",
            Self::Es => "¡Hola! ¿En qué puedo ayudarle?",
            Self::Fr => "Bonjour ! Comment puis-je vous aider ?",
            Self::De => "Hallo! Wie kann ich Ihnen helfen?",
            Self::It => "Salve! Come posso aiutarla?",
            Self::Pt => "Olá! Como posso ajudar?",
        }
    }
}
