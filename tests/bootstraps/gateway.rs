//! A proxy between one function and AWS. It forwards the calls that the function's policy grants and refuses all others as IAM
//! does. It records both.
//!
//! The emulator checks no permissions. Without the proxy, a policy that lacks an action would fail on AWS only.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, BufRead, BufReader, Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
};

use serde_json::Value;
use system_tests::{Repository, permissions};

/// Resource and action.
type Call = (String, String);

/// The proxy that one function calls instead of AWS.
pub(crate) struct Gateway {
    address: SocketAddr,
    policy: Arc<Policy>,
    closed: Arc<AtomicBool>,
    server: JoinHandle<()>,
}

struct Policy {
    function: String,
    granted: BTreeSet<Call>,
    /// Logical ids by table name, queue URL or ARN.
    resources: BTreeMap<String, &'static str>,
    calls: Mutex<BTreeSet<Call>>,
    refused: Mutex<Vec<String>>,
}

impl Gateway {
    /// Opens a local port that forwards to `endpoint` with the permissions of `function`.
    pub(crate) fn open(endpoint: &str, function: &str, names: &BTreeMap<&'static str, String>, repository: &Repository) -> Self {
        let (all, _) = permissions::read(&repository.documents[Path::new(permissions::DOCUMENT)]);
        let own = all.into_iter().filter(|((name, _), _)| name == function);
        let policy = Arc::new(Policy {
            function: function.to_owned(),
            granted: own
                .flat_map(|((_, resource), actions)| actions.into_iter().map(move |action| (resource.clone(), action)))
                .collect(),
            resources: names.iter().map(|(id, name)| (name.clone(), *id)).collect(),
            calls: Mutex::default(),
            refused: Mutex::default(),
        });
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let upstream = endpoint.trim_start_matches("http://").trim_end_matches('/').to_owned();
        let closed = Arc::new(AtomicBool::new(false));
        let server = thread::spawn({
            let (policy, closed) = (Arc::clone(&policy), Arc::clone(&closed));
            move || {
                for client in listener.incoming().flatten() {
                    if closed.load(Ordering::Relaxed) {
                        return;
                    }
                    let (policy, upstream) = (Arc::clone(&policy), upstream.clone());
                    // Either side may close the connection at any time. The SDK then tries again.
                    thread::spawn(move || pass(&client, &upstream, &policy));
                }
            }
        });
        Self { address, policy, closed, server }
    }

    /// The URL of the proxy, for the function's SDK.
    pub(crate) fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Stops the proxy. Returns the granted calls, and a message for each refused one.
    pub(crate) fn close(self) -> (BTreeSet<Call>, Vec<String>) {
        self.closed.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect(self.address); // wakes the server
        let _ = self.server.join();
        (std::mem::take(&mut self.policy.calls.lock().unwrap()), std::mem::take(&mut self.policy.refused.lock().unwrap()))
    }
}

