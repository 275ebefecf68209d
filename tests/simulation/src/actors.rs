//! Who acts in a history: shoppers, the operator, and the person whom the alarms call. Actors ask the HTTP functions through a
//! caller and note what they were told; they write no item.

mod caller;
pub(crate) mod operator;
pub(crate) mod person;
pub(crate) mod shoppers;
