// What every Node.js driver must be able to do through the gateway. Each scenario gets a driver
// (see drivers.js) and throws where something is not as it would be without a gateway between.
'use strict';

const assert = require('node:assert/strict');
const crypto = require('node:crypto');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const {makeDriver} = require('./drivers.js');

const BLOB_BYTES = 64 * 1024 * 1024;
const PART = Buffer.from(Array.from({length: 64}, (_, i) => 255 - i));

const scenarios = {
  async 'the account logs in'(driver) {
    await driver.with({}, async (connection) => {
      const [row] = await connection.query('SELECT CURRENT_USER() AS user');
      assert.equal(row.user, `${driver.user}@%`);
    });
  },

  async 'the thread id and the version are the server\'s own'(driver) {
    await driver.with({}, async (connection) => {
      const [row] = await connection.query('SELECT CONNECTION_ID() AS id, VERSION() AS version');
      assert.equal(Number(connection.threadId), Number(row.id));
      assert.equal(connection.serverVersion, row.version);
    });
  },

  async 'prepared statements run many times'(driver) {
    await driver.with({}, async (connection) => {
      for (let i = 0; i < 20; ++i) {
        const [row] = await connection.execute('SELECT ? + 1 AS next, ? AS text', [i, `text ${i}`]);
        assert.equal(Number(row.next), i + 1);
        assert.equal(row.text, `text ${i}`);
      }
    });
  },

  async 'a transaction is rolled back, another committed'(driver) {
    await driver.with({}, async (connection) => {
      const table = `transaction_${connection.threadId}`;
      await connection.query(`CREATE TABLE ${table} (n INT) ENGINE=InnoDB`);
      await connection.beginTransaction();
      await connection.query(`INSERT INTO ${table} VALUES (1)`);
      await connection.rollback();
      await connection.beginTransaction();
      await connection.query(`INSERT INTO ${table} VALUES (2)`);
      await connection.commit();
      const rows = await connection.query(`SELECT n FROM ${table}`);
      assert.deepEqual(rows.map((row) => row.n), [2]);
      await connection.query(`DROP TABLE ${table}`);
    });
  },

  async 'a blob of 64 MB goes both ways'(driver) {
    await driver.with({}, async (connection) => {
      const blob = Buffer.alloc(BLOB_BYTES);
      for (let at = 0; at < BLOB_BYTES; at += 4) blob.writeUInt32LE((at * 2654435761) >>> 0, at);
      // As a parameter of a prepared statement: in its text it would be twice as long.
      const [row] = await connection.execute('SELECT SHA1(?) AS sum, REPEAT(?, ?) AS back',
                                             [blob, PART, BLOB_BYTES / PART.length]);
      assert.equal(row.sum, crypto.createHash('sha1').update(blob).digest('hex'));
      assert.equal(row.back.length, BLOB_BYTES);
      assert.ok(row.back.equals(Buffer.alloc(BLOB_BYTES, PART)));
    });
  },

  async 'LOAD DATA LOCAL sends a file'(driver) {
    const file = path.join(os.tmpdir(), `gatehouse-rows-${process.pid}.txt`);
    fs.writeFileSync(file, Array.from({length: 50000}, (_, i) => `${i}\n`).join(''));
    try {
      await driver.with({localFile: file}, async (connection) => {
        await connection.query('CREATE TEMPORARY TABLE loaded (n INT)');
        await connection.loadLocalFile(`LOAD DATA LOCAL INFILE '${file}' INTO TABLE loaded`);
        const [row] = await connection.query('SELECT COUNT(*) AS count, SUM(n) AS sum FROM loaded');
        assert.equal(Number(row.count), 50000);
        assert.equal(Number(row.sum), 1249975000);
      });
    } finally {
      fs.unlinkSync(file);
    }
  },

  async 'a compressed session carries large results'(driver) {
    await driver.with({compress: true}, async (connection) => {
      const [status] = await connection.query("SHOW STATUS LIKE 'Compression'");
      assert.equal(status.Value, 'ON');
      const [row] = await connection.query("SELECT REPEAT('gatehouse', 1000000) AS text");
      assert.equal(row.text.length, 9000000);
    });
  },

  async 'COM_CHANGE_USER becomes another account'(driver) {
    await driver.with({}, async (connection) => {
      await connection.changeUser({user: 'second', password: driver.password});
      const [row] = await connection.query('SELECT CURRENT_USER() AS user');
      assert.equal(row.user, 'second@%');
    });
  },

  async 'KILL QUERY from another session ends a statement'(driver) {
    await driver.with({}, async (victim) => {
      await driver.with({}, async (killer) => {
        const sleeping = assert.rejects(victim.query('SELECT SLEEP(60) FROM DUAL WHERE SLEEP(60)'),
                                        {errno: 1317});
        await untilRunning(killer, victim.threadId);
        await killer.query(`KILL QUERY ${victim.threadId}`);
        await sleeping;
      });
      const [row] = await victim.query('SELECT 1 AS alive');
      assert.equal(row.alive, 1);
    });
  },

  async 'a statement that its client gives up ends'(driver) {
    await driver.with({}, async (watcher) => {
      await driver.with({}, async (victim) => {
        victim.query('SELECT SLEEP(60) FROM DUAL WHERE SLEEP(60)').catch(() => {});
        await untilRunning(watcher, victim.threadId);
        // MariaDB's driver says KILL on a connection of its own; mysql2 goes without a word.
        victim.destroy();
        await untilRunning(watcher, victim.threadId, 0);
      });
    });
  },

  async 'three logins share what they know of TLS'(driver) {
    const ssl = driver.ssl();  // by this very object mysql2 keeps its tickets
    for (let i = 0; i < 3; ++i) {
      await driver.with({ssl}, async (connection) => {
        const [row] = await connection.query('SELECT CURRENT_USER() AS user');
        assert.equal(row.user, `${driver.user}@%`);
      });
    }
  },

  async 'several result sets answer several statements'(driver) {
    await driver.with({multipleStatements: true}, async (connection) => {
      const results = await connection.query('SELECT 1 AS a; SELECT 2 AS b UNION SELECT 3; DO 0');
      assert.equal(results.length, 3);
      assert.deepEqual(results[1].map((row) => Number(row.b)), [2, 3]);
    });
  },

  async 'an error of the server arrives with its code and state'(driver) {
    await driver.with({}, async (connection) => {
      await assert.rejects(connection.query('SELECT * FROM no_such_table'),
                           {errno: 1146, sqlState: '42S02'});
      await assert.rejects(driver.with({password: 'wrong'}, async () => {}),
                           {errno: 1045, sqlState: '28000'});
    });
  },
};

// Asks until the server says that this thread executes a statement, or `wanted` is 0 and it does not.
async function untilRunning(connection, thread, wanted = 1) {
  const deadline = Date.now() + 20000;
  while (Date.now() < deadline) {
    const [row] = await connection.query(
        `SELECT COUNT(*) AS running FROM information_schema.processlist
         WHERE id = ${Number(thread)} AND state = 'User sleep'`);
    if (Number(row.running) === wanted) return;
  }
  throw new Error(wanted ? 'the statement never ran' : 'the statement never ended');
}

// Runs some of them; prints one JSON object a line: the scenario's name, and its error or null. The
// program's arguments are a driver's name and a JSON object: host, port, user, password, ca,
// optionally `tls`, the only version to use, and `scenarios`, their names.
async function main() {
  const target = JSON.parse(process.argv[3]);
  target.ca = fs.readFileSync(target.ca);
  const driver = makeDriver(process.argv[2], target);
  for (const name of target.scenarios) {
    let error = null;
    try {
      await scenarios[name](driver);
    } catch (failure) {
      error = failure.stack;
    }
    console.log(JSON.stringify({scenario: name, error}));
  }
}

main();
