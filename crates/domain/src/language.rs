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

    /// The answer to a thank-you.
    pub const fn you_are_welcome(self) -> &'static str {
        match self {
            Self::En => "You're welcome! Is there anything else I can help you with?",
            Self::Es => "¡De nada! ¿Puedo ayudarle en algo más?",
            Self::Fr => "Avec plaisir ! Puis-je vous aider pour autre chose ?",
            Self::De => "Gern geschehen! Kann ich Ihnen sonst noch helfen?",
            Self::It => "Prego! Posso aiutarla in qualcos'altro?",
            Self::Pt => "De nada! Posso ajudar em mais alguma coisa?",
        }
    }

    /// The answer to a goodbye.
    pub const fn goodbye(self) -> &'static str {
        match self {
            Self::En => "Goodbye! I'm here if you need anything else.",
            Self::Es => "¡Hasta luego! Aquí estaré si necesita algo más.",
            Self::Fr => "Au revoir ! Je reste à votre disposition.",
            Self::De => "Auf Wiedersehen! Ich bin da, wenn Sie noch etwas brauchen.",
            Self::It => "Arrivederci! Sono qui se le serve altro.",
            Self::Pt => "Até logo! Estou aqui se precisar de mais alguma coisa.",
        }
    }
}
