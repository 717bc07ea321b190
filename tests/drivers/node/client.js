// Logs in with a driver for Node.js and does some work; see ../README.md for what it is told.
'use strict';

const fs = require('node:fs');
const {makeDriver} = require('./drivers.js');

async function work(connection) {
  const [{user, id}] =
      await connection.query('SELECT CURRENT_USER() AS user, CONNECTION_ID() AS id');
  const [{next}] = await connection.execute('SELECT ? + 1 AS next', [41]);
  const [{text}] = await connection.query("SELECT REPEAT('x', 1048576) AS text");
  await connection.query('CREATE TEMPORARY TABLE matrix (n INT) ENGINE=InnoDB');
  await connection.beginTransaction();
  await connection.query('INSERT INTO matrix VALUES (1)');
  await connection.rollback();
  await connection.beginTransaction();
  await connection.query('INSERT INTO matrix VALUES (2)');
  await connection.commit();
  const [{kept}] = await connection.query('SELECT SUM(n) AS kept FROM matrix');
  return {
    user,
    connection_id: Number(id),
    thread: connection.threadId,
    prepared: Number(next),
    bytes: text.length,
    kept: Number(kept),
  };
}

async function main() {
  const [name, host, port, authority, tls, ...logins] = process.argv.slice(2);
  const ca = fs.readFileSync(authority);
  for (let i = 0; i < logins.length; i += 2) {
    const [user, password] = logins.slice(i, i + 2);
    let done;
    try {
      done = await makeDriver(name, {host, port: Number(port), ca, tls, user, password})
          .with({}, work);
    } catch (failure) {
      done = {error: failure.errno, message: String(failure)};
    }
    console.log(JSON.stringify(done));
  }
}

main();
