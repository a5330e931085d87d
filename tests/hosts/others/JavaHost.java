import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Properties;

/** Java's sqlite-jdbc: loaded by SELECT load_extension once the connection allows it; both forms, a conflict by its code. */
public class JavaHost {
  static int passed;
  static int failed;

  static void check(String what, boolean right) {
    if (right) passed++; else failed++;
    if (!right) System.out.println("failed: " + what);
  }

  static String value(Connection db, String sql, Object... values) throws SQLException {
    try (PreparedStatement statement = db.prepareStatement(sql)) {
      for (int i = 0; i < values.length; i++) statement.setObject(i + 1, values[i]);
      try (ResultSet rows = statement.executeQuery()) {
        return rows.next() ? rows.getString(1) : null;
      }
    }
  }

  public static void main(String[] arguments) throws SQLException {
    Properties settings = new Properties();
    settings.setProperty("enable_load_extension", "true");
    Connection db = DriverManager.getConnection("jdbc:sqlite::memory:", settings);
    value(db, "SELECT load_extension(?)", arguments[0]);
    value(db, "SELECT evercore_migrate()");
    String insert = "INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data) VALUES ('User', ?, 'Created', '{\"name\":\"Ann\"}')";
    try (PreparedStatement statement = db.prepareStatement(insert)) {
      statement.setString(1, "ann");
      check("an INSERT of one row counts one", statement.executeUpdate() == 1);
    }
    check("a call gives the sequence", "2".equals(value(db, "SELECT evercore_append(1, ?, 'Named', ?)", 1, "{\"name\":\"Anna\"}")));
    check("the state is JSON", "{\"name\":\"Anna\"}".equals(value(db, "SELECT evercore_state(1)")));
    try {
      value(db, "SELECT evercore_append(1, 1, 'Named', '{}')");
      check("a conflict is code 19", false);
    } catch (SQLException e) {
      check("a conflict is code 19", (e.getErrorCode() & 255) == 19 && e.getMessage().contains("EV001: "));
    }
    db.setAutoCommit(false);
    try (Statement statement = db.createStatement()) {
      statement.executeUpdate(insert.replace("?", "'bob'"));
    }
    value(db, "SELECT evercore_append(2, NULL, 'Named', '{}')");
    db.rollback();
    check("a rollback takes both back", "2".equals(value(db, "SELECT count(*) FROM evercore_log")));
    System.out.println(passed + " passed, " + failed + " failed");
    System.exit(failed == 0 ? 0 : 1);
  }
}
