//! The description of one route.

use kit::ProblemKind;
use utoipa::ToSchema;

use crate::{description::TypeSchema, problems, schemas};

/// The methods that routes have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Method {
    /// Reads.
    Get,
    /// Acts, or creates a thing whose name the server chooses.
    Post,
    /// Creates or replaces a thing whose name is in the path.
    Put,
    /// Ends the thing that the path names.
    Delete,
}

impl Method {
    /// The method in a request line: `GET`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
        }
    }
}

/// The callers that a route is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// Anyone, without a token.
    Anyone,
    /// Shoppers: a token of the customers' issuer is required.
    Shoppers,
    /// Operators: a token of the operators' issuer is required, whose groups include [`crate::OPERATORS`].
    Operators,
    /// Payment providers, without a token: they sign what they send.
    Providers,
}

impl Group {
    /// The name of the group in documents: `shoppers`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Anyone => "anyone",
            Self::Shoppers => "shoppers",
            Self::Operators => "operators",
            Self::Providers => "providers",
        }
    }

    /// Whether a request needs a token.
    #[must_use]
    pub fn needs_token(self) -> bool {
        match self {
            Self::Shoppers | Self::Operators => true,
            Self::Anyone | Self::Providers => false,
        }
    }
}

/// Where a parameter is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// Between two slashes of the path, always required.
    Path,
    /// After the `?`, as `name=value`.
    Query,
    /// A header of the request.
    Header,
}

/// A parameter of a route, as `docs/openapi.json` shows it.
#[derive(Debug, Clone)]
pub struct Parameter {
    /// As clients write it, such as `product_id` or `Idempotency-Key`.
    pub name: &'static str,
    /// The part of the request that has it.
    pub place: Place,
    /// The function refuses a request without it.
    pub is_required: bool,
    /// The description for clients.
    pub says: &'static str,
    /// Its schema.
    pub schema: TypeSchema,
}

/// A JSON body of a request.
#[derive(Debug, Clone)]
pub struct Body {
    /// The function refuses a request without it.
    pub is_required: bool,
    /// Its schema.
    pub schema: TypeSchema,
}

/// A successful answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The description for clients.
    pub says: &'static str,
    /// The schema of the JSON body. `None`: the answer has no body.
    pub schema: Option<TypeSchema>,
    /// The answer has the header `Location`.
    pub has_location: bool,
    /// The answer may have the headers `RateLimit` and `RateLimit-Policy`.
    pub has_rate_limit: bool,
    /// The answer is CSV for a client that accepts it, and its header `Link` then leads to the next page.
    pub may_be_csv: bool,
}

/// One route: a method of a path, with its request, answers and refusals.
#[derive(Debug, Clone)]
pub struct Route {
    /// The HTTP method.
    pub method: Method,
    /// The path as in API Gateway, with parameters in braces.
    pub path: &'static str,
    /// The function that answers.
    pub function: &'static str,
    /// The route's unique name, `operationId` in the generated description.
    pub name: &'static str,
    /// The callers that a route is for.
    pub group: Group,
    /// What the route does, in one line.
    pub says: &'static str,
    /// Those of the path first, then those of the query and the headers in the order of the route table.
    pub parameters: Vec<Parameter>,
    /// The request's body. `None`: the function reads none.
    pub body: Option<Body>,
    /// The function reads a body as bytes, whatever its type: a provider's event.
    pub takes_bytes: bool,
    /// Its successful answers, in the order of the route table.
    pub answers: Vec<Answer>,
    /// The refusals that are its own. [`Route::problems`] adds those of its group and of all routes.
    pub refusals: Vec<ProblemKind>,
}

impl Route {
    /// A route that the function of the same name answers, unless [`Route::by`] names another.
    pub(crate) fn new(group: Group, method: Method, path: &'static str, name: &'static str, says: &'static str) -> Self {
        let parameters = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')).map(path_parameter);
        let parameters = parameters.collect();
        let (answers, refusals) = (Vec::new(), Vec::new());
        Self { method, path, function: name, name, group, says, parameters, body: None, takes_bytes: false, answers, refusals }
    }

    /// The function that answers.
    pub(crate) fn by(mut self, function: &'static str) -> Self {
        self.function = function;
        self
    }

    /// Adds a parameter of the query.
    pub(crate) fn query(mut self, name: &'static str, schema: TypeSchema, is_required: bool, says: &'static str) -> Self {
        self.parameters.push(Parameter { name, place: Place::Query, is_required, says, schema });
        self
    }

