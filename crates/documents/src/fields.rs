//! Word's fields: a code such as `PAGE` or `HYPERLINK "..."`, and the result that readers see.

/// The fields that are open at a place of the text, within each other.
#[derive(Debug, Default)]
pub(crate) struct Fields {
    /// Whether their result has begun.
    open: Vec<bool>,
    /// How many are still in their codes.
    codes: usize,
}

impl Fields {
    pub(crate) fn begin(&mut self) {
        self.open.push(false);
        self.codes += 1;
    }

    /// The code of the innermost field is over, and its result begins.
    pub(crate) fn separate(&mut self) {
        if let Some(is_result @ false) = self.open.last_mut() {
            *is_result = true;
            self.codes -= 1;
        }
    }

    pub(crate) fn end(&mut self) {
        if self.open.pop() == Some(false) {
            self.codes -= 1;
        }
    }

    /// Whether the text here is part of a code.
    pub(crate) fn is_code(&self) -> bool {
        self.codes > 0
    }

    /// At the end of a paragraph: a code ends there at the latest, so that one without an end hides no more than
    /// that. A result may go on, as a table of contents does.
    pub(crate) fn end_codes(&mut self) {
        if self.codes > 0 {
            self.open.retain(|is_result| *is_result);
            self.codes = 0;
        }
    }
}
