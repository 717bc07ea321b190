// mysql2's pool; see ../README.md for what it is told.
'use strict';

const fs = require('node:fs');
const readline = require('node:readline');
const mysql = require('mysql2/promise');
const {connectionOptions} = require('./drivers.js');

const SIZE = 3;

async function threadOf(connection) {
  const [[{id}]] = await connection.query('SELECT CONNECTION_ID() AS id');
  return Number(id);
}

const commands = {
  async fill(pool) {
    const taken = await Promise.all(Array.from({length: SIZE}, () => pool.getConnection()));
    try {
      return await Promise.all(taken.map(threadOf));
    } finally {
      for (const connection of taken) connection.release();
    }
  },

  query: async (pool) => [await threadOf(pool)],
};

async function main() {
  const [host, port, authority, tls, user, password] = process.argv.slice(2);
  const target = {host, port: Number(port), ca: fs.readFileSync(authority), tls, user, password};
  const pool = mysql.createPool({...connectionOptions('mysql2', target), connectionLimit: SIZE});
  for await (const line of readline.createInterface({input: process.stdin})) {
    let answer;
    try {
      answer = {connection_ids: await commands[line](pool)};
    } catch (failure) {
      answer = {message: String(failure)};
    }
    console.log(JSON.stringify(answer));
  }
  await pool.end();
}

main();
