//! One batch, one transaction, one commit.

use super::account_work::Decision;
use super::batch::Batch;
use super::{AccountWork, Ticket};
use crate::clock::{new_id, now_ms};
use crate::store::{Failure, Transaction, end_if_unsafe, facts, plan_rows};
use rusqlite::Connection;
use std::sync::Arc;
use suda_engine::journal::{Answer, Committed};
use suda_engine::{Entry, Journal, Plan, Refusal};

/// What is to be handed out after a batch.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub(super) answers: Vec<Answer<Ticket>>,
    pub(super) entries: Vec<Arc<Entry>>,
}

/// Writes the batch. Accounts' askers are answered here; what the workers are to get is given back.
pub(super) fn commit(
    connection: &mut Connection,
    journal: &mut Journal<Ticket>,
    batch: Batch,
) -> Outcome {
    let Batch {
        mut drafts,
        accounts,
        ..
    } = batch;
    let (drafts_count, accounts_count) = (drafts.len(), accounts.len());
    let mut plan = None;
    match write(connection, journal, &accounts, &mut drafts, &mut plan) {
        Ok(decisions) => {
            answer_accounts(accounts, decisions.into_iter().map(Ok));
            let Some(plan) = plan else {
                return Outcome::default();
            };
            let Committed { answers, entries } = journal.committed(plan);
            Outcome { answers, entries }
        }
        Err(error) => {
            end_if_unsafe(&error);
            let failure = Failure::of(&error);
            tracing::error!(%error, drafts = drafts_count, accounts = accounts_count, "a batch was rolled back");
            answer_accounts(accounts, std::iter::repeat(Err(failure.code())));
            let refusal = Refusal::new(failure.code());
            let answers = match plan {
                Some(plan) => journal.rolled_back(plan, refusal),
                // Not even planned: SQLite could not read.
                None => drafts
                    .into_iter()
                    .map(|(ticket, draft)| Answer {
                        ticket,
                        reply: refusal.reply(draft.command_id),
                    })
                    .collect(),
            };
            Outcome {
                answers,
                ..Outcome::default()
            }
        }
    }
}

/// Everything that can fail. On an error the transaction is rolled back: SQLite knows no commit of unknown outcome but
/// a failed fsync, which ends the process.
fn write(
    connection: &mut Connection,
    journal: &mut Journal<Ticket>,
    accounts: &[AccountWork],
    drafts: &mut Vec<(Ticket, suda_engine::Draft)>,
    planned: &mut Option<Plan<Ticket>>,
) -> rusqlite::Result<Vec<Decision>> {
    let now = now_ms();
    let transaction = Transaction::begin(connection)?;
    let mut own = Vec::new();
    let decisions = accounts
        .iter()
        .map(|account| account.apply(&transaction, now, &mut own))
        .collect::<rusqlite::Result<Vec<_>>>()?;
    drafts.extend(own.into_iter().map(|draft| (Ticket::Nobody, draft)));
    if !drafts.is_empty() {
        let facts = facts::facts(&transaction, &journal.lookup(drafts))?;
        let plan = journal.plan(now, std::mem::take(drafts), facts, &mut new_id);
        // Kept by the caller from here on: whatever happens, the journal has to be told what became of it.
        plan_rows::write(&transaction, planned.insert(plan))?;
    }
    transaction.commit()?;
    Ok(decisions)
}

fn answer_accounts(
    accounts: Vec<AccountWork>,
    outcomes: impl Iterator<Item = Result<Decision, suda_protocol::ErrorCode>>,
) {
    for (account, outcome) in accounts.into_iter().zip(outcomes) {
        account.answer(outcome);
    }
}
