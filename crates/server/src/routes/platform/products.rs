//! A bot's catalogue of products.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpResponse, get, put};
use application::insights as figures;
use domain::insights::Product;
use domain::{Error, Result};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::error::PlatformResult;
use crate::http::authentication::Caller;
use crate::http::body::{JsonBody, SizeLimit};
use crate::http::params;
use crate::routes::platform::body::Json;
use crate::routes::tenant::envelope;
use crate::state::State;

/// A product of the catalogue.
#[derive(Serialize, ToSchema)]
pub struct ProductView {
    /// The shop's own id for it.
    #[schema(example = "sku-1")]
    id: String,
    #[schema(example = "Aurora Lamp")]
    name: String,
    /// Other names for it.
    aliases: Vec<String>,
}

impl From<Product> for ProductView {
    fn from(product: Product) -> Self {
        Self {
            id: product.id,
            name: product.name,
            aliases: product.aliases,
        }
    }
}

/// A catalogue.
#[derive(Deserialize, ToSchema)]
pub struct ProductsBody {
    /// All products (at most 10,000); an empty list takes the catalogue away
    #[schema(required, nullable = false)]
    products: Option<Vec<ProductBody>>,
}

/// A product.
#[derive(Deserialize, ToSchema)]
pub struct ProductBody {
    /// The shop's own id for it, once in the catalogue (1 to 128 characters)
    #[schema(required, nullable = false)]
    id: Option<String>,
    /// Its name (1 to 200 characters)
    #[schema(required, nullable = false)]
    name: Option<String>,
    /// Other names for it (at most 20)
    #[serde(default)]
    aliases: Vec<String>,
}

impl JsonBody for ProductsBody {
    const LIMIT: SizeLimit = SizeLimit {
        bytes: 8 * 1024 * 1024,
        told: "8 MB",
    };
}

impl ProductsBody {
    fn read(self) -> Result<Vec<Product>> {
        let products = self.products.ok_or_else(|| Error::missing("products"))?;
        // What is missing is refused like what is empty, by its place.
        let read = products.into_iter().map(|product| Product {
            id: product.id.unwrap_or_default(),
            name: product.name.unwrap_or_default(),
            aliases: product.aliases,
        });
        Ok(read.collect())
    }
}

/// Get products
///
/// The catalogue that visitors' messages are searched for, as it was given.
#[utoipa::path(tag = "Platform API: Products", params(("bot_id" = String, Path, description = "Unique identifier of the bot")), responses((status = 200, body = envelope::Data<Vec<ProductView>>)))]
#[get("/bots/{bot_id}/products")]
pub(super) async fn list_products(
    state: Data<State>,
    caller: Caller,
    bot_id: Path<String>,
) -> PlatformResult<HttpResponse> {
    let found = figures::catalogue(&state.app, &caller.0, params::bot_id(&bot_id)?).await?;
    let views: Vec<_> = found.into_iter().map(ProductView::from).collect();
    Ok(envelope::data(StatusCode::OK, views))
}

/// Replace products
///
/// All conversations of the bot are read again for them, in the background.
#[utoipa::path(tag = "Platform API: Products", params(("bot_id" = String, Path, description = "Unique identifier of the bot")), request_body = ProductsBody, responses((status = 200, body = envelope::Data<Vec<ProductView>>)))]
#[put("/bots/{bot_id}/products")]
pub(super) async fn replace_products(
    state: Data<State>,
    caller: Caller,
    bot_id: Path<String>,
    body: Json<ProductsBody>,
) -> PlatformResult<HttpResponse> {
    let bot = params::bot_id(&bot_id)?;
    let products = body.0.read()?;
    figures::set_catalogue(&state.app, &caller.0, bot, &products).await?;
    let views: Vec<_> = products.into_iter().map(ProductView::from).collect();
    Ok(envelope::data(StatusCode::OK, views))
}
