import com.datastax.oss.driver.api.core.CqlSession;
import com.datastax.oss.driver.api.core.cql.*;
import java.net.InetSocketAddress;
import java.util.*;

/** Java driver 4: connects with its defaults, makes a table, writes prepared and batched, reads pages. */
public class Driver {
    public static void main(String[] arguments) {
        try (CqlSession session = CqlSession.builder()
                .addContactPoint(new InetSocketAddress(arguments[0], Integer.parseInt(arguments[1])))
                .withLocalDatacenter(arguments[2]).withAuthCredentials("cassandra", "cassandra").build()) {
            session.execute("CREATE KEYSPACE java WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}");
            session.execute("CREATE TABLE java.rows (k int, c int, v text, tags set<text>, m map<text, int>, "
                    + "PRIMARY KEY (k, c)) WITH CLUSTERING ORDER BY (c DESC)");
            PreparedStatement insert = session.prepare("INSERT INTO java.rows (k, c, v, tags, m) VALUES (?, ?, ?, ?, ?)");
            BatchStatementBuilder batch = BatchStatement.builder(DefaultBatchType.UNLOGGED);
            for (int c = 0; c < 100; c++)
                batch.addStatement(insert.bind(1, c, "value " + c, Set.of("a", "b" + c), Map.of("x", c)));
            session.execute(batch.build());
            Statement<?> all = SimpleStatement.newInstance("SELECT * FROM java.rows WHERE k = 1 AND c < 50").setPageSize(7);
            for (Row row : session.execute(all))
                System.out.println(row.getInt("c") + " " + row.getString("v") + " "
                        + new TreeSet<>(row.getSet("tags", String.class)) + " " + row.getMap("m", String.class, Integer.class));
            System.out.println(session.getMetadata().getKeyspace("java").get().getTable("rows").get().describe(false));
            System.out.println(session.getContext().getProtocolVersion());
        }
    }
}
