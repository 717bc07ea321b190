// The scenarios with MariaDB's own driver.
'use strict';

const mariadb = require('mariadb');
const {main} = require('./scenarios.js');

function makeDriver(target) {
  return {
    user: target.user,
    password: target.password,

    // Runs `use` with a connection, which ends with it.
    async with(options, use) {
      const {localFile, ...rest} = options;
      const connection = await mariadb.createConnection({
        host: target.host,
        port: target.port,
        user: target.user,
        password: target.password,
        database: 'shop',
        ssl: {ca: target.ca},
        connectTimeout: 20000,  // a busy machine is no failure
        permitLocalInfile: localFile !== undefined,
        maxAllowedPacket: 128 * 1024 * 1024,
        ...rest,
      });
      try {
        return await use(adapt(connection));
      } finally {
        connection.destroy();
      }
    },
  };
}

function adapt(connection) {
  return {
    threadId: connection.threadId,
    serverVersion: connection.serverVersion(),
    query: (sql, values) => connection.query(sql, values),
    execute: (sql, values) => connection.execute(sql, values),
    loadLocalFile: (sql) => connection.query(sql),
    beginTransaction: () => connection.beginTransaction(),
    commit: () => connection.commit(),
    rollback: () => connection.rollback(),
    changeUser: (options) => connection.changeUser({database: 'shop', ...options}),
  };
}

main(makeDriver);
