<?php
// Logs in with mysqli, over PHP's own mysqlnd, and does some work; see ../README.md for what it is
// told.

function log_in(string $host, int $port, string $authority, string $user,
                string $password): mysqli {
  $connection = mysqli_init();
  $connection->options(MYSQLI_OPT_CONNECT_TIMEOUT, 20);  // A busy machine is no failure.
  $connection->options(MYSQLI_OPT_READ_TIMEOUT, 20);
  $connection->ssl_set(null, null, $authority, null, null);
  $connection->real_connect($host, $user, $password, 'shop', $port, null,
                            MYSQLI_CLIENT_SSL | MYSQLI_CLIENT_SSL_VERIFY_SERVER_CERT);
  return $connection;
}

function value(mysqli $connection, string $sql): string {
  return $connection->query($sql)->fetch_row()[0];
}

function work(mysqli $connection): array {
  $done = [
    'user' => value($connection, 'SELECT CURRENT_USER()'),
    'connection_id' => (int) value($connection, 'SELECT CONNECTION_ID()'),
    'thread' => $connection->thread_id,
    'prepared' => (int) $connection->execute_query('SELECT ? + 1', [41])->fetch_row()[0],
    'bytes' => strlen(value($connection, "SELECT REPEAT('x', 1048576)")),
  ];
  $connection->query('CREATE TEMPORARY TABLE matrix (n INT) ENGINE=InnoDB');
  $connection->begin_transaction();
  $connection->query('INSERT INTO matrix VALUES (1)');
  $connection->rollback();
  $connection->begin_transaction();
  $connection->query('INSERT INTO matrix VALUES (2)');
  $connection->commit();
  return $done + ['kept' => (int) value($connection, 'SELECT SUM(n) FROM matrix')];
}

mysqli_report(MYSQLI_REPORT_ERROR | MYSQLI_REPORT_STRICT);
[, $host, $port, $authority] = $argv;
foreach (array_chunk(array_slice($argv, 5), 2) as [$user, $password]) {
  try {
    $connection = log_in($host, (int) $port, $authority, $user, $password);
    $done = work($connection);
    $connection->close();
  } catch (mysqli_sql_exception $failure) {
    $done = ['error' => $failure->getCode(), 'message' => $failure->getMessage()];
  }
  echo json_encode($done), "\n";
}
