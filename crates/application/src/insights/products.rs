use std::collections::HashSet;

use domain::actors::Actor;
use domain::insights::{ALIASES_MAX, PRODUCT_ID_MAX, PRODUCTS_MAX, Product};
use domain::text::NAME_MAX;
use domain::{BotId, Error, Resource, Result};

use crate::App;

/// A bot's catalogue.
///
/// # Errors
/// [`Error::NotFound`].
#[tracing::instrument(level = "debug", name = "insights.catalogue", skip_all)]
pub async fn catalogue(app: &App, actor: &Actor, bot: BotId) -> Result<Vec<Product>> {
    let found = app.learning.products(actor.tenant_id(), bot).await?;
    found.ok_or(Error::NotFound(Resource::Bot))
}

/// Replaces a bot's catalogue. All its conversations are read again for its products, in the background.
///
/// # Errors
/// [`Error::Invalid`], [`Error::NotFound`].
#[tracing::instrument(level = "debug", name = "insights.set_catalogue", skip_all)]
pub async fn set_catalogue(
    app: &App,
    actor: &Actor,
    bot: BotId,
    products: &[Product],
) -> Result<()> {
    check(products)?;
    if !app
        .learning
        .set_products(actor.tenant_id(), bot, products)
        .await?
    {
        return Err(Error::NotFound(Resource::Bot));
    }
    Ok(())
}

fn check(products: &[Product]) -> Result<()> {
    let invalid = |problem: String| Err(Error::invalid("products", problem));
    if products.len() > PRODUCTS_MAX {
        return invalid(format!(
            "The 'products' field must hold at most {PRODUCTS_MAX} products."
        ));
    }
    let mut ids = HashSet::new();
    for (place, product) in products.iter().enumerate() {
        let names = [&product.name].into_iter().chain(&product.aliases);
        let are_names = names.into_iter().all(|name| is_text(name, NAME_MAX));
        if !is_text(&product.id, PRODUCT_ID_MAX) || !are_names {
            return invalid(format!(
                "The 'products' field must give each product an 'id' of 1 to {PRODUCT_ID_MAX} characters and a 'name' \
                 and 'aliases' of 1 to {NAME_MAX}; product {place} (from 0) has others."
            ));
        }
        if product.aliases.len() > ALIASES_MAX {
            return invalid(format!(
                "The 'products' field must give a product at most {ALIASES_MAX} 'aliases'; product {place} (from 0) has \
                 more."
            ));
        }
        if !ids.insert(&product.id) {
            return invalid(format!(
                "The 'products' field must give each 'id' once; that of product {place} (from 0) was there before."
            ));
        }
    }
    Ok(())
}

fn is_text(text: &str, most: u64) -> bool {
    !text.trim().is_empty() && text.chars().count() as u64 <= most && !text.contains('\0')
}
