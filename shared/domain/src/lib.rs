//! The rules of a flash sale, without AWS, HTTP or async.
//!
//! Every rule that decides who gets a unit is in this crate and is a plain function of its arguments: time is a
//! [`Timestamp`], randomness comes through [`Randomness`]. `store` expresses these rules as DynamoDB expressions; the
//! property tests of both crates compare the two.

mod accounts;
mod address;
mod admission;
mod availability;
mod card_number;
mod clock;
mod cooling;
mod exhausted;
mod ids;
mod layout;
mod loser_memory;
mod memory;
mod money;
mod order;
mod pace;
mod payment;
mod quantity;
mod refund;
mod report;
mod reservation;
mod restock;
mod sale;
mod sale_times;
#[cfg(test)]
mod samples;
mod status_change;
mod stock;
mod text;
mod text_form;

pub use accounts::{Account, AccountError, Accounts, Provider};
pub use address::{Address, AddressError};
pub use admission::{
    Admission, Allowance, BucketEmpty, Challenge, ChallengeKey, ChallengeKeys, ChallengeRate, DrawSeed, NotYetAdmitted,
    ProofOfWork, Rank, ShopperRate, SignedChallenge, Solution, SolutionFault, TokenBucket,
};
pub use availability::{Availability, Coverage};
pub use card_number::has_card_number;
pub use clock::{Clock, Randomness, ceil_to_second, floor_to_second, seconds_until, to_the_millisecond};
pub use cooling::UnpaidEnds;
pub use exhausted::Exhausted;
pub use ids::{IdError, OrderId, ProductId, ReservationId, ShopperId};
pub use jiff::{SignedDuration, Timestamp};
pub use layout::{Extent, ShardLayout, UNITS_PER_SHARD};
pub use loser_memory::{LoserMemory, MemoryLimits};
pub use memory::{BELIEVED_FOR, Memory, is_believed};
pub use money::{Currency, Money, MoneyError};
pub use order::{Notice, Order, OrderEvent, OrderLine, OrderStatus, OrderStep, PaymentStatus, StockStatus};
pub use pace::{Breaker, PaymentRate, Verdict};
pub use payment::{
    Action, Attempt, AttemptStatus, CaptureOutcome, ChargeOutcome, GatewayName, IdempotencyKey, IdempotencyKeyError, LateMoney,
    PartOutcome, PaymentMethod, PaymentMethodError, RefundOutcome, SandboxMethod, Waiting,
};
pub use quantity::{Quantity, QuantityError};
pub use refund::{Refund, RefundKey, RefundKeyError, RefundRefusal, RefundRequest, RefundStatus, Refunds};
pub use report::{Place, SaleReport, Tally};
pub use reservation::{MIN_TIME_TO_PAY, Reservation, ReservationStatus};
pub use restock::{RestockKey, RestockKeyError};
pub use sale::{NotReservable, Sale, SaleDraft, SaleError, SaleState, SaleStatus};
pub use status_change::{NotChangeable, StatusChange};
pub use stock::{ClaimOutcome, Hold, ReleaseOutcome, SellOutcome, ShardNumber, Sold, StockShard, TakeBackOutcome};
