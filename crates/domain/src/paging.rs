//! Lists in pages.

use crate::{Error, Result};

/// Which page of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageRequest {
    page: u32,
    per_page: u32,
}

impl PageRequest {
    /// Items per page where the client does not say.
    pub const DEFAULT_PER_PAGE: u32 = 20;
    /// The most items a page may have.
    pub const MAX_PER_PAGE: u32 = 100;

    /// A page, counted from 1.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a page below 1 or a size outside 1..=100.
    pub fn new(page: Option<u32>, per_page: Option<u32>) -> Result<Self> {
        let (page, per_page) = (
            page.unwrap_or(1),
            per_page.unwrap_or(Self::DEFAULT_PER_PAGE),
        );
        if page < 1 {
            return Err(Error::invalid(
                "page",
                "The 'page' parameter must be a whole number from 1.",
            ));
        }
        if !(1..=Self::MAX_PER_PAGE).contains(&per_page) {
            return Err(Error::invalid(
                "per_page",
                "The 'per_page' parameter must be a whole number from 1 to 100.",
            ));
        }
        Ok(Self { page, per_page })
    }

    /// The page's number, from 1.
    pub const fn page(self) -> u32 {
        self.page
    }

    /// Items per page.
    pub const fn per_page(self) -> u32 {
        self.per_page
    }

    /// For the store: the most items to read.
    pub const fn limit(self) -> i64 {
        self.per_page as i64
    }

    /// For the store: how many items come before this page.
    pub const fn offset(self) -> i64 {
        (self.page as i64 - 1) * self.per_page as i64
    }
}

/// One page of a list, and how many items the whole list has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The items of this page; empty past the end.
    pub items: Vec<T>,
    /// Items on all pages.
    pub total: u64,
}

impl<T> Page<T> {
    /// How many pages there are at this size; an empty list has none.
    pub const fn pages(&self, request: PageRequest) -> u64 {
        self.total.div_ceil(request.per_page as u64)
    }
}
