//! Chromium by `WebDriver` (<https://www.w3.org/TR/webdriver2/>): the part that the tests need, over HTTP.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use reqwest::{Client, Method};
use serde_json::{Value, json};

/// The programs, in Debian's packages of the same names but for `chromedriver`, which is in `chromium-driver`.
const DRIVER: &str = "chromedriver";
/// The member of an element's JSON that has its id, as the standard fixes it.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";
/// How long a page may take until it shows something.
const WITHIN: Duration = Duration::from_secs(30);
/// How often a page is looked at.
const LOOK: Duration = Duration::from_millis(50);

/// A window of a browser of its own.
pub(crate) struct Browser {
    driver: Child,
    client: Client,
    session: String,
}

impl Browser {
    /// Starts Chromium, without a window on the screen.
    pub(crate) async fn start() -> Self {
        let started = Command::new(DRIVER).args(["--port=0"]).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        let mut driver = started.unwrap_or_else(|error| {
            panic!("{DRIVER}: {error}. Install Chromium and its driver (Debian: apt-get install chromium chromium-driver)")
        });
        let lines = BufReader::new(driver.stdout.take().unwrap()).lines();
        let port = lines.map_while(Result::ok).find_map(|line| {
            let (_, port) = line.split_once("started successfully on port ")?;
            port.trim_end_matches('.').parse::<u16>().ok()
        });
        let port = port.unwrap_or_else(|| panic!("{DRIVER} tells no port"));
        let client = Client::builder().no_proxy().build().unwrap();
        // As root, Chromium has no sandbox.
        let options = json!({"args": ["--headless=new", "--no-sandbox", "--disable-dev-shm-usage"]});
        let asked = json!({"capabilities": {"alwaysMatch": {"goog:chromeOptions": options}}});
        let mut browser = Self { driver, client, session: format!("http://127.0.0.1:{port}/session") };
        let answer = browser.call(Method::POST, "", &asked).await;
        let id = answer["sessionId"].as_str().unwrap_or_else(|| panic!("no session: {answer}")).to_owned();
        browser.session = format!("{}/{id}", browser.session);
        browser
    }

    /// Opens an address.
    pub(crate) async fn open(&self, url: &str) {
        self.call(Method::POST, "/url", &json!({"url": url})).await;
    }

    /// Clicks on the first element that this selector finds, as soon as there is one that can be clicked.
    pub(crate) async fn click(&self, selector: &str) {
        let clicked = async || {
            let element = self.element(selector).await?;
            let answer = self.call(Method::POST, &format!("/element/{element}/click"), &json!({})).await;
            answer.is_null().then_some(())
        };
        self.eventually(&format!("an element {selector} that can be clicked"), clicked).await;
    }

    /// A property of the first element that this selector finds, as soon as it is a text that is not empty.
    pub(crate) async fn text_of(&self, selector: &str, property: &str) -> String {
        let read = async || {
            let element = self.element(selector).await?;
            let answer = self.call(Method::GET, &format!("/element/{element}/property/{property}"), &Value::Null).await;
            answer.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
        };
        self.eventually(&format!("{property} of {selector}"), read).await
    }

    async fn element(&self, selector: &str) -> Option<String> {
        let found = self.call(Method::POST, "/element", &json!({"using": "css selector", "value": selector})).await;
        found[ELEMENT].as_str().map(str::to_owned)
    }

    async fn eventually<T>(&self, what: &str, look: impl AsyncFn() -> Option<T>) -> T {
        let begun = Instant::now();
        loop {
            if let Some(found) = look().await {
                return found;
            }
            assert!(begun.elapsed() < WITHIN, "no {what} within {WITHIN:?}: {}", self.source().await);
            tokio::time::sleep(LOOK).await;
        }
    }

    /// The page as it is now.
    async fn source(&self) -> String {
        self.call(Method::GET, "/source", &Value::Null).await.as_str().unwrap_or_default().to_owned()
    }

    /// The value of the answer; of a failure, an object with `error`.
    async fn call(&self, method: Method, path: &str, input: &Value) -> Value {
        let request = self.client.request(method.clone(), format!("{}{path}", self.session));
        let request = if method == Method::POST { request.json(input) } else { request };
        let mut answer: Value = request.send().await.unwrap().json().await.unwrap();
        answer["value"].take()
    }
}

impl Drop for Browser {
    /// Ends the browser, then its driver. Also after a failure: a driver that is killed leaves its browser running.
    fn drop(&mut self) {
        _ = self.delete_session();
        _ = self.driver.kill();
        _ = self.driver.wait();
    }
}

impl Browser {
    /// Without a runtime: the test may be over.
    fn delete_session(&self) -> std::io::Result<()> {
        let (address, path) = self.session.trim_start_matches("http://").split_once('/').unwrap_or_default();
        let mut connection = TcpStream::connect(address)?;
        connection.set_read_timeout(Some(WITHIN))?;
        write!(connection, "DELETE /{path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n")?;
        // The driver answers when the browser has ended, and keeps the connection.
        connection.read(&mut [0; 1_024]).map(drop)
    }
}