/// Serves one request, then closes the connection.
fn pass(client: &TcpStream, upstream: &str, policy: &Policy) -> io::Result<()> {
    let mut reader = BufReader::new(client.try_clone()?);
    let (mut head, mut target, mut length) = (String::new(), String::new(), 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        if line == "\r\n" {
            break;
        }
        let (name, value) =
            line.split_once(':').map_or((String::new(), ""), |(name, value)| (name.to_ascii_lowercase(), value.trim()));
        match name.as_str() {
            "x-amz-target" => value.clone_into(&mut target),
            "content-length" => length = value.parse().unwrap_or(0),
            "connection" => continue,
            _ => {}
        }
        head.push_str(&line);
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let mut client = client.try_clone()?;
    if let Err(refusal) = policy.admit(&target, &body) {
        let answer = format!(r#"{{"__type":"com.amazon.coral.service#AccessDeniedException","message":"{refusal}"}}"#);
        return write!(
            client,
            "HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-type: application/x-amz-json-1.0\r\ncontent-length: {}\r\n\r\n{answer}",
            answer.len()
        );
    }
    let mut server = TcpStream::connect(upstream)?;
    write!(server, "{head}connection: close\r\n\r\n")?;
    server.write_all(&body)?;
    io::copy(&mut server, &mut client).map(|_| ())
}

impl Policy {
    fn admit(&self, target: &str, body: &[u8]) -> Result<(), String> {
        for call in self.calls_of(target, body) {
            let (resource, action) = &call;
            if !self.granted.contains(&call) {
                let refusal = format!("{} may not {action} on {resource}", self.function);
                self.refused.lock().unwrap().push(refusal.clone());
                return Err(refusal);
            }
            self.calls.lock().unwrap().insert(call);
        }
        Ok(())
    }

    /// The actions that a request needs, each with its resource.
    fn calls_of(&self, target: &str, body: &[u8]) -> Vec<Call> {
        let input: Value = serde_json::from_slice(body).unwrap_or_default();
        let (service, operation) = target.rsplit_once('.').unwrap_or_default();
        let on = |name: &Value| self.resource(name.as_str().unwrap_or_default());
        match service {
            "DynamoDB_20120810" => self.calls_of_dynamodb(operation, &input),
            // A batch needs the action of its parts.
            "AmazonSQS" => vec![(on(&input["QueueUrl"]), format!("sqs:{}", operation.trim_end_matches("Batch")))],
            "AWSStepFunctions" => match input["executionArn"].as_str() {
                Some(execution) => {
                    let machine = execution.rsplit_once(':').unwrap_or_default().0.replace(":execution:", ":stateMachine:");
                    vec![(format!("{} executions", self.resource(&machine)), format!("states:{operation}"))]
                }
                None => vec![(on(&input["stateMachineArn"]), format!("states:{operation}"))],
            },
            "secretsmanager" => vec![(on(&input["SecretId"]), format!("secretsmanager:{operation}"))],
            "AWSEvents" => {
                let entries = input["Entries"].as_array().into_iter().flatten();
                entries.map(|entry| (on(&entry["EventBusName"]), format!("events:{operation}"))).collect()
            }
            // The SDK sends SNS requests as forms.
            _ => {
                let form = String::from_utf8_lossy(body).replace("%3A", ":");
                let value = |name: &str| form.split('&').find_map(|pair| pair.strip_prefix(name)).unwrap_or_default().to_owned();
                vec![(self.resource(&value("TopicArn=")), format!("sns:{}", value("Action=")))]
            }
        }
    }

    fn calls_of_dynamodb(&self, operation: &str, input: &Value) -> Vec<Call> {
        if let Some(tables) = input["RequestItems"].as_object() {
            return tables.keys().map(|table| (self.resource(table), format!("dynamodb:{operation}"))).collect();
        }
        if let Some(parts) = input["TransactItems"].as_array() {
            let members = parts.iter().filter_map(Value::as_object).flatten();
            return members
                .map(|(kind, part)| {
                    let action = if kind == "ConditionCheck" {
                        "dynamodb:ConditionCheckItem".to_owned()
                    } else {
                        format!("dynamodb:{kind}Item")
                    };
                    (self.resource(part["TableName"].as_str().unwrap_or_default()), action)
                })
                .collect();
        }
        let table = self.resource(input["TableName"].as_str().unwrap_or_default());
        let resource = input["IndexName"].as_str().map_or(table.clone(), |index| format!("{table}/index/{index}"));
        vec![(resource, format!("dynamodb:{operation}"))]
    }

    fn resource(&self, name: &str) -> String {
        self.resources.get(name).map_or_else(|| format!("unknown resource {name:?}"), |id| (*id).to_owned())
    }
}

#[test]
fn a_call_needs_the_actions_of_all_its_parts() {
    let names = BTreeMap::from([
        ("StockTable", "stock".to_owned()),
        ("OrderTable", "order".to_owned()),
        ("OrdersQueue", "http://q".to_owned()),
        ("ExpiryQueue", "http://e".to_owned()),
        ("OrderEventsBus", "b".to_owned()),
        ("ChallengeSecret", "c".to_owned()),
    ]);
    let policy = Policy {
        function: "test".to_owned(),
        granted: [
            ("OrderTable", "dynamodb:PutItem"),
            ("OrderTable/index/shopper-index", "dynamodb:Query"),
            ("ExpiryQueue", "sqs:SendMessage"),
            ("NotificationsTopic", "sns:Publish"),
            ("PaymentSaga executions", "states:DescribeExecution"),
            ("OrderEventsBus", "events:PutEvents"),
            ("ChallengeSecret", "secretsmanager:GetSecretValue"),
        ]
        .map(|(resource, action)| (resource.to_owned(), action.to_owned()))
        .into(),
        resources: names
            .iter()
            .map(|(id, name)| (name.clone(), *id))
            .chain([("arn:aws:sns:t".to_owned(), "NotificationsTopic")])
            .chain([("arn:aws:states:r:1:stateMachine:m".to_owned(), "PaymentSaga")])
            .collect(),
        calls: Mutex::default(),
        refused: Mutex::default(),
    };
    let admit = |target: &str, body: &str| policy.admit(target, body.as_bytes()).is_ok();
    let dynamodb = |operation: &str, body: &str| admit(&format!("DynamoDB_20120810.{operation}"), body);
    assert!(admit("secretsmanager.GetSecretValue", r#"{"SecretId":"c"}"#));
    assert!(!admit("secretsmanager.GetSecretValue", r#"{"SecretId":"other"}"#));
    assert!(dynamodb("PutItem", r#"{"TableName":"order"}"#));
    assert!(!dynamodb("GetItem", r#"{"TableName":"order"}"#));
    assert!(!dynamodb("PutItem", r#"{"TableName":"stock"}"#));
    assert!(!dynamodb("PutItem", r#"{"TableName":"somebody-elses"}"#));
    assert!(dynamodb("Query", r#"{"TableName":"order","IndexName":"shopper-index"}"#));
    assert!(!dynamodb("Query", r#"{"TableName":"order"}"#));
    assert!(dynamodb("TransactWriteItems", r#"{"TransactItems":[{"Put":{"TableName":"order"}}]}"#));
    assert!(!dynamodb(
        "TransactWriteItems",
        r#"{"TransactItems":[{"Put":{"TableName":"order"}},{"Update":{"TableName":"order"}}]}"#
    ));
    assert!(!dynamodb("BatchGetItem", r#"{"RequestItems":{"stock":{}}}"#));
    assert!(!admit("AmazonSQS.SendMessage", r#"{"QueueUrl":"http://q"}"#));
    assert!(!admit("AmazonSQS.SendMessageBatch", r#"{"QueueUrl":"http://q"}"#));
    assert!(admit("AmazonSQS.SendMessageBatch", r#"{"QueueUrl":"http://e"}"#));
    assert!(admit("", "Action=Publish&TopicArn=arn%3Aaws%3Asns%3At&Message=x"));
    assert!(!admit("", "Action=DeleteTopic&TopicArn=arn%3Aaws%3Asns%3At"));
    assert!(admit("AWSEvents.PutEvents", r#"{"Entries":[{"EventBusName":"b"}]}"#));
    assert!(!admit("AWSEvents.PutEvents", r#"{"Entries":[{"EventBusName":"b"},{"EventBusName":"default"}]}"#));
    let states = |operation: &str, body: &str| admit(&format!("AWSStepFunctions.{operation}"), body);
    assert!(states("DescribeExecution", r#"{"executionArn":"arn:aws:states:r:1:execution:m:x"}"#));
    assert!(!states("DescribeExecution", r#"{"executionArn":"arn:aws:states:r:1:execution:another:x"}"#));
    assert!(!states("StartExecution", r#"{"stateMachineArn":"arn:aws:states:r:1:stateMachine:m"}"#));
    assert_eq!(policy.refused.lock().unwrap().len(), 13);
}
