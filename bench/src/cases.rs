//! The cases, in the order of the table.

use std::fmt;

use clap::ValueEnum;

use crate::{
    load::Traffic,
    stage::{BARE, RUSH, SOLD_OUT},
};

/// Shoppers who ask again in [`Case::Repeat`].
pub const WINNERS: u64 = 8;

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Case {
    /// A `lambda_http` handler that does nothing: what the Lambda runtime costs.
    Empty,
    /// `reserve` when the sale is sold out.
    SoldOut,
    /// The three writes of a reservation, sent by the SDK from the empty handler: the limit for a winner.
    Writes,
    /// `reserve` when every shopper wins.
    Winner,
    /// `reserve` when winners ask again and again.
    Repeat,
}

/// The program that serves a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Program {
    /// The yardsticks of this folder.
    Yardsticks,
    /// The product's bootstrap.
    Shoppers,
}

impl Case {
    /// All cases.
    pub const ALL: [Self; 5] = [Self::Empty, Self::SoldOut, Self::Writes, Self::Winner, Self::Repeat];

    /// The program, and the `Handler` that it serves.
    #[must_use]
    pub fn program(self) -> (Program, &'static str) {
        match self {
            Self::Empty => (Program::Yardsticks, "empty"),
            Self::Writes => (Program::Yardsticks, "writes"),
            Self::SoldOut | Self::Winner | Self::Repeat => (Program::Shoppers, "reserve"),
        }
    }

    /// The requests.
    #[must_use]
    pub fn traffic(self) -> Traffic {
        match self {
            Self::Empty | Self::SoldOut => Traffic::of_new_shoppers(SOLD_OUT),
            Self::Writes => Traffic::of_new_shoppers(BARE),
            Self::Winner => Traffic::of_new_shoppers(RUSH),
            Self::Repeat => Traffic::of_shoppers(WINNERS, RUSH),
        }
    }

    /// The status of every answer, without the first [`WINNERS`] of [`Case::Repeat`], who win.
    #[must_use]
    pub fn status(self) -> u16 {
        match self {
            Self::Empty | Self::Repeat => 200,
            Self::Writes | Self::Winner => 201,
            Self::SoldOut => 409,
        }
    }

    /// Whether another server can be sent the same requests.
    #[must_use]
    pub fn is_for_peers(self) -> bool {
        matches!(self.program().0, Program::Shoppers)
    }

    /// The name on the command line and in JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::SoldOut => "sold-out",
            Self::Writes => "writes",
            Self::Winner => "winner",
            Self::Repeat => "repeat",
        }
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Empty => "empty handler",
            Self::SoldOut => "reserve, sold out",
            Self::Writes => "bare writes",
            Self::Winner => "reserve, winning",
            Self::Repeat => "reserve, winner again",
        })
    }
}
