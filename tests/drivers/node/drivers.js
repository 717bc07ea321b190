// The two drivers for Node.js under one interface: what scenarios.js and client.js have in common.
'use strict';

const fs = require('node:fs');

// How each of them connects, and what is its own way to do what both can.
const drivers = {
  mysql2: {
    module: 'mysql2/promise',
    ssl: () => ({verifyIdentity: true}),  // for an address it takes the name "localhost"
    options: () => ({}),
    adapt: (connection, localFile) => ({
      // Greeted with, less the prefix that MariaDB puts before its own for old clients.
      serverVersion: connection.connection._handshakePacket.serverVersion.replace(/^5\.5\.5-/, ''),
      query: async (sql, values) => (await connection.query(sql, values))[0],
      execute: async (sql, values) => (await connection.execute(sql, values))[0],
      loadLocalFile: (sql) =>
          connection.query({sql, infileStreamFactory: () => fs.createReadStream(localFile)}),
    }),
  },
  mariadb: {
    module: 'mariadb',
    ssl: (host) => ({host}),  // without, it takes the name "localhost" whatever the host
    options: (localFile) => ({
      permitLocalInfile: localFile !== undefined,
      maxAllowedPacket: 128 * 1024 * 1024,
    }),
    adapt: (connection) => ({
      serverVersion: connection.serverVersion(),
      query: (sql, values) => connection.query(sql, values),
      execute: (sql, values) => connection.execute(sql, values),
      loadLocalFile: (sql) => connection.query(sql),
    }),
  },
};

// What the driver called `name` is told to connect to one server as one account: host, port, user,
// password, ca (PEM), and optionally `tls`, the only version of TLS to use.
function connectionOptions(name, target) {
  const version = target.tls && `TLSv${target.tls}`;
  return {
    host: target.host,
    port: target.port,
    user: target.user,
    password: target.password,
    database: 'shop',
    ssl: {
      ca: target.ca,
      ...(version && {minVersion: version, maxVersion: version}),
      ...drivers[name].ssl(target.host),
    },
    connectTimeout: 20000,  // a busy machine is no failure
  };
}

function makeDriver(name, target) {
  const driver = drivers[name];
  return {
    user: target.user,
    password: target.password,
    ssl: () => connectionOptions(name, target).ssl,

    // Runs `use` with a connection, which ends with it.
    async with(options, use) {
      const {localFile, ...rest} = options;
      const connection = await require(driver.module).createConnection({
        ...connectionOptions(name, target),
        ...driver.options(localFile),
        ...rest,
      });
      try {
        return await use({
          threadId: connection.threadId,
          beginTransaction: () => connection.beginTransaction(),
          commit: () => connection.commit(),
          rollback: () => connection.rollback(),
          destroy: () => connection.destroy(),
          changeUser: (account) => connection.changeUser({database: 'shop', ...account}),
          ...driver.adapt(connection, localFile),
        });
      } finally {
        connection.destroy();
      }
    },
  };
}

module.exports = {connectionOptions, makeDriver};
