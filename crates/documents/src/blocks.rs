//! Blocks of Markdown, one under the other: what the readers of Word's formats write.

use domain::documents::ReadError;

use crate::text;

/// Word's own limit; the cells beyond it go on in the last.
const MAX_COLUMNS: usize = 63;
/// Tables nested deeper are read as the text of the cell they stand in.
const MAX_TABLES: usize = 8;
/// A longer bold paragraph is emphasis and no title, in bytes.
const BOLD_MAX: usize = 200;
/// Deepest nesting of lists in Word.
const MAX_DEPTH: usize = 8;

/// What a paragraph is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Style {
    Plain,
    /// Bold from its first word to its last, as titles and questions are that have no style of their own.
    Bold,
    /// From 1, with its number, if it has one.
    Heading {
        level: u8,
        label: String,
    },
    /// An item of a list, by how many lists it is nested in, with its bullet or number.
    Item {
        depth: usize,
        label: String,
    },
}

impl Style {
    /// By the level of a heading, from 1, or 0 for none, and by the bullet or number in a list.
    pub(crate) fn of(level: u8, label: Option<String>, depth: usize, is_bold: bool) -> Self {
        match (level, label) {
            (0, Some(label)) => Self::Item { depth, label },
            (0, None) if is_bold => Self::Bold,
            (0, None) => Self::Plain,
            (level, label) => {
                // A bullet says nothing of a heading.
                let number = label.filter(|label| label.contains(char::is_alphanumeric));
                let label = number.unwrap_or_default();
                Self::Heading { level, label }
            }
        }
    }
}

/// Takes paragraphs and tables in the order of the document.
#[derive(Debug, Default)]
pub(crate) struct Blocks {
    out: Flow,
    /// Those that are open, outermost first.
    tables: Vec<Table>,
    /// Open tables beyond [`MAX_TABLES`].
    deeper: usize,
}

/// Blocks, divided by empty lines where they must be.
#[derive(Debug, Default)]
struct Flow {
    text: String,
    ends_with_item: bool,
}

#[derive(Debug, Default)]
struct Table {
    rows: Flow,
    /// All its words on one line.
    line: String,
    is_begun: bool,
    row: Vec<Cell>,
    /// Columns that the last cell stands in, beside its own.
    owed: usize,
}

/// A cell in both its forms: whether it is one of several columns shows only at the row's end.
#[derive(Debug, Default)]
struct Cell {
    line: String,
    blocks: Flow,
}

impl Blocks {
    /// # Errors
    /// [`ReadError::Unreadable`] where the text becomes longer than a document may be; so do all others here.
    pub(crate) fn paragraph(&mut self, text: &str, style: &Style) -> Result<(), ReadError> {
        let text = text.trim();
        if text.is_empty() {
            return Ok(());
        }
        let (flow, line) = match self.tables.last_mut() {
            Some(table) => {
                if table.row.is_empty() {
                    table.row.push(Cell::default());
                }
                let Some(cell) = table.row.last_mut() else {
                    return Ok(());
                };
                (&mut cell.blocks, Some(&mut cell.line))
            }
            None => (&mut self.out, None),
        };
        flow.paragraph(text, style);
        if let Some(line) = line {
            if let Style::Item { label, .. } = style {
                push_words(line, label);
            }
            push_words(line, text);
        }
        self.check()
    }

    pub(crate) fn open_table(&mut self) {
        if self.tables.len() < MAX_TABLES {
            self.tables.push(Table::default());
        } else {
            self.deeper += 1;
        }
    }

    pub(crate) fn is_in_table(&self) -> bool {
        !self.tables.is_empty()
    }

    /// Begins a cell, which ends where the next one begins or the row ends.
    pub(crate) fn open_cell(&mut self) {
        if let Some(table) = self.inner_table() {
            table.settle();
            if table.row.len() < MAX_COLUMNS {
                table.row.push(Cell::default());
            }
        }
    }

