import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.util.Properties;

/** Where and how either driver connects: always over TLS, with the server's identity verified. */
record Target(String driver, String host, String port, String authority, String tls) {
  private static final String TIMEOUT_MILLISECONDS = "20000";  // A busy machine is no failure.

  static Target of(String[] arguments) {
    return new Target(arguments[0], arguments[1], arguments[2], arguments[3], arguments[4]);
  }

  String url() {
    return "jdbc:%s://%s:%s/shop".formatted(driver, host, port);
  }

  Properties properties(String user, String password) throws IOException, GeneralSecurityException {
    Properties properties = new Properties();
    properties.put("user", user);
    properties.put("password", password);
    properties.put("connectTimeout", TIMEOUT_MILLISECONDS);
    properties.put("socketTimeout", TIMEOUT_MILLISECONDS);
    if (driver.equals("mariadb")) {
      properties.put("sslMode", "verify-full");
      properties.put("serverSslCert", authority);
      properties.put("enabledSslProtocolSuites", "TLSv" + tls);
    } else {
      properties.put("sslMode", "VERIFY_IDENTITY");
      properties.put("trustCertificateKeyStoreUrl", trustStore().toUri().toString());
      properties.put("trustCertificateKeyStoreType", "PKCS12");
      properties.put("trustCertificateKeyStorePassword", "trust");
      properties.put("tlsVersions", "TLSv" + tls);
      properties.put("useServerPrepStmts", "true");
    }
    return properties;
  }

  /** MySQL's driver reads no PEM. */
  private Path trustStore() throws IOException, GeneralSecurityException {
    KeyStore store = KeyStore.getInstance("PKCS12");
    store.load(null, null);
    try (InputStream pem = Files.newInputStream(Path.of(authority))) {
      store.setCertificateEntry(
          "authority", CertificateFactory.getInstance("X.509").generateCertificate(pem));
    }
    Path file = Files.createTempFile("gatehouse-trust-", ".p12");
    file.toFile().deleteOnExit();
    try (OutputStream out = Files.newOutputStream(file)) {
      store.store(out, "trust".toCharArray());
    }
    return file;
  }

  static String json(String text) {
    return '"' + text.replaceAll("[\\x00-\\x1f]", " ").replace("\\", "\\\\").replace("\"", "\\\"")
        + '"';
  }
}
