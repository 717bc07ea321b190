import com.datastax.oss.driver.api.core.AllNodesFailedException;
import com.datastax.oss.driver.api.core.CqlSession;
import com.datastax.oss.driver.api.core.CqlSessionBuilder;
import com.datastax.oss.driver.api.core.config.DefaultDriverOption;
import com.datastax.oss.driver.api.core.config.DriverConfigLoader;
import com.datastax.oss.driver.api.core.config.ProgrammaticDriverConfigLoaderBuilder;
import com.datastax.oss.driver.api.core.cql.BatchStatement;
import com.datastax.oss.driver.api.core.cql.BatchStatementBuilder;
import com.datastax.oss.driver.api.core.cql.DefaultBatchType;
import com.datastax.oss.driver.api.core.cql.ResultSet;
import com.datastax.oss.driver.api.core.cql.Row;
import com.datastax.oss.driver.api.core.cql.SimpleStatement;
import com.datastax.oss.driver.api.core.metadata.Node;
import com.datastax.oss.driver.api.core.metadata.NodeState;
import com.datastax.oss.driver.api.core.metadata.NodeStateListener;
import com.datastax.oss.driver.api.core.metadata.TokenMap;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.FileInputStream;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/** Connects with the Java driver and does what it is told; see ../README.md. */
final class Client {
  // A busy machine is no failure.
  private static final Duration TIMEOUT = Duration.ofSeconds(30);

  private final CqlSession session;

  private Client(CqlSession session) {
    this.session = session;
  }

  public static void main(String[] arguments) throws Exception {
    long started = System.nanoTime();
    CqlSession session;
    try {
      session = connect(arguments);
    } catch (RuntimeException failure) {
      say(Map.of("error", text(failure), "seconds", secondsSince(started)));
      return;
    }
    try (session) {
      int version = session.getContext().getProtocolVersion().getCode();
      say(Map.of("connected", version, "seconds", secondsSince(started)));
      Client client = new Client(session);
      BufferedReader input =
          new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
      for (String line; (line = input.readLine()) != null; ) {
        say(client.answer(line));
      }
    }
  }

  private static CqlSession connect(String[] arguments) throws Exception {
    ProgrammaticDriverConfigLoaderBuilder options =
        DriverConfigLoader.programmaticBuilder()
            .withDuration(DefaultDriverOption.CONNECTION_CONNECT_TIMEOUT, TIMEOUT)
            .withDuration(DefaultDriverOption.CONNECTION_INIT_QUERY_TIMEOUT, TIMEOUT)
            .withDuration(DefaultDriverOption.CONTROL_CONNECTION_TIMEOUT, TIMEOUT)
            .withDuration(DefaultDriverOption.REQUEST_TIMEOUT, TIMEOUT);
    if (arguments.length > 5) {
      options.withString(DefaultDriverOption.PROTOCOL_VERSION, "V" + arguments[5]);
    }
    CqlSessionBuilder builder =
        CqlSession.builder()
            .addContactPoint(
                new InetSocketAddress(arguments[0], Integer.parseInt(arguments[1])))
            .withLocalDatacenter("dc1")
            .withAuthCredentials(arguments[3], arguments[4])
            .withNodeStateListener(new Events())
            .withConfigLoader(options.build());
    if (!arguments[2].equals("-")) {
      builder.withSslContext(contextFor(arguments[2]));
    }
    return builder.build();
  }

  private static SSLContext contextFor(String authority) throws Exception {
    KeyStore trusted = KeyStore.getInstance(KeyStore.getDefaultType());
    trusted.load(null, null);
    try (InputStream file = new FileInputStream(authority)) {
      trusted.setCertificateEntry(
          "authority", CertificateFactory.getInstance("X.509").generateCertificate(file));
    }
    TrustManagerFactory trust =
        TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    trust.init(trusted);
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(null, trust.getTrustManagers(), null);
    return context;
  }

