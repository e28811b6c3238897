//! Finding the chunks that answer a question: words, stems and ranking.
