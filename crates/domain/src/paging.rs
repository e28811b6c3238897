//! Lists in pages.

use crate::{Error, Result};

/// Which page of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageRequest {
    skip: u64,
    per_page: u32,
}

/// How large the pages of a list may be, and how its client calls that.
#[derive(Debug, Clone, Copy)]
pub struct PageSizes {
    /// The parameter.
    pub name: &'static str,
    /// Items where the client does not say.
    pub default: u32,
    /// The most items.
    pub max: u32,
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
        let sizes = PageSizes {
            name: "per_page",
            default: Self::DEFAULT_PER_PAGE,
            max: Self::MAX_PER_PAGE,
        };
        Self::sized(page, per_page, sizes)
    }

    /// A page, counted from 1, of a size that has its own bounds.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a page below 1 or a size outside the bounds.
    pub fn sized(page: Option<u32>, size: Option<u32>, sizes: PageSizes) -> Result<Self> {
        let page = page.unwrap_or(1);
        if page < 1 {
            return Err(Error::invalid(
                "page",
                "The 'page' parameter must be a whole number from 1.",
            ));
        }
        let first = Self::skipping(0, size, sizes)?;
        Ok(Self {
            skip: u64::from(page - 1) * u64::from(first.per_page),
            ..first
        })
    }

    /// So many items of a list, after so many others.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a size outside the bounds.
    pub fn skipping(skip: u32, size: Option<u32>, sizes: PageSizes) -> Result<Self> {
        let PageSizes { name, default, max } = sizes;
        let per_page = size.unwrap_or(default);
        if !(1..=max).contains(&per_page) {
            return Err(Error::invalid(
                name,
                format!("The '{name}' parameter must be a whole number from 1 to {max}."),
            ));
        }
        Ok(Self {
            skip: skip.into(),
            per_page,
        })
    }

    /// The page's number, from 1.
    pub const fn page(self) -> u64 {
        self.skip / self.per_page as u64 + 1
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
        self.skip as i64
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

impl PageRequest {
    /// The page of a list that is all at hand.
    pub fn of<T>(self, all: Vec<T>) -> Page<T> {
        let total = all.len() as u64;
        let skip = usize::try_from(self.skip).unwrap_or(usize::MAX);
        let items = all.into_iter().skip(skip);
        Page {
            items: items.take(self.per_page as usize).collect(),
            total,
        }
    }
}

impl<T> Page<T> {
    /// How many pages there are at this size; an empty list has none.
    pub const fn pages(&self, request: PageRequest) -> u64 {
        self.total.div_ceil(request.per_page as u64)
    }
}
