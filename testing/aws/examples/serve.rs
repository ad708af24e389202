//! Serves the stack of template.yaml over HTTP: `cargo run -p almacen-testing-aws --example serve -- 4599`.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use almacen_testing_aws::serve::serve;
use almacen_testing_aws::{Caller, Cloud, NoFaults, Settings, Stack};

type Failure = Box<dyn std::error::Error>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let port: u16 = std::env::args().nth(1).unwrap_or_default().parse()?;
    let stack = Stack::read(include_str!("../../../template.yaml"), &BTreeMap::new())?;
    let start = u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis())?;
    let cloud = Cloud::new(stack, Settings { latency: 0, ..Settings::default() }, 1, start);
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
    Ok(serve(listener, cloud, Caller::operator("operator"), Arc::new(NoFaults)).await?)
}
