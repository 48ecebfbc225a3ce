import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Array;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Types;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.OffsetDateTime;
import java.time.OffsetTime;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.postgresql.util.PGInterval;
import org.postgresql.util.PGobject;

/**
 * PostgreSQL's JDBC driver with the simple protocol, and with the extended one in text and in binary: {@code java
 * JdbcTypes.java HOST PORT USER DATABASE FOLDER_OF_VALUES [TYPE…]}. What the steps are, common.py says.
 */
public class JdbcTypes {
    static final String[][] MODES = {
        {"jdbc simple", "preferQueryMode=simple"},
        {"jdbc text", "preferQueryMode=extended&prepareThreshold=0&binaryTransfer=false"},
        {"jdbc binary", "preferQueryMode=extended&prepareThreshold=-1&binaryTransfer=true"},
    };

    static final String[] RECORDS = {
        "ROW(1, 'a', NULL::int)",
        "ROW(true, 2::smallint, 3::bigint, 1.5::numeric, 0.5::real, 0.25::double precision)",
        "ROW(ARRAY[1, NULL, 3], ROW(1, 'b'), '{\"a\": 1}'::jsonb)",
    };

    /** A value as PostgreSQL writes it, of an array its elements; null is NULL. */
    record Value(Object text, boolean isRefused) {}

    record Case(String type, String kind, List<Value> values, String table) {}

    interface Run {
        String run() throws Exception;
    }

    final Connection connection;
    final String name;

    JdbcTypes(Connection connection, String name) {
        this.connection = connection;
        this.name = name;
    }

    public static void main(String[] arguments) throws Exception {
        List<String> only = List.of(arguments).subList(5, arguments.length);
        List<Case> cases = cases(Path.of(arguments[4], "values.tsv"), only);
        for (String[] mode : MODES) {
            String url = String.format("jdbc:postgresql://%s:%s/%s?user=%s&sslmode=disable&%s",
                arguments[0], arguments[1], arguments[3], arguments[2], mode[1]);
            try (Connection connection = DriverManager.getConnection(url)) {
                try (Statement statement = connection.createStatement()) {
                    statement.execute("SET TIME ZONE 'UTC'");
                }
                JdbcTypes steps = new JdbcTypes(connection, mode[0]);
                for (Case one : cases) {
                    steps.of(one);
                }
                for (String record : only.isEmpty() ? RECORDS : new String[0]) {
                    steps.step("record", record, () -> steps.query("SELECT " + record));
                    steps.step("record", "columns of " + record, () -> steps.columns("SELECT " + record));
                }
            }
        }
    }

    static List<Case> cases(Path path, List<String> only) throws Exception {
        List<Case> found = new ArrayList<>();
        for (String line : Files.readString(path).split("\n")) {
            if (line.isEmpty() || line.startsWith("#")) {
                continue;
            }
            String[] parts = line.split("\t", -1);
            List<Value> values = new ArrayList<>();
            List<Object> good = new ArrayList<>();
            for (int at = 2; at < parts.length; at++) {
                boolean isRefused = parts[at].startsWith("!");
                String text = unescaped(isRefused ? parts[at].substring(1) : parts[at]);
                values.add(new Value(text, isRefused));
                if (!isRefused) {
                    good.add(text);
                }
            }
            List<Value> row = new ArrayList<>();
            row.add(new Value(good, false));
            row.add(new Value(List.of(), false));
            row.add(new Value(listed(null, good.get(0)), false));
            List<Value> box = new ArrayList<>();
            Object last = good.get(good.size() - 1);
            box.add(new Value(listed(listed(good.get(0), null), listed(last, good.get(0))), false));
            List<List<Value>> all = List.of(values, row, box);
            for (int depth = 0; depth < 3; depth++) {
                all.get(depth).add(new Value(null, false));
                found.add(new Case(parts[0] + "[]".repeat(depth), parts[1], all.get(depth), "of_type_" + found.size()));
            }
        }
        found.removeIf(one -> !only.isEmpty() && !only.contains(one.type));
        return found;
    }

    static List<Object> listed(Object... items) {
        List<Object> list = new ArrayList<>();
        for (Object item : items) {
            list.add(item);
        }
        return list;
    }

    static String unescaped(String text) {
        return Pattern.compile("\\\\(.)").matcher(text).replaceAll(found -> {
            String letter = found.group(1);
            String meant = letter.equals("n") ? "\n" : letter.equals("t") ? "\t" : letter;
            return Matcher.quoteReplacement(meant);
        });
    }

