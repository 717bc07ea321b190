// Logs in with mysql_async and does some work; see ../../README.md for what it is told. The version
// of TLS it cannot choose: the driver has no option for it.
use std::path::PathBuf;

use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Error, OptsBuilder, SslOpts, TxOpts};
use serde_json::{json, Value};

async fn log_in(target: &[String], user: &str, password: &str) -> Result<Conn, Error> {
    let authority = PathBuf::from(&target[2]);
    let options = OptsBuilder::default()
        .ip_or_hostname(target[0].clone())
        .tcp_port(target[1].parse().expect("a port"))
        // Else it would ask a server on this machine for its unix socket, and go on over that.
        .prefer_socket(false)
        .ssl_opts(
            SslOpts::default()
                .with_root_certs(vec![authority.into()])
                .with_disable_built_in_roots(true),
        )
        .db_name(Some("shop"))
        .user(Some(user))
        .pass(Some(password));
    Conn::new(options).await
}

async fn insert(connection: &mut Conn, number: u32, keep: bool) -> Result<(), Error> {
    let mut transaction = connection.start_transaction(TxOpts::default()).await?;
    transaction.exec_drop("INSERT INTO matrix VALUES (?)", (number,)).await?;
    if keep {
        transaction.commit().await
    } else {
        transaction.rollback().await
    }
}

async fn work(connection: &mut Conn) -> Result<Value, Error> {
    let row = connection.query_first("SELECT CURRENT_USER(), CONNECTION_ID()").await?;
    let (user, id): (String, u64) = row.expect("a row");
    let prepared: Option<i64> = connection.exec_first("SELECT ? + 1", (41,)).await?;
    let text: Option<String> = connection.query_first("SELECT REPEAT('x', 1048576)").await?;
    connection.query_drop("CREATE TEMPORARY TABLE matrix (n INT) ENGINE=InnoDB").await?;
    insert(connection, 1, false).await?;
    insert(connection, 2, true).await?;
    let kept: Option<i64> =
        connection.query_first("SELECT CAST(SUM(n) AS SIGNED) FROM matrix").await?;
    Ok(json!({
        "user": user,
        "connection_id": id,
        "thread": connection.id(),
        "prepared": prepared,
        "bytes": text.map(|text| text.len()),
        "kept": kept,
    }))
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    for login in arguments[4..].chunks(2) {
        let done = match log_in(&arguments, &login[0], &login[1]).await {
            Ok(mut connection) => {
                let done = work(&mut connection).await;
                let _ = connection.disconnect().await;
                done
            }
            Err(failure) => Err(failure),
        };
        println!("{}", done.unwrap_or_else(|failure| match failure {
            Error::Server(refusal) => json!({"error": refusal.code, "message": refusal.message}),
            other => json!({"error": 0, "message": other.to_string()}),
        }));
    }
}