    /// Makes the open cell stand in so many columns more.
    pub(crate) fn widen_cell(&mut self, columns: usize) {
        if let Some(table) = self.inner_table() {
            table.owed = columns.min(MAX_COLUMNS);
        }
    }

    pub(crate) fn close_row(&mut self) -> Result<(), ReadError> {
        if let Some(table) = self.inner_table() {
            table.close_row();
        }
        self.check()
    }

    pub(crate) fn close_table(&mut self) -> Result<(), ReadError> {
        if self.deeper > 0 {
            self.deeper -= 1;
            return Ok(());
        }
        let Some(mut table) = self.tables.pop() else {
            return Ok(());
        };
        table.close_row();
        match self
            .tables
            .last_mut()
            .and_then(|outer| outer.row.last_mut())
        {
            Some(cell) => {
                cell.blocks.block(&table.rows.text, false);
                push_words(&mut cell.line, &table.line);
            }
            None => self.out.block(&table.rows.text, false),
        }
        self.check()
    }

    /// The whole text. Tables that were not closed are.
    ///
    /// # Errors
    /// As above.
    pub(crate) fn finish(mut self) -> Result<String, ReadError> {
        while self.is_in_table() {
            self.close_table()?;
        }
        Ok(self.out.text)
    }

    fn inner_table(&mut self) -> Option<&mut Table> {
        self.tables.last_mut().filter(|_| self.deeper == 0)
    }

    fn check(&self) -> Result<(), ReadError> {
        let open = self.tables.last().map_or(0, |table| table.rows.text.len());
        if self.out.text.len() + open > text::MAX {
            return Err(text::too_long());
        }
        Ok(())
    }
}

impl Flow {
    fn paragraph(&mut self, text: &str, style: &Style) {
        match style {
            Style::Heading { level, label } => {
                let mut heading = "#".repeat(usize::from(*level).clamp(1, 6));
                push_words(&mut heading, label);
                push_words(&mut heading, text);
                self.block(&heading, false);
            }
            Style::Item { depth, label } => {
                let indent = " ".repeat(4 * (*depth).min(MAX_DEPTH));
                self.block(&format!("{indent}{label} {text}"), true);
            }
            Style::Bold if text.len() <= BOLD_MAX && !text.contains(['\n', '*']) => {
                self.block(&format!("**{text}**"), false);
            }
            Style::Bold | Style::Plain => self.block(text, false),
        }
    }

    fn block(&mut self, block: &str, is_item: bool) {
        if block.is_empty() {
            return;
        }
        if !self.text.is_empty() {
            let joined = is_item && self.ends_with_item;
            self.text.push_str(if joined { "\n" } else { "\n\n" });
        }
        self.text.push_str(block);
        self.ends_with_item = is_item;
    }
}

impl Table {
    /// Adds the empty cells that stand for the columns of a wide one.
    fn settle(&mut self) {
        let columns = (self.row.len() + std::mem::take(&mut self.owed)).min(MAX_COLUMNS);
        self.row.resize_with(columns, Cell::default);
    }

    fn close_row(&mut self) {
        self.settle();
        let row = std::mem::take(&mut self.row);
        if row.iter().all(|cell| cell.line.is_empty()) {
            return;
        }
        for cell in &row {
            push_words(&mut self.line, &cell.line);
        }
        // One column is a frame around text and no table.
        if let [cell] = row.as_slice()
            && !self.is_begun
        {
            self.rows.block(&cell.blocks.text, false);
            return;
        }
        let mut line = String::from("|");
        for cell in &row {
            for part in [" ", &cell.line.replace('|', "\\|"), " |"] {
                line.push_str(part);
            }
        }
        if self.is_begun {
            self.rows.text.push('\n');
            self.rows.text.push_str(&line);
        } else {
            self.is_begun = true;
            let rule = "---|".repeat(row.len());
            self.rows.block(&format!("{line}\n|{rule}"), false);
        }
    }
}

/// Adds words to a line, without the ends of lines in them.
fn push_words(line: &mut String, words: &str) {
    for word in words.split_whitespace() {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
}
