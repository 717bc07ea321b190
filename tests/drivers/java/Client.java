import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;

/** Logs in with a JDBC driver and does some work; see ../README.md for what it is told. */
final class Client {
  public static void main(String[] arguments) throws Exception {
    Target target = Target.of(arguments);
    for (int i = 5; i + 1 < arguments.length; i += 2) {
      System.out.println(logIn(target, arguments[i], arguments[i + 1]));
    }
  }

  private static String logIn(Target target, String user, String password) throws Exception {
    try (Connection connection =
        DriverManager.getConnection(target.url(), target.properties(user, password))) {
      return work(connection);
    } catch (SQLException failure) {
      return "{\"error\": %d, \"message\": %s}"
          .formatted(failure.getErrorCode(), Target.json(failure.toString()));
    }
  }

  private static String work(Connection connection) throws SQLException {
    String user = value(connection, "SELECT CURRENT_USER()");
    String id = value(connection, "SELECT CONNECTION_ID()");
    int bytes = value(connection, "SELECT REPEAT('x', 1048576)").length();
    return "{\"user\": %s, \"connection_id\": %s, \"thread\": %s, \"prepared\": %d, \"bytes\": %d,"
            .formatted(Target.json(user), id, thread(connection), addOne(connection), bytes)
        + " \"kept\": %s}".formatted(keepWhatIsCommitted(connection));
  }

  private static String value(Connection connection, String sql) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery(sql)) {
      rows.next();
      return rows.getString(1);
    }
  }

  /** The thread that the driver itself believes it has, by which it would cancel statements. */
  private static long thread(Connection connection) throws SQLException {
    if (connection.isWrapperFor(com.mysql.cj.jdbc.JdbcConnection.class)) {
      return connection.unwrap(com.mysql.cj.jdbc.JdbcConnection.class).getId();
    }
    return connection.unwrap(org.mariadb.jdbc.Connection.class).getThreadId();
  }

  private static int addOne(Connection connection) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement("SELECT ? + 1")) {
      statement.setInt(1, 41);
      try (ResultSet rows = statement.executeQuery()) {
        rows.next();
        return rows.getInt(1);
      }
    }
  }

  private static String keepWhatIsCommitted(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute("CREATE TEMPORARY TABLE matrix (n INT) ENGINE=InnoDB");
      connection.setAutoCommit(false);
      statement.execute("INSERT INTO matrix VALUES (1)");
      connection.rollback();
      statement.execute("INSERT INTO matrix VALUES (2)");
      connection.commit();
    }
    return value(connection, "SELECT SUM(n) FROM matrix");
  }
}
