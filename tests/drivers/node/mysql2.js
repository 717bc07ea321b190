// The scenarios with mysql2.
'use strict';

const fs = require('node:fs');
const mysql = require('mysql2/promise');
const {main} = require('./scenarios.js');

function makeDriver(target) {
  return {
    user: target.user,
    password: target.password,

    // Runs `use` with a connection, which ends with it.
    async with(options, use) {
      const {localFile, ...rest} = options;
      const connection = await mysql.createConnection({
        host: target.host,
        port: target.port,
        user: target.user,
        password: target.password,
        database: 'shop',
        ssl: {ca: target.ca},
        connectTimeout: 20000,  // a busy machine is no failure
        ...rest,
      });
      try {
        return await use(adapt(connection, localFile));
      } finally {
        connection.destroy();
      }
    },
  };
}

function adapt(connection, localFile) {
  return {
    threadId: connection.threadId,
    // Greeted with, less the prefix that MariaDB puts before its own for old clients.
    serverVersion: connection.connection._handshakePacket.serverVersion.replace(/^5\.5\.5-/, ''),
    query: async (sql, values) => (await connection.query(sql, values))[0],
    execute: async (sql, values) => (await connection.execute(sql, values))[0],
    loadLocalFile: (sql) =>
        connection.query({sql, infileStreamFactory: () => fs.createReadStream(localFile)}),
    beginTransaction: () => connection.beginTransaction(),
    commit: () => connection.commit(),
    rollback: () => connection.rollback(),
    changeUser: (options) => connection.changeUser({database: 'shop', ...options}),
  };
}

main(makeDriver);
