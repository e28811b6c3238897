//! Orders in a shop, and what of them came from conversations.

use async_trait::async_trait;
use time::{Date, Duration};

use crate::analytics::Days;
use crate::paging::{Page, PageRequest};
use crate::{BotId, ConversationId, Error, OrderId, Result, TenantId, Timestamp};

/// For how long after its last message a conversation counts as what led to an order.
pub const ATTRIBUTION_WINDOW: Duration = Duration::days(7);
/// The most that an order may come to, so that sums of many are numbers too.
pub const AMOUNT_MAX: i64 = 1_000_000_000_000_000;
/// The longest name that a shop may give an order.
pub const EXTERNAL_ID_MAX: u64 = 128;

/// A currency by its three letters (ISO 4217).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency([u8; 3]);

impl Currency {
    /// Reads three letters in any case.
    pub fn parse(text: &str) -> Option<Self> {
        let letters: [u8; 3] = text.as_bytes().try_into().ok()?;
        letters
            .iter()
            .all(u8::is_ascii_alphabetic)
            .then(|| Self(letters.map(|letter| letter.to_ascii_uppercase())))
    }

    /// The letters.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// How many digits of an amount stand behind the point (ISO 4217, list one).
    pub fn digits(self) -> u32 {
        match &self.0 {
            b"BIF" | b"CLP" | b"DJF" | b"GNF" | b"ISK" | b"JPY" | b"KMF" | b"KRW" | b"PYG"
            | b"RWF" | b"UGX" | b"UYI" | b"VND" | b"VUV" | b"XAF" | b"XOF" | b"XPF" => 0,
            b"BHD" | b"IQD" | b"JOD" | b"KWD" | b"LYD" | b"OMR" | b"TND" => 3,
            b"CLF" | b"UYW" => 4,
            _ => 2,
        }
    }

    /// An amount in the smallest unit from words such as `12.50`; `None` for what is none, or finer than the unit.
    pub fn amount(self, text: &str) -> Option<i64> {
        let digits = self.digits() as usize;
        let (whole, part) = text.split_once('.').unwrap_or((text, ""));
        let are_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || part.len() > digits || !are_digits(whole) || !are_digits(part) {
            return None;
        }
        if text.ends_with('.') {
            return None;
        }
        format!("{whole}{part:0<digits$}").parse().ok()
    }

    /// An amount in words, as [`Currency::amount`] reads it.
    pub fn words(self, amount: i64) -> String {
        let digits = self.digits() as usize;
        if digits == 0 {
            return amount.to_string();
        }
        let padded = format!("{amount:0>width$}", width = digits + 1);
        let (whole, part) = padded.split_at(padded.len() - digits);
        format!("{whole}.{part}")
    }
}

/// Who ordered, as far as the shop says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Buyer {
    /// The shop's name for the person.
    pub id: Option<String>,
    /// E-mail address, in lower case.
    pub email: Option<String>,
    /// Name.
    pub name: Option<String>,
}

/// An order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// Its id.
    pub id: OrderId,
    /// The shop's name for it.
    pub external_id: String,
    /// What it came to, in the currency's smallest unit: 0 to [`AMOUNT_MAX`].
    pub amount: i64,
    /// In which currency.
    pub currency: Currency,
    /// Who ordered.
    pub buyer: Buyer,
    /// The conversation that led to it. It may be gone.
    pub conversation_id: Option<ConversationId>,
    /// When it was made.
    pub ordered_at: Timestamp,
    /// When it was told.
    pub created_at: Timestamp,
}

/// What a bot's orders of a day came to, in one currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DailyRevenue {
    /// The day (UTC).
    pub day: Date,
    /// The currency.
    pub currency: Currency,
    /// The sum, in its smallest unit.
    pub amount: i64,
    /// How many orders.
    pub orders: u64,
}

/// Where orders are kept. They outlive the conversations that they came from.
#[async_trait]
pub trait Orders: Send + Sync {
    /// Keeps an order, attributed to a conversation, and answers it as kept and whether it is new: the bot's order of
    /// the same external id stays as it is. The conversation is the one named, or else the buyer's latest with the
    /// bot (found by the shop's name for them, or by their address), if it had a message in the
    /// [`ATTRIBUTION_WINDOW`] before the order.
    ///
    /// # Errors
    /// [`Error::NotFound`]: there is no such bot, or the named conversation is not the bot's.
    async fn record(&self, tenant: TenantId, bot: BotId, order: &Order) -> Result<(Order, bool)>;
    /// A page of a bot's orders, newest first.
    async fn list(&self, tenant: TenantId, bot: BotId, page: PageRequest) -> Result<Page<Order>>;
    /// The order of a bot that was made first.
    async fn first(&self, tenant: TenantId, bot: BotId) -> Result<Option<Order>>;
    /// What the orders of the days came to, by day and currency, oldest first, without zeros.
    async fn revenue(&self, tenant: TenantId, bot: BotId, days: Days) -> Result<Vec<DailyRevenue>>;
}

/// Reads a currency.
///
/// # Errors
/// [`Error::Invalid`].
pub fn read_currency(text: &str) -> Result<Currency> {
    Currency::parse(text).ok_or_else(|| {
        Error::invalid(
            "currency",
            "The 'currency' field must be the three letters of a currency, such as EUR.",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn amounts_are_read_in_their_currency() {
        let amount = |currency, text| Currency::parse(currency).unwrap().amount(text);
        assert_eq!(amount("EUR", "12.50"), Some(1_250));
        assert_eq!(amount("eur", "12.5"), Some(1_250));
        assert_eq!(amount("USD", "0"), Some(0));
        assert_eq!(amount("JPY", "1200"), Some(1_200));
        assert_eq!(amount("KWD", "1.005"), Some(1_005));
        for (currency, text) in [
            ("EUR", "12.505"),
            ("EUR", "-1"),
            ("EUR", "1."),
            ("EUR", ".5"),
            ("EUR", "1,50"),
            ("EUR", ""),
            ("JPY", "1.5"),
            ("EUR", "99999999999999999999"),
        ] {
            assert_eq!(amount(currency, text), None, "{currency} {text}");
        }
        assert_eq!(Currency::parse("EURO"), None);
        assert_eq!(Currency::parse("E1R"), None);
    }

    proptest! {
        #[test]
        fn words_are_read_back(amount in 0..i64::MAX, letters in "[A-Z]{3}") {
            let currency = Currency::parse(&letters).unwrap();
            prop_assert_eq!(currency.amount(&currency.words(amount)), Some(amount));
        }
    }
}