  private Map<String, Object> answer(String line) {
    String[] words = line.split(" ", 2);
    try {
      switch (words[0]) {
        case "nodes":
          return Map.of("nodes", nodes());
        case "query":
          return rows(session.execute(words[1]));
        case "prepared":
          String[] prepared = words[1].split(" ", 2);
          return rows(
              session.execute(
                  session.prepare(prepared[1]).bind(Integer.parseInt(prepared[0]))));
        case "paged":
          String[] paged = words[1].split(" ", 2);
          return pages(Integer.parseInt(paged[0]), paged[1]);
        case "batch":
          return batch(words[1].split("; "));
        default:
          return Map.of("error", "no such command: " + words[0]);
      }
    } catch (RuntimeException failure) {
      return Map.of("error", text(failure));
    }
  }

  private List<Map<String, Object>> nodes() {
    List<Map<String, Object>> nodes = new ArrayList<>();
    for (Node node : session.getMetadata().getNodes().values()) {
      Map<String, Object> told = place(node);
      told.put("host_id", String.valueOf(node.getHostId()));
      told.put("tokens", tokens(node));
      told.put("up", node.getState() == NodeState.UP);
      nodes.add(told);
    }
    return nodes;
  }

  private int tokens(Node node) {
    return session
        .getMetadata()
        .getTokenMap()
        .map((TokenMap map) -> map.getTokens(node).size())
        .orElse(0);
  }

  private static Map<String, Object> rows(ResultSet result) {
    List<List<String>> rows = new ArrayList<>();
    for (Row row : result) {
      rows.add(values(row));
    }
    Map<String, Object> place = place(result.getExecutionInfo().getCoordinator());
    return Map.of("rows", rows, "coordinator", place.get("address") + ":" + place.get("port"));
  }

  private static List<String> values(Row row) {
    List<String> values = new ArrayList<>();
    for (int i = 0; i < row.size(); i++) {
      values.add(String.valueOf(row.getObject(i)));
    }
    return values;
  }

  private Map<String, Object> pages(int size, String cql) {
    ResultSet result = session.execute(SimpleStatement.newInstance(cql).setPageSize(size));
    int rows = 0;
    Set<List<String>> distinct = new HashSet<>();
    for (Row row : result) {
      rows += 1;
      distinct.add(values(row));
    }
    return Map.of(
        "rows", rows, "distinct", distinct.size(), "pages", result.getExecutionInfos().size());
  }

  private Map<String, Object> batch(String[] statements) {
    BatchStatementBuilder batch = BatchStatement.builder(DefaultBatchType.LOGGED);
    for (String statement : statements) {
      batch.addStatement(SimpleStatement.newInstance(statement));
    }
    session.execute(batch.build());
    return Map.of("statements", statements.length);
  }

  private static Map<String, Object> place(Node node) {
    InetSocketAddress address = (InetSocketAddress) node.getEndPoint().resolve();
    Map<String, Object> place = new LinkedHashMap<>();
    place.put("address", address.getAddress().getHostAddress());
    place.put("port", address.getPort());
    return place;
  }

  /** What went wrong, and at each node, as a stack trace would tell. */
  private static String text(RuntimeException failure) {
    StringBuilder text = new StringBuilder(failure.toString());
    if (failure instanceof AllNodesFailedException) {
      ((AllNodesFailedException) failure)
          .getAllErrors()
          .values()
          .forEach(errors -> errors.forEach(each -> text.append("; ").append(causes(each))));
    }
    return text.toString();
  }

  private static String causes(Throwable failure) {
    return failure.getCause() == null ? failure.toString()
        : failure + ": " + causes(failure.getCause());
  }

  private static double secondsSince(long started) {
    return (System.nanoTime() - started) / 1e9;
  }

  /** In one piece: the driver's threads have a say as well. */
  private static synchronized void say(Map<String, Object> words) {
    try {
      System.out.println(new ObjectMapper().writeValueAsString(words));
    } catch (java.io.IOException failure) {
      throw new java.io.UncheckedIOException(failure);
    }
  }

  private static final class Events implements NodeStateListener {
    @Override
    public void close() {}

    @Override
    public void onUp(Node node) {
      tell("up", node);
    }

    @Override
    public void onDown(Node node) {
      tell("down", node);
    }

    @Override
    public void onAdd(Node node) {
      tell("added", node);
    }

    @Override
    public void onRemove(Node node) {
      tell("removed", node);
    }

    private static void tell(String event, Node node) {
      Map<String, Object> told = place(node);
      told.put("event", event);
      say(told);
    }
  }
}
