// Logs in with MariaDB's Connector/C and does some work; see ../README.md for what it is told.
#include <mysql.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void print_text(const char* text) {
  putchar('"');
  for (; *text != '\0'; ++text) {
    if (*text == '"' || *text == '\\') putchar('\\');
    putchar((unsigned char)*text < ' ' ? ' ' : *text);
  }
  putchar('"');
}

static void print_error(unsigned code, const char* message) {
  printf("{\"error\": %u, \"message\": ", code);
  print_text(message);
  puts("}");
}

static MYSQL* log_in(char** target, const char* user, const char* password) {
  const unsigned timeout_seconds = 20;  // A busy machine is no failure.
  const my_bool verify = 1;
  char version[16];
  snprintf(version, sizeof version, "TLSv%s", target[3]);
  MYSQL* connection = mysql_init(NULL);
  mysql_optionsv(connection, MYSQL_OPT_SSL_CA, target[2]);
  mysql_optionsv(connection, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verify);
  mysql_optionsv(connection, MARIADB_OPT_TLS_VERSION, version);
  mysql_optionsv(connection, MYSQL_OPT_CONNECT_TIMEOUT, &timeout_seconds);
  mysql_optionsv(connection, MYSQL_OPT_READ_TIMEOUT, &timeout_seconds);
  // Its answer is told by mysql_errno, as that of every other call.
  mysql_real_connect(connection, target[0], user, password, "shop", (unsigned)atoi(target[1]), NULL,
                     0);
  return connection;
}

// The one value that a statement returns; "" where it fails.
static char* value_of(MYSQL* connection, const char* sql) {
  char* value = NULL;
  if (mysql_query(connection, sql) == 0) {
    MYSQL_RES* result = mysql_store_result(connection);
    MYSQL_ROW row = result == NULL ? NULL : mysql_fetch_row(result);
    if (row != NULL && row[0] != NULL) value = strdup(row[0]);
    mysql_free_result(result);
  }
  return value == NULL ? strdup("") : value;
}

// What the server adds 1 to, as a prepared statement. Errors of statements move to the connection's
// place only by hand, so this returns the message, or NULL.
static const char* add_one(MYSQL_STMT* statement, long long* number) {
  const char* sql = "SELECT ? + 1";
  MYSQL_BIND bind = {.buffer_type = MYSQL_TYPE_LONGLONG, .buffer = number};
  if (mysql_stmt_prepare(statement, sql, strlen(sql)) != 0 ||
      mysql_stmt_bind_param(statement, &bind) != 0 || mysql_stmt_execute(statement) != 0 ||
      mysql_stmt_bind_result(statement, &bind) != 0 || mysql_stmt_fetch(statement) != 0) {
    return mysql_stmt_error(statement);
  }
  mysql_stmt_free_result(statement);
  return NULL;
}

static void keep_what_is_committed(MYSQL* connection) {
  if (mysql_query(connection, "CREATE TEMPORARY TABLE matrix (n INT) ENGINE=InnoDB") == 0 &&
      mysql_autocommit(connection, 0) == 0 &&
      mysql_query(connection, "INSERT INTO matrix VALUES (1)") == 0 &&
      mysql_rollback(connection) == 0 &&
      mysql_query(connection, "INSERT INTO matrix VALUES (2)") == 0) {
    mysql_commit(connection);
  }
}

static void work(MYSQL* connection) {
  long long number = 41;
  MYSQL_STMT* statement = mysql_stmt_init(connection);
  const char* failure = add_one(statement, &number);
  if (failure != NULL) {
    print_error(mysql_stmt_errno(statement), failure);
    mysql_stmt_close(statement);
    return;
  }
  mysql_stmt_close(statement);
  keep_what_is_committed(connection);
  char* user = value_of(connection, "SELECT CURRENT_USER()");
  char* id = value_of(connection, "SELECT CONNECTION_ID()");
  char* bytes = value_of(connection, "SELECT REPEAT('x', 1048576)");
  char* kept = value_of(connection, "SELECT SUM(n) FROM matrix");
  if (mysql_errno(connection) == 0) {
    printf("{\"user\": ");
    print_text(user);
    printf(", \"connection_id\": %s, \"thread\": %lu, \"prepared\": %lld, \"bytes\": %zu, "
           "\"kept\": %s}\n",
           id, mysql_thread_id(connection), number, strlen(bytes), kept);
  } else {
    print_error(mysql_errno(connection), mysql_error(connection));
  }
  free(user);
  free(id);
  free(bytes);
  free(kept);
}

int main(int count, char** arguments) {
  for (int i = 5; i + 1 < count; i += 2) {
    MYSQL* connection = log_in(arguments + 1, arguments[i], arguments[i + 1]);
    if (mysql_errno(connection) != 0) {
      print_error(mysql_errno(connection), mysql_error(connection));
    } else {
      work(connection);
    }
    fflush(stdout);
    mysql_close(connection);
  }
  return 0;
}