    /// Adds a header that the function reads.
    pub(crate) fn header(mut self, name: &'static str, schema: TypeSchema, is_required: bool, says: &'static str) -> Self {
        self.parameters.push(Parameter { name, place: Place::Header, is_required, says, schema });
        self
    }

    /// Adds a required body.
    pub(crate) fn takes<T: ToSchema>(mut self) -> Self {
        self.body = Some(Body { is_required: true, schema: TypeSchema::of::<T>() });
        self
    }

    /// Adds an optional body.
    pub(crate) fn may_take<T: ToSchema>(mut self) -> Self {
        self.body = Some(Body { is_required: false, schema: TypeSchema::of::<T>() });
        self
    }

    /// The function reads the body as bytes.
    pub(crate) fn takes_bytes(mut self) -> Self {
        self.takes_bytes = true;
        self
    }

    /// Adds a success with a body.
    pub(crate) fn answers<T: ToSchema>(mut self, status: u16, says: &'static str) -> Self {
        self.answers.push(Answer {
            status,
            says,
            schema: Some(TypeSchema::of::<T>()),
            has_location: false,
            has_rate_limit: false,
            may_be_csv: false,
        });
        self
    }

    /// Adds the success 204, which has no body.
    pub(crate) fn answers_nothing(mut self, says: &'static str) -> Self {
        self.answers.push(Answer {
            status: 204,
            says,
            schema: None,
            has_location: false,
            has_rate_limit: false,
            may_be_csv: false,
        });
        self
    }

    /// Gives the successes added so far a `Location`.
    pub(crate) fn with_location(mut self) -> Self {
        self.answers.iter_mut().for_each(|answer| answer.has_location = true);
        self
    }

    /// Gives the successes added so far a `RateLimit`.
    pub(crate) fn with_rate_limit(mut self) -> Self {
        self.answers.iter_mut().for_each(|answer| answer.has_rate_limit = true);
        self
    }

    /// Makes the successes added so far CSV for a client that accepts it.
    pub(crate) fn or_csv(mut self) -> Self {
        self.answers.iter_mut().for_each(|answer| answer.may_be_csv = true);
        self
    }

    /// Adds refusals.
    pub(crate) fn refuses(mut self, kinds: &[ProblemKind]) -> Self {
        self.refusals.extend(kinds);
        self
    }

    /// Every refusal of the route: its own, those of its group and of its body, and those of all routes.
    #[must_use]
    pub fn problems(&self) -> Vec<ProblemKind> {
        let signed_in: &[ProblemKind] = match self.group {
            Group::Providers => &[],
            // FORBIDDEN: the request did not come through the stack at the edge.
            Group::Anyone => &[ProblemKind::FORBIDDEN],
            Group::Shoppers | Group::Operators => &[ProblemKind::UNAUTHENTICATED, ProblemKind::FORBIDDEN],
        };
        let body: &[ProblemKind] = match self.body {
            None if self.takes_bytes => &[ProblemKind::BODY_TOO_LARGE],
            None => &[],
            Some(_) => &[
                ProblemKind::MALFORMED_REQUEST,
                ProblemKind::CARD_DATA,
                ProblemKind::BODY_TOO_LARGE,
                ProblemKind::UNSUPPORTED_MEDIA_TYPE,
            ],
        };
        let mut kinds = [&self.refusals, signed_in, body, &EVERYWHERE].concat();
        kinds.sort_by_key(|kind| (kind.status, kind.code));
        kinds.dedup_by_key(|kind| (kind.status, kind.code));
        kinds
    }
}

/// Refusals of all routes: the API's throttle, a failure that does not pass, and one that does.
const EVERYWHERE: [ProblemKind; 3] = [problems::RATE_LIMITED, ProblemKind::INTERNAL_ERROR, ProblemKind::TRY_AGAIN];

/// The parameter in braces in a path.
fn path_parameter(name: &'static str) -> Parameter {
    let (schema, says) = match name {
        "order_id" => (TypeSchema::of::<schemas::OrderId>(), "The order."),
        "reservation_id" => (TypeSchema::of::<schemas::ReservationId>(), "The reservation."),
        "product_id" => (TypeSchema::of::<schemas::ProductId>(), "The product on sale."),
        // Any text. A test says that no route has such a parameter.
        _ => (TypeSchema::inline::<String>(), ""),
    };
    Parameter { name, place: Place::Path, is_required: true, says, schema }
}