    void of(Case one) throws Exception {
        String table = one.table;
        query("DROP TABLE IF EXISTS " + table);
        if (!step(one.type, "create", () -> query("CREATE TABLE " + table + " (id integer, v " + one.type + ")"))) {
            return;
        }
        for (int at = 0; at < one.values.size(); at++) {
            int id = at;
            Object text = one.values.get(at).text;
            String written = "INSERT INTO " + table + " VALUES (" + (100 + id) + ", " + literal(text, one.kind) + ")";
            step(one.type, "store " + at, () -> query("INSERT INTO " + table + " VALUES (" + id + ", ?)", one, text));
            step(one.type, "literal " + at, () -> query(written));
        }
        step(one.type, "columns", () -> columns("SELECT * FROM " + table + " LIMIT 0"));
        for (int at = 0; at < one.values.size(); at++) {
            for (int id : new int[] {at, 100 + at}) {
                step(one.type, "read " + id, () -> query("SELECT v FROM " + table + " WHERE id = " + id));
            }
        }
        step(one.type, "texts", () -> query("SELECT id, v::text FROM " + table + " ORDER BY id"));
        for (int at = 0; at < one.values.size(); at++) {
            Object text = one.values.get(at).text;
            String where = "SELECT id FROM " + table + " WHERE v = ? ORDER BY id";
            step(one.type, "where " + at, () -> query(where, one, text));
            step(one.type, "cast " + at, () -> query("SELECT CAST(? AS " + one.type + ")", one, text));
        }
        if (!one.type.endsWith("[]")) {
            List<Object> all = new ArrayList<>();
            one.values.stream().filter(value -> value.text != null && !value.isRefused).forEach(v -> all.add(v.text));
            step(one.type, "any", () -> query("SELECT id FROM " + table + " WHERE v = ANY(?) ORDER BY id", one, all));
        }
        step(one.type, "cast columns", () -> columns("SELECT CAST(NULL AS " + one.type + ")"));
    }

    boolean step(String type, String step, Run run) {
        String line = "{\"client\": " + json(name) + ", \"type\": " + json(type) + ", \"step\": " + json(step);
        boolean isDone = false;
        try {
            line += ", \"got\": " + run.run();
            isDone = true;
        } catch (SQLException error) {
            line += ", \"got\": {\"error\": " + json(error.getSQLState()) + "}, \"says\": " + json(error.getMessage());
        } catch (Exception error) {
            String kind = error.getClass().getSimpleName();
            line += ", \"got\": {\"client\": " + json(kind) + "}, \"says\": " + json(String.valueOf(error.getMessage()));
        }
        System.out.println(line + "}");
        return isDone;
    }

