//! The actors of a history: shoppers, the operators, and the person whom the alarms call. Actors call the HTTP functions
//! through a caller and record the answers. They write no item.

mod caller;
pub(crate) mod operator;
pub(crate) mod person;
pub(crate) mod refunder;
pub(crate) mod shoppers;
