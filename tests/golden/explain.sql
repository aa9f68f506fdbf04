-- test: EXPLAIN shows sinks, columns, filters, sources with their options, and what is kept
CREATE TABLE orders (id STRING, amount INT, note STRING)
    WITH ('connector' = 'kafka', 'topic' = 'orders', 'format' = 'json', 'properties.bootstrap.servers' = 'k:9092');
CREATE TABLE big (id STRING, amount INT, PRIMARY KEY (id) NOT ENFORCED)
    WITH ('connector' = 'cassandra', 'keyspace' = 'shop', 'table' = 'big', 'password' = 'hidden');
CREATE TABLE seen (id STRING) WITH ('connector' = 'print');
EXPLAIN PLAN FOR INSERT INTO big SELECT id, amount * 2 FROM orders WHERE amount > 100;
-- rows
-- Sink big (cassandra, keyspace = shop, table = big, password = …)
-- +- Project
-- |    id = `id`
-- |    amount = (`amount` * 2)
-- +- Filter (`amount` > 100)
-- +- Source orders (kafka, topic = orders, format = json, properties.bootstrap.servers = k:9092)
--      columns read: id, amount
-- Runs on one thread
-- Checkpoint every 1 s: offset and write-time clock of each partition of orders
-- Shared: other processes that run it take some of the partitions, by the group's offsets
-- State: none; after a crash rows are written again, by key and with the same write times: nothing is there twice
-- Bad records: 'records.on-error' = 'dlq'
EXPLAIN SELECT id FROM orders LIMIT 3;
-- rows
-- Result
-- +- Limit 3
-- +- Project
-- |    id = `id`
-- +- Source orders (kafka, topic = orders, format = json, properties.bootstrap.servers = k:9092)
--      columns read: id
-- Runs on one thread
-- Checkpoint: none, a SELECT starts anew
EXPLAIN EXECUTE STATEMENT SET BEGIN INSERT INTO big SELECT id, amount FROM orders;
    INSERT INTO seen SELECT id FROM orders; END;
-- rows
-- Sink big (cassandra, keyspace = shop, table = big, password = …)
-- +- Project
-- |    id = `id`
-- |    amount = `amount`
-- +- Source orders (kafka, topic = orders, format = json, properties.bootstrap.servers = k:9092)
--      columns read: id, amount
-- Sink seen (print)
-- +- Project
-- |    id = `id`
-- +- Source orders (kafka, topic = orders, format = json, properties.bootstrap.servers = k:9092)
--      columns read: id, amount
-- Runs on one thread; every record is read once for all sinks
-- Checkpoint every 1 s, and after each flush: offset and write-time clock of each partition of orders
-- Shared: other processes that run it take some of the partitions, by the group's offsets
-- State: none; after a crash rows are written again: some may be there twice, for a sink has no PRIMARY KEY
-- Bad records: 'records.on-error' = 'dlq'
-- fails (next statement): line 1, column 9: EXPLAIN wants a SELECT, an INSERT or a STATEMENT SET
EXPLAIN SHOW TABLES;
