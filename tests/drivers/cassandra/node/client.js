// Connects with the Node.js driver and does what it is told; see ../README.md.
'use strict';

const fs = require('node:fs');
const readline = require('node:readline');
const cassandra = require('cassandra-driver');

const TIMEOUT_MILLISECONDS = 30000;  // A busy machine is no failure.

function say(words) {
  console.log(JSON.stringify(words));
}

// HOST:PORT of a node, taken apart.
function place(address) {
  const colon = address.lastIndexOf(':');
  return {address: address.slice(0, colon), port: Number(address.slice(colon + 1))};
}

function makeClient(host, port, authority, username, password, version) {
  const options = {
    contactPoints: [`${host}:${port}`],
    localDataCenter: 'dc1',
    authProvider: new cassandra.auth.PlainTextAuthProvider(username, password),
    protocolOptions: {port: Number(port)},
    socketOptions: {connectTimeout: TIMEOUT_MILLISECONDS, readTimeout: TIMEOUT_MILLISECONDS},
  };
  if (version !== undefined) {
    options.protocolOptions.maxVersion = Number(version);
  }
  if (authority !== '-') {
    options.sslOptions = {ca: [fs.readFileSync(authority)], rejectUnauthorized: true};
  }
  return new cassandra.Client(options);
}

function tell(client) {
  const names = {hostUp: 'up', hostDown: 'down', hostAdd: 'added', hostRemove: 'removed'};
  for (const [name, event] of Object.entries(names)) {
    client.on(name, host => say({event, ...place(host.address)}));
  }
}

function answer(result) {
  return {
    rows: (result.rows || []).map(row => row.values().map(String)),
    coordinator: result.info.queriedHost,
  };
}

// "NUMBER CQL", taken apart.
function numbered(argument) {
  const space = argument.indexOf(' ');
  return [Number(argument.slice(0, space)), argument.slice(space + 1)];
}

const COMMANDS = {
  nodes: async client => ({
    nodes: client.hosts.values().map(host => ({
      host_id: String(host.hostId),
      ...place(host.address),
      tokens: (host.tokens || []).length,
      up: host.isUp(),
    })),
  }),
  query: async (client, cql) => answer(await client.execute(cql)),
  prepared: async (client, argument) => {
    const [number, cql] = numbered(argument);
    return answer(await client.execute(cql, [number], {prepare: true}));
  },
  paged: async (client, argument) => {
    const [fetchSize, cql] = numbered(argument);
    let rows = 0;
    const distinct = new Set();
    let pages = 0;
    let pageState;
    do {
      const result = await client.execute(cql, [], {fetchSize, pageState});
      rows += result.rows.length;
      result.rows.forEach(row => distinct.add(row.values().join()));
      pages += 1;
      pageState = result.pageState;
    } while (pageState);
    return {rows, distinct: distinct.size, pages};
  },
  batch: async (client, argument) => {
    const statements = argument.split('; ');
    await client.batch(statements, {logged: true});
    return {statements: statements.length};
  },
};

async function main() {
  const started = process.hrtime.bigint();
  const seconds = () => Number(process.hrtime.bigint() - started) / 1e9;
  const client = makeClient(...process.argv.slice(2));
  try {
    await client.connect();
  } catch (failure) {
    const inner = Object.entries(failure.innerErrors || {}).map(each => each.join(': '));
    say({error: [String(failure), ...inner].join('; '), seconds: seconds()});
    await client.shutdown();
    return;
  }
  tell(client);
  say({connected: client.controlConnection.protocolVersion, seconds: seconds()});
  for await (const line of readline.createInterface({input: process.stdin})) {
    const space = (line + ' ').indexOf(' ');
    try {
      say(await COMMANDS[line.slice(0, space)](client, line.slice(space + 1)));
    } catch (failure) {
      say({error: String(failure)});
    }
  }
  await client.shutdown();
}

main();
