//! What is known of one route.

use kit::ProblemKind;
use utoipa::ToSchema;

use crate::{description::Described, problems, schemas};

/// The methods that routes have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Method {
    /// Reads.
    Get,
    /// Does something.
    Post,
    /// Makes or changes a thing by its name.
    Put,
    /// Ends a thing.
    Delete,
}

impl Method {
    /// As it is written in a request: `GET`.
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

/// Who may ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// Anyone, without a token.
    Anyone,
    /// Whoever has signed in.
    Shoppers,
    /// Whoever has signed in and is in the group [`crate::OPERATORS`].
    Operators,
}

impl Group {
    /// Its name, as the routes are grouped by it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Anyone => "anyone",
            Self::Shoppers => "shoppers",
            Self::Operators => "operators",
        }
    }
}

/// Where a parameter is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// In the path.
    Path,
    /// In the query.
    Query,
    /// A header.
    Header,
}

/// A parameter.
#[derive(Debug, Clone)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// Where it is.
    pub place: Place,
    /// Without it the request is refused.
    pub is_required: bool,
    /// What clients are told.
    pub says: &'static str,
    /// What it looks like.
    pub schema: Described,
}

/// A JSON body of a request.
#[derive(Debug, Clone)]
pub struct Body {
    /// Without it the request is refused.
    pub is_required: bool,
    /// What it looks like.
    pub schema: Described,
}

/// A success.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// What clients are told.
    pub says: &'static str,
    /// What the JSON body looks like. `None`: there is none.
    pub schema: Option<Described>,
    /// `Location` says where the thing is.
    pub has_location: bool,
}

/// One route: a method of a path, and all that a client needs to know to use it.
#[derive(Debug, Clone)]
pub struct Route {
    /// The method.
    pub method: Method,
    /// The path as API Gateway has it, with parameters in braces.
    pub path: &'static str,
    /// The function that answers.
    pub function: &'static str,
    /// The route's own name.
    pub name: &'static str,
    /// Who may ask.
    pub group: Group,
    /// What it does, in a line.
    pub says: &'static str,
    /// Its parameters.
    pub parameters: Vec<Parameter>,
    /// The body that it reads, if it reads one.
    pub body: Option<Body>,
    /// How it succeeds.
    pub answers: Vec<Answer>,
    /// How it refuses, besides what all routes of its kind refuse: see [`Route::problems`].
    pub refusals: Vec<ProblemKind>,
}

impl Route {
    /// A route that is answered by the function of the same name, unless [`Route::by`] says otherwise.
    pub(crate) fn new(group: Group, method: Method, path: &'static str, name: &'static str, says: &'static str) -> Self {
        let parameters = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')).map(path_parameter);
        let parameters = parameters.collect();
        let (answers, refusals) = (Vec::new(), Vec::new());
        Self { method, path, function: name, name, group, says, parameters, body: None, answers, refusals }
    }

    /// The function that answers.
    pub(crate) fn by(mut self, function: &'static str) -> Self {
        self.function = function;
        self
    }

    /// A parameter of the query.
    pub(crate) fn query(mut self, name: &'static str, schema: Described, is_required: bool, says: &'static str) -> Self {
        self.parameters.push(Parameter { name, place: Place::Query, is_required, says, schema });
        self
    }

    /// A header that it reads.
    pub(crate) fn header(mut self, name: &'static str, schema: Described, is_required: bool, says: &'static str) -> Self {
        self.parameters.push(Parameter { name, place: Place::Header, is_required, says, schema });
        self
    }

    /// The body that it must have.
    pub(crate) fn takes<T: ToSchema>(mut self) -> Self {
        self.body = Some(Body { is_required: true, schema: Described::of::<T>() });
        self
    }

    /// The body that it may have.
    pub(crate) fn may_take<T: ToSchema>(mut self) -> Self {
        self.body = Some(Body { is_required: false, schema: Described::of::<T>() });
        self
    }

    /// A success with a body.
    pub(crate) fn answers<T: ToSchema>(mut self, status: u16, says: &'static str) -> Self {
        self.answers.push(Answer { status, says, schema: Some(Described::of::<T>()), has_location: false });
        self
    }

    /// A success with nothing to say.
    pub(crate) fn answers_nothing(mut self, says: &'static str) -> Self {
        self.answers.push(Answer { status: 204, says, schema: None, has_location: false });
        self
    }

    /// All successes so far have a `Location`.
    pub(crate) fn with_location(mut self) -> Self {
        self.answers.iter_mut().for_each(|answer| answer.has_location = true);
        self
    }

    /// Kinds of refusal.
    pub(crate) fn refuses(mut self, kinds: &[ProblemKind]) -> Self {
        self.refusals.extend(kinds);
        self
    }

    /// Every way to be refused: the route's own, those of its group, of its body, and those of all routes.
    #[must_use]
    pub fn problems(&self) -> Vec<ProblemKind> {
        let signed_in: &[ProblemKind] = match self.group {
            Group::Anyone => &[],
            Group::Shoppers => &[ProblemKind::UNAUTHENTICATED],
            Group::Operators => &[ProblemKind::UNAUTHENTICATED, ProblemKind::FORBIDDEN],
        };
        let body: &[ProblemKind] = match self.body {
            None => &[],
            Some(_) => &[ProblemKind::MALFORMED_REQUEST, ProblemKind::BODY_TOO_LARGE, ProblemKind::UNSUPPORTED_MEDIA_TYPE],
        };
        let mut kinds = [&self.refusals, signed_in, body, &EVERYWHERE].concat();
        kinds.sort_by_key(|kind| (kind.status, kind.code));
        kinds.dedup_by_key(|kind| (kind.status, kind.code));
        kinds
    }
}

/// The API's throttle, a failure that passes, and one that is ours.
const EVERYWHERE: [ProblemKind; 3] = [problems::RATE_LIMITED, ProblemKind::INTERNAL_ERROR, ProblemKind::TRY_AGAIN];

/// What stands in braces in a path.
fn path_parameter(name: &'static str) -> Parameter {
    let (schema, says) = match name {
        "order_id" => (Described::of::<schemas::OrderId>(), "The order."),
        "reservation_id" => (Described::of::<schemas::ReservationId>(), "The reservation."),
        "product_id" => (Described::of::<schemas::ProductId>(), "The product on sale."),
        // Any text. A test says that no route has such a parameter.
        _ => (Described::inline::<String>(), ""),
    };
    Parameter { name, place: Place::Path, is_required: true, says, schema }
}
