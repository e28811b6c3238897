//! The program's commands.

mod embeddings;
mod keys;
mod operations;
mod replay;
mod serve;
mod tenants;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use domain::plans::Plan;

use crate::run::StartError;
use crate::settings::{Settings, SettingsError};
use crate::wiring::{self, Wired};

/// A self-hosted, multi-tenant chatbot platform in one small program.
#[derive(Debug, Parser)]
#[command(name = "botwright", version)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server; brings the schema up to date first
    Serve,
    /// Run the server with a demo tenant, bot and knowledge, and print how to ask it a question
    Demo,
    /// Tenants: create, list, suspend, resume, delete
    #[command(subcommand)]
    Tenant(TenantCommand),
    /// API keys: create, list, revoke
    #[command(subcommand)]
    Key(KeyCommand),
    /// The embeddings that a bot is searched with: show, compare, switch
    #[command(subcommand)]
    Embeddings(EmbeddingsCommand),
    /// Answer a bot's newest recorded questions again, with the settings of now, and show what changed
    Replay {
        /// The tenant's id
        tenant: String,
        /// The bot's id
        bot: String,
        /// The most questions
        #[arg(long, default_value_t = 50)]
        limit: usize,
        /// Print JSON, a line for each question that is answered otherwise
        #[arg(long)]
        json: bool,
    },
    /// Bring the store's schema up to date
    Migrate,
    /// Check the settings and the store, and say what is wrong
    Doctor,
    /// Copy the embedded store into one file, also beside a running server
    Backup {
        /// The file to write; it must not be there yet
        file: PathBuf,
    },
    /// Put a backup in the place of the embedded store; no server may be running on it
    Restore {
        /// The backup
        file: PathBuf,
        /// Replace a store that is there
        #[arg(long)]
        force: bool,
    },
    /// Print the OpenAPI document
    Openapi,
    /// Read a file from the standard input, for the server that started this
    #[command(name = EXTRACT, hide = true)]
    Extract {
        /// What its name promises
        kind: String,
    },
}

#[derive(Debug, Subcommand)]
enum TenantCommand {
    /// Make a tenant and its first API key, which is shown once
    Create {
        /// Its name
        #[arg(long)]
        name: String,
        /// free, starter, professional or enterprise
        #[arg(long, value_parser = plan, default_value = "free")]
        plan: Plan,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// List all tenants
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Refuse a tenant's keys
    Suspend {
        /// The tenant's id
        id: String,
    },
    /// Take a suspended tenant's keys again
    Resume {
        /// The tenant's id
        id: String,
    },
    /// Delete a tenant and all it has
    Delete {
        /// The tenant's id
        id: String,
    },
}

#[derive(Debug, Subcommand)]
enum KeyCommand {
    /// Make a key for a tenant, or for one bot; it is shown once
    Create {
        /// The tenant's id
        tenant: String,
        /// The bot's id: the key opens this bot alone, for the Agent API
        #[arg(long)]
        bot: Option<String>,
        /// What to call it
        #[arg(long, default_value = "key")]
        name: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// List a tenant's keys
    List {
        /// The tenant's id
        tenant: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Revoke a key
    Revoke {
        /// The tenant's id
        tenant: String,
        /// The key's id
        key: String,
    },
}

#[derive(Debug, Subcommand)]
enum EmbeddingsCommand {
    /// By which model a bot is searched, and how far others have come with its knowledge
    Show {
        /// The tenant's id
        tenant: String,
        /// The bot's id
        bot: String,
    },
    /// Compare what is used now with a model, on the bot's newest questions that were answered from knowledge
    Compare {
        /// The tenant's id
        tenant: String,
        /// The bot's id
        bot: String,
        /// The model, or `words`
        model: String,
    },
    /// Search a bot by a model from now on, and stay with it
    Switch {
        /// The tenant's id
        tenant: String,
        /// The bot's id
        bot: String,
        /// The model, or `words`
        model: String,
        /// Do not stay with it: take up the next model when it is ready
        #[arg(long)]
        release: bool,
    },
}

fn plan(word: &str) -> Result<Plan, String> {
    Plan::parse(word).ok_or_else(|| {
        format!(
            "one of: {}",
            Plan::ALL
                .iter()
                .map(|plan| plan.as_str())
                .collect::<Vec<_>>()
                .join(", ")
        )
    })
}

/// The command by which the server starts its own program to read an uploaded file.
pub(crate) const EXTRACT: &str = "extract";

impl Cli {
    /// Runs the command to its end; answers the exit code that it asks for.
    ///
    /// # Errors
    /// What went wrong, for people; a [`SettingsError`] or [`StartError`] somewhere in it means that the
    /// program could not start.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        // Before anything else is there: no threads, no settings, no logs.
        if let Command::Extract { kind } = &self.command {
            return Ok(documents::isolated::child::run(kind));
        }
        tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()?
            .block_on(self.run_on_runtime())?;
        Ok(ExitCode::SUCCESS)
    }

    async fn run_on_runtime(self) -> anyhow::Result<()> {
        match self.command {
            Command::Extract { .. } => Ok(()),
            Command::Openapi => operations::openapi(),
            Command::Serve => serve::serve(&serving()?).await,
            Command::Demo => serve::demo(&serving()?).await,
            Command::Tenant(command) => {
                with_app(async |wired| tenants::run(command, &wired.app).await).await
            }
            Command::Key(command) => {
                with_app(async |wired| keys::run(command, &wired.app).await).await
            }
            Command::Embeddings(command) => {
                with_app(async |wired| embeddings::run(command, &wired.app).await).await
            }
            Command::Replay {
                tenant,
                bot,
                limit,
                json,
            } => {
                with_app(async |wired| replay::run(&wired.app, &tenant, &bot, limit, json).await)
                    .await
            }
            Command::Migrate => operations::migrate(&Settings::load()?).await,
            Command::Doctor => operations::doctor(&Settings::load()?).await,
            Command::Backup { file } => operations::backup(&Settings::load()?, &file).await,
            Command::Restore { file, force } => {
                operations::restore(&Settings::load()?, &file, force).await
            }
        }
    }
}

/// The settings of a server, which reads strangers' files by this program.
fn serving() -> Result<Settings, SettingsError> {
    Ok(Settings {
        // On Linux also when the program's file was replaced meanwhile.
        extractor: Some(PathBuf::from("/proc/self/exe"))
            .filter(|own| own.exists())
            .or_else(|| std::env::current_exe().ok()),
        ..Settings::load()?
    })
}

/// Whether this is a start that could not be, because of a setting or of what a setting names.
pub fn is_start_error(error: &anyhow::Error) -> bool {
    error
        .chain()
        .any(|cause| cause.is::<SettingsError>() || cause.is::<StartError>())
}

/// Puts the product together for one command, beside a running server or without one.
async fn with_app(command: impl AsyncFnOnce(&Wired) -> anyhow::Result<()>) -> anyhow::Result<()> {
    let settings = Settings::load()?;
    let wired = wiring::wire(&settings).await?;
    let result = command(&wired).await;
    wired.stores.close().await;
    result
}
