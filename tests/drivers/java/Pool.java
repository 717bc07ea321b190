import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;

/** HikariCP, over MariaDB's driver; see ../README.md for what it is told. */
final class Pool {
  private static final int SIZE = 3;

  public static void main(String[] arguments) throws Exception {
    // Otherwise it does not test what it used half a second ago, and what follows is up to the clock.
    System.setProperty("com.zaxxer.hikari.aliveBypassWindowMs", "0");
    Target target = Target.of(arguments);
    HikariConfig configuration = new HikariConfig();
    configuration.setJdbcUrl(target.url());
    configuration.setDataSourceProperties(target.properties(arguments[5], arguments[6]));
    configuration.setMaximumPoolSize(SIZE);
    // How long it tries before it passes an error on; the tests wait for some.
    configuration.setConnectionTimeout(2_000);
    try (HikariDataSource pool = new HikariDataSource(configuration);
        BufferedReader input = new BufferedReader(new InputStreamReader(System.in))) {
      for (String command; (command = input.readLine()) != null; ) {
        System.out.println(answer(pool, command.equals("fill") ? SIZE : 1));
      }
    }
  }

  private static String answer(HikariDataSource pool, int count) {
    List<Connection> taken = new ArrayList<>();
    try {
      List<Long> threads = new ArrayList<>();
      for (int i = 0; i < count; ++i) taken.add(pool.getConnection());
      for (Connection connection : taken) threads.add(threadOf(connection));
      return "{\"connection_ids\": %s}".formatted(threads);
    } catch (SQLException failure) {
      Throwable cause = failure.getCause() == null ? failure : failure.getCause();
      return "{\"message\": %s}".formatted(Target.json(cause.toString()));
    } finally {
      taken.forEach(Pool::giveBack);
    }
  }

  private static long threadOf(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery("SELECT CONNECTION_ID()")) {
      rows.next();
      return rows.getLong(1);
    }
  }

  private static void giveBack(Connection connection) {
    try {
      connection.close();
    } catch (SQLException alreadyBroken) {
      // The pool has seen as much, and throws it away.
    }
  }
}
