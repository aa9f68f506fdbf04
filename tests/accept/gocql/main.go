// Uses a CQL server as a Go program does: keyspace and table, prepared inserts from many goroutines, batches, paging,
// NULLs, schema.  Usage: gocql ADDRESS VERSION none|snappy|lz4.  Prints what it found; test_clients_cql_go.py compares.
package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"sort"
	"strconv"
	"sync"
	"time"

	"github.com/gocql/gocql"
	"github.com/gocql/gocql/lz4"
)

const rows = 2000
const k64 = int64(1) << 40
const insertRow = "INSERT INTO t (k, v, n) VALUES (?, ?, ?)"
const createKeyspace = "CREATE KEYSPACE go WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}"

func must(err error, what string) {
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", what, err)
		os.Exit(1)
	}
}

func open(address string, version string, compression string, keyspace string) *gocql.Session {
	host, port, err := net.SplitHostPort(address)
	must(err, "address")
	cluster := gocql.NewCluster(host)
	cluster.Port, err = strconv.Atoi(port)
	must(err, "port")
	cluster.ProtoVersion, err = strconv.Atoi(version)
	must(err, "version")
	cluster.Authenticator = gocql.PasswordAuthenticator{Username: "cassandra", Password: "cassandra"}
	cluster.Timeout = 60 * time.Second
	cluster.ConnectTimeout = 60 * time.Second
	cluster.Keyspace = keyspace
	switch compression {
	case "snappy":
		cluster.Compressor = gocql.SnappyCompressor{}
	case "lz4":
		cluster.Compressor = lz4.LZ4Compressor{}
	}
	session, err := cluster.CreateSession()
	must(err, "connect")
	return session
}

func insertAll(session *gocql.Session) {
	var wait sync.WaitGroup
	for worker := 0; worker < 8; worker++ {
		wait.Add(1)
		go func(worker int) {
			defer wait.Done()
			for k := worker; k < rows/2; k += 8 {
				insert := session.Query(insertRow, k, fmt.Sprintf("value %d", k), int64(k)*k64)
				must(insert.Exec(), "insert")
			}
		}(worker)
	}
	wait.Wait()
	for k := rows / 2; k < rows; k += 50 {
		batch := session.NewBatch(gocql.UnloggedBatch).WithContext(context.Background())
		for i := k; i < k+50; i++ {
			batch.Query(insertRow, i, fmt.Sprintf("value %d", i), int64(i)*k64)
		}
		must(session.ExecuteBatch(batch), "batch")
	}
}

// Every row, some hundred a page; the sum is wrong when one is missing, twice or damaged.
func readAll(session *gocql.Session) {
	var key, count int
	var text string
	var number, sum int64
	iter := session.Query("SELECT k, v, n FROM t").PageSize(171).Iter()
	for iter.Scan(&key, &text, &number) {
		if text != fmt.Sprintf("value %d", key) || number != int64(key)*k64 {
			must(fmt.Errorf("%d has %q, %d", key, text, number), "read")
		}
		count++
		sum += int64(key)
	}
	must(iter.Close(), "read")
	fmt.Println("rows", count, "sum", sum)

	pages := 0
	var state []byte
	for {
		iter = session.Query("SELECT k FROM t").PageSize(500).PageState(state).Iter()
		state = iter.PageState()
		for iter.Scan(&key) {
		}
		must(iter.Close(), "page")
		pages++
		if len(state) == 0 {
			break
		}
	}
	fmt.Println("pages", pages)
}

func oneRow(session *gocql.Session) {
	var text *string
	var stamp time.Time
	id := gocql.TimeUUID()
	when := time.UnixMilli(1700000000123).UTC()
	must(session.Query("INSERT INTO types (id, a, b, c) VALUES (?, ?, ?, ?)", id, nil, when, 1.5).Exec(), "insert types")
	var number float64
	must(session.Query("SELECT a, b, c FROM types WHERE id = ?", id).Scan(&text, &stamp, &number), "read types")
	fmt.Println("null", text == nil, "timestamp", stamp.UTC().Equal(when), "double", number)
	err := session.Query("SELECT a FROM types WHERE id = ?", gocql.TimeUUID()).Scan(&text)
	fmt.Println("absent", err == gocql.ErrNotFound)
	err = session.Query("SELECT nope FROM types").Exec()
	fmt.Println("error", err)
}

func main() {
	address, version, compression := os.Args[1], os.Args[2], os.Args[3]
	session := open(address, version, compression, "")
	must(session.Query("DROP KEYSPACE IF EXISTS go").Exec(), "drop")
	must(session.Query(createKeyspace).Exec(), "keyspace")
	session.Close()

	session = open(address, version, compression, "go")
	defer session.Close()
	must(session.Query("CREATE TABLE t (k int PRIMARY KEY, v text, n bigint)").Exec(), "table")
	must(session.Query("CREATE TABLE types (id uuid PRIMARY KEY, a text, b timestamp, c double)").Exec(), "table")
	must(session.AwaitSchemaAgreement(context.Background()), "schema agreement")
	insertAll(session)
	readAll(session)
	oneRow(session)
	keyspace, err := session.KeyspaceMetadata("go")
	must(err, "metadata")
	names := []string{}
	for name, table := range keyspace.Tables {
		names = append(names, fmt.Sprintf("%s(%s)", name, table.PartitionKey[0].Name))
	}
	sort.Strings(names)
	fmt.Println("tables", names)
}
