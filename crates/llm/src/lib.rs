//! Answer providers: extractive and OpenAI-compatible.
