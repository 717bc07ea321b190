// Connects with the Rust driver and does what it is told; see ../../README.md. The version of the
// protocol it cannot choose: the driver has one only.
use std::collections::{HashMap, HashSet};
use std::error::Error;
use std::io::BufRead;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::crypto::ring;
use rustls::pki_types::{pem::PemObject, CertificateDer};
use rustls::{ClientConfig, RootCertStore};
use scylla::client::session::Session;
use scylla::client::session_builder::SessionBuilder;
use scylla::response::query_result::QueryResult;
use scylla::response::{PagingState, PagingStateResponse};
use scylla::statement::batch::{Batch, BatchType};
use scylla::statement::prepared::PreparedStatement;
use scylla::statement::Statement;
use scylla::value::{CqlValue, Row};
use serde_json::{json, Value};

const PROTOCOL_VERSION: u32 = 4;
const TIMEOUT: Duration = Duration::from_secs(30); // A busy machine is no failure.

type Answer = Result<Value, Box<dyn Error>>;

fn trusting(authority: &str) -> Result<Arc<ClientConfig>, Box<dyn Error>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(authority)?)?;
    // By name: the driver brings another provider along.
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

async fn connect(arguments: &[String]) -> Result<Session, Box<dyn Error>> {
    let mut builder = SessionBuilder::new()
        .known_node(format!("{}:{}", arguments[0], arguments[1]))
        .user(&arguments[3], &arguments[4])
        .connection_timeout(TIMEOUT);
    if arguments[2] != "-" {
        builder = builder.tls_context(Some(trusting(&arguments[2])?));
    }
    Ok(builder.build().await?)
}

fn nodes(session: &Session) -> Value {
    let state = session.get_cluster_state();
    let tokens = |id| {
        let ring = state.replica_locator().ring();
        ring.iter().filter(|(_, node)| node.host_id == id).count()
    };
    let nodes = state.get_nodes_info().iter().map(|node| {
        json!({
            "host_id": node.host_id.to_string(),
            "address": node.address.ip().to_string(),
            "port": node.address.port(),
            "tokens": tokens(node.host_id),
            "up": node.is_connected(),
        })
    });
    json!({"nodes": nodes.collect::<Vec<_>>()})
}

fn text(value: Option<CqlValue>) -> String {
    match value {
        Some(CqlValue::Ascii(text) | CqlValue::Text(text)) => text,
        Some(other) => other.to_string(),
        None => "null".to_owned(),
    }
}

fn texts(result: QueryResult) -> Result<Vec<Vec<String>>, Box<dyn Error>> {
    let mut texts = Vec::new();
    if result.is_rows() {
        for row in result.into_rows_result()?.rows::<Row>()? {
            texts.push(row?.columns.into_iter().map(text).collect());
        }
    }
    Ok(texts)
}

fn rows(result: QueryResult) -> Answer {
    let coordinator = result.request_coordinator().connection_address().to_string();
    Ok(json!({"rows": texts(result)?, "coordinator": coordinator}))
}

async fn paged(session: &Session, size: i32, cql: &str) -> Answer {
    let statement = Statement::new(cql).with_page_size(size);
    let (mut rows, mut distinct, mut pages) = (0, HashSet::new(), 0);
    let mut state = PagingState::start();
    loop {
        let (result, response) = session.query_single_page(statement.clone(), (), state).await?;
        let page = texts(result)?;
        rows += page.len();
        distinct.extend(page);
        pages += 1;
        match response {
            PagingStateResponse::HasMorePages { state: next } => state = next,
            PagingStateResponse::NoMorePages => break,
        }
    }
    Ok(json!({"rows": rows, "distinct": distinct.len(), "pages": pages}))
}

async fn batch(session: &Session, statements: Vec<&str>) -> Answer {
    let mut batch = Batch::new(BatchType::Logged);
    for statement in &statements {
        batch.append_statement(*statement);
    }
    session.batch(&batch, vec![(); statements.len()]).await?;
    Ok(json!({"statements": statements.len()}))
}

/// By their text: other drivers remember these themselves.
type Prepared = HashMap<String, PreparedStatement>;

async fn answer(session: &Session, prepared: &mut Prepared, line: &str) -> Answer {
    let (command, argument) = line.split_once(' ').unwrap_or((line, ""));
    match command {
        "nodes" => return Ok(nodes(session)),
        "query" => return rows(session.query_unpaged(argument, ()).await?),
        "batch" => return batch(session, argument.split("; ").collect()).await,
        _ => {}
    }
    let (number, cql) = argument.split_once(' ').ok_or("a number and a statement are due")?;
    let number: i32 = number.parse()?;
    match command {
        "prepared" => {
            if !prepared.contains_key(cql) {
                prepared.insert(cql.to_owned(), session.prepare(cql).await?);
            }
            rows(session.execute_unpaged(&prepared[cql], (number,)).await?)
        }
        "paged" => paged(session, number, cql).await,
        _ => Err(format!("no such command: {command}").into()),
    }
}

#[tokio::main(worker_threads = 2)]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let started = Instant::now();
    let connected = connect(&arguments).await;
    let seconds = started.elapsed().as_secs_f64();
    let session = match connected {
        Ok(session) => session,
        Err(failure) => {
            println!("{}", json!({"error": failure.to_string(), "seconds": seconds}));
            return;
        }
    };
    println!("{}", json!({"connected": PROTOCOL_VERSION, "seconds": seconds}));
    let mut prepared = Prepared::new();
    // Waiting for input holds up this thread alone; the driver has its own.
    for line in std::io::stdin().lock().lines() {
        let line = line.expect("a line of text");
        let answer = answer(&session, &mut prepared, &line).await;
        println!("{}", answer.unwrap_or_else(|failure| json!({"error": failure.to_string()})));
    }
}
