//! From texts to vectors.

use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;
use candle_transformers::models::bert::BertModel;
use domain::embeddings::Embedding;
use tokenizers::Tokenizer;

use crate::folder::{Folder, OpenError, Pooling, broken};

/// The most of a text that is looked at, in bytes: more than any model takes of ordinary words.
const TEXT_BYTES: usize = 24 * 1024;

/// A model in memory.
pub(crate) struct Model {
    bert: BertModel,
    tokenizer: Tokenizer,
    pooling: Pooling,
    pad: u32,
    dimensions: usize,
}

/// A text as the model reads it.
pub(crate) type Tokens = Vec<u32>;

impl Model {
    pub(crate) fn load(folder: Folder) -> Result<Self, OpenError> {
        let file = folder.path.join("model.safetensors");
        let wrong = |error: candle_core::Error| broken(&file, error);
        let weights =
            VarBuilder::from_buffered_safetensors(folder.weights, DType::F32, &Device::Cpu);
        let bert = BertModel::load(weights.map_err(wrong)?, &folder.config).map_err(wrong)?;
        let model = Self {
            bert,
            tokenizer: folder.tokenizer,
            pooling: folder.pooling,
            pad: folder.config.pad_token_id as u32,
            dimensions: folder.config.hidden_size,
        };
        // What the shapes of the weights do not show, a first text does.
        let longest = vec![model.pad; folder.tokens];
        model.embed(&[longest]).map_err(|why| broken(&file, why))?;
        Ok(model)
    }

    /// A text's tokens, of a long one the first.
    pub(crate) fn tokens(&self, text: &str) -> Result<Tokens, String> {
        let mut end = text.len().min(TEXT_BYTES);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let encoded = self.tokenizer.encode_fast(&text[..end], true);
        let encoded = encoded.map_err(|error| error.to_string())?;
        Ok(match encoded.get_ids() {
            [] => vec![self.pad],
            ids => ids.to_vec(),
        })
    }

    /// The vectors of texts, in their order.
    pub(crate) fn embed(&self, batch: &[Tokens]) -> Result<Vec<Embedding>, String> {
        let vectors = self.vectors(batch).map_err(|error| error.to_string())?;
        let zero = || {
            // A text without a direction is as far from one as from another.
            let mut vector = vec![0.0; self.dimensions];
            vector[0] = 1.0;
            Embedding::of(&vector)
        };
        vectors
            .iter()
            .map(|vector| Embedding::of(vector).or_else(zero))
            .collect::<Option<_>>()
            .ok_or_else(|| "the model has no dimensions".to_owned())
    }

    fn vectors(&self, batch: &[Tokens]) -> candle_core::Result<Vec<Vec<f32>>> {
        let longest = batch.iter().map(Vec::len).max().unwrap_or_default();
        let (mut ids, mut mask) = (Vec::new(), Vec::new());
        for tokens in batch {
            let padding = longest - tokens.len();
            ids.extend(tokens);
            ids.extend(std::iter::repeat_n(self.pad, padding));
            mask.extend(std::iter::repeat_n(1_u32, tokens.len()));
            mask.extend(std::iter::repeat_n(0, padding));
        }
        let shape = (batch.len(), longest);
        let ids = Tensor::from_vec(ids, shape, &Device::Cpu)?;
        let mask = Tensor::from_vec(mask, shape, &Device::Cpu)?;
        let kinds = ids.zeros_like()?;
        let states = self.bert.forward(&ids, &kinds, Some(&mask))?;
        let pooled = match self.pooling {
            Pooling::First => states.narrow(1, 0, 1)?.squeeze(1)?,
            Pooling::Mean => {
                let mask = mask.to_dtype(DType::F32)?.unsqueeze(2)?;
                let sum = states.broadcast_mul(&mask)?.sum(1)?;
                sum.broadcast_div(&mask.sum(1)?)?
            }
        };
        pooled.to_vec2()
    }
}