    String query(String sql) throws Exception {
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            return answer(statement);
        }
    }

    String query(String sql, Case one, Object text) throws Exception {
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            bind(statement, one, text);
            return answer(statement);
        }
    }

    static String answer(PreparedStatement statement) throws Exception {
        if (!statement.execute()) {
            return String.valueOf(statement.getUpdateCount());
        }
        StringBuilder rows = new StringBuilder("[");
        try (ResultSet found = statement.getResultSet()) {
            int count = found.getMetaData().getColumnCount();
            while (found.next()) {
                rows.append(rows.length() == 1 ? "[" : ", [");
                for (int at = 1; at <= count; at++) {
                    rows.append(at == 1 ? "" : ", ").append(told(value(found, at)));
                }
                rows.append("]");
            }
        }
        return rows.append("]").toString();
    }

    /** Times as the classes of java.time, which hold what PostgreSQL holds. */
    static Object value(ResultSet found, int at) throws SQLException {
        String type = found.getMetaData().getColumnTypeName(at);
        return switch (type) {
            case "date" -> found.getObject(at, LocalDate.class);
            case "time" -> found.getObject(at, LocalTime.class);
            case "timetz" -> found.getObject(at, OffsetTime.class);
            case "timestamp" -> found.getObject(at, LocalDateTime.class);
            case "timestamptz" -> found.getObject(at, OffsetDateTime.class);
            default -> found.getObject(at);
        };
    }

    String columns(String sql) throws Exception {
        try (PreparedStatement statement = connection.prepareStatement(sql); ResultSet found = statement.executeQuery()) {
            ResultSetMetaData columns = found.getMetaData();
            StringBuilder all = new StringBuilder("[");
            for (int at = 1; at <= columns.getColumnCount(); at++) {
                all.append(at == 1 ? "[" : ", [").append(json(columns.getColumnLabel(at)));
                all.append(", ").append(json(columns.getColumnTypeName(at))).append(", ").append(columns.getColumnType(at));
                all.append(", ").append(columns.getPrecision(at)).append(", ").append(columns.getScale(at));
                all.append(", ").append(columns.getColumnDisplaySize(at)).append(", ");
                all.append(json(columns.getColumnClassName(at))).append("]");
            }
            return all.append("]").toString();
        }
    }

    void bind(PreparedStatement statement, Case one, Object text) throws Exception {
        if (text == null) {
            statement.setNull(1, Types.NULL);
        } else if (text instanceof List<?> list) {
            String element = one.type.replace("[]", "").replaceAll("\\(.*\\)", "");
            statement.setArray(1, connection.createArrayOf(named(element), (Object[]) items(list, one.kind, element)));
        } else {
            Object value = scalar((String) text, one.kind, one.type);
            if (value instanceof String string) {
                statement.setString(1, string);
            } else {
                statement.setObject(1, value);
            }
        }
    }

    /** A type's own name, by which the driver knows it. */
    static String named(String type) {
        return switch (type) {
            case "boolean" -> "bool";
            case "smallint" -> "int2";
            case "integer" -> "int4";
            case "bigint" -> "int8";
            case "real" -> "float4";
            case "double precision" -> "float8";
            case "char" -> "bpchar";
            case "\"char\"" -> "char";
            default -> type;
        };
    }

    static Object items(List<?> list, String kind, String type) throws Exception {
        boolean isNested = !list.isEmpty() && list.get(0) instanceof List<?>;
        Object[] items = isNested ? new Object[list.size()][] : new Object[list.size()];
        for (int at = 0; at < items.length; at++) {
            Object item = list.get(at);
            if (item instanceof List<?> inner) {
                items[at] = items(inner, kind, type);
            } else if (item != null) {
                items[at] = element((String) item, kind, type);
            }
        }
        return items;
    }

    /** What the driver can write of an element; of others it takes the text. */
    static Object element(String text, String kind, String type) throws Exception {
        return switch (kind) {
            case "bool", "int", "long", "decimal", "float", "bytes", "uuid" -> scalar(text, kind, type);
            default -> text;
        };
    }

    static Object scalar(String text, String kind, String type) throws Exception {
        switch (kind) {
            case "bool":
                return text.equals("t");
            case "int":
                return type.startsWith("smallint") ? (Object) Short.valueOf(text) : (Object) Integer.valueOf(text);
            case "long":
                return Long.valueOf(text);
            case "decimal":
                return new BigDecimal(text);
            case "float":
                return type.startsWith("real") ? (Object) Float.valueOf(text) : (Object) Double.valueOf(text);
            case "bytes":
                return HexFormat.of().parseHex(text);
            case "uuid":
                return UUID.fromString(text);
            case "interval":
                return new PGInterval(text);
            case "json":
                PGobject json = new PGobject();
                json.setType(type);
                json.setValue(text);
                return json;
            case "text", "byte":
                return text;
            default:
                break;
        }
        boolean isLast = text.equals("infinity");
        boolean isFirst = text.equals("-infinity");
        if (kind.equals("date")) {
            return isLast ? LocalDate.MAX : isFirst ? LocalDate.MIN : LocalDate.parse(year(text));
        }
        if (kind.equals("time")) {
            return LocalTime.parse(text);
        }
        String zoned = text.replaceAll("([+-]\\d\\d)( BC)?$", "$1:00$2");
        if (kind.equals("timetz")) {
            return OffsetTime.parse(zoned);
        }
        String iso = year(zoned).replace(' ', 'T');
        if (kind.equals("timestamp")) {
            return isLast ? LocalDateTime.MAX : isFirst ? LocalDateTime.MIN : LocalDateTime.parse(year(text).replace(' ', 'T'));
        }
        return isLast ? OffsetDateTime.MAX : isFirst ? OffsetDateTime.MIN : OffsetDateTime.parse(iso);
    }

    /** A date with the year as ISO has it: `0044 BC` is -0043. */
    static String year(String text) {
        Matcher before = Pattern.compile("^(\\d+)(.*) BC$").matcher(text);
        if (before.matches()) {
            return String.format("-%04d%s", Integer.parseInt(before.group(1)) - 1, before.group(2));
        }
        return text.matches("^\\d{5,}.*") ? "+" + text : text;
    }

    static String literal(Object value, String kind) {
        return value == null ? "NULL" : "'" + plain(value, kind).replace("'", "''") + "'";
    }

    static String plain(Object value, String kind) {
        if (value instanceof List<?> list) {
            List<String> items = new ArrayList<>();
            for (Object item : list) {
                items.add(item == null ? "NULL" : item instanceof List<?> ? plain(item, kind) : quoted(plain(item, kind)));
            }
            return "{" + String.join(",", items) + "}";
        }
        return (kind.equals("bytes") ? "\\x" : "") + value;
    }

    static String quoted(String text) {
        return "\"" + text.replace("\\", "\\\\").replace("\"", "\\\"") + "\"";
    }

    /** A value that the driver returned, with its class. */
    static String told(Object value) throws SQLException {
        if (value == null) {
            return "null";
        }
        if (value instanceof Array array) {
            value = array.getArray();
        }
        String kind = value.getClass().getSimpleName();
        if (value instanceof byte[] bytes) {
            return "{\"bytes\": " + json(HexFormat.of().formatHex(bytes)) + "}";
        }
        if (value instanceof Object[] items) {
            StringBuilder all = new StringBuilder("{" + json(kind) + ": [");
            for (int at = 0; at < items.length; at++) {
                all.append(at == 0 ? "" : ", ").append(told(items[at]));
            }
            return all.append("]}").toString();
        }
        if (value instanceof PGobject object) {
            return "{" + json(kind + " " + object.getType()) + ": " + json(String.valueOf(object.getValue())) + "}";
        }
        return "{" + json(kind) + ": " + json(value.toString()) + "}";
    }

    static String json(String text) {
        StringBuilder out = new StringBuilder("\"");
        for (char letter : String.valueOf(text).toCharArray()) {
            if (letter == '"' || letter == '\\') {
                out.append('\\').append(letter);
            } else if (letter < 32) {
                out.append(String.format("\\u%04x", (int) letter));
            } else {
                out.append(letter);
            }
        }
        return out.append('"').toString();
    }
}
