// Produces with franz-go, then reads in a group in two goes.
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func read(ctx context.Context, address string, count int) {
	client, err := kgo.NewClient(kgo.SeedBrokers(address), kgo.ConsumerGroup("franz"), kgo.ConsumeTopics("franz"),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.DisableAutoCommit())
	check(err)
	defer client.Close()
	for got := 0; got < count; {
		fetches := client.PollRecords(ctx, count-got)
		for _, e := range fetches.Errors() {
			check(e.Err)
		}
		for _, record := range fetches.Records() {
			fmt.Println(string(record.Value))
			got++
		}
		check(client.CommitRecords(ctx, fetches.Records()...))
	}
}

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	client, err := kgo.NewClient(kgo.SeedBrokers(os.Args[1]), kgo.AllowAutoTopicCreation(),
		kgo.ProducerBatchCompression(kgo.ZstdCompression()))
	check(err)
	for n := 0; n < 100; n++ {
		client.Produce(ctx, &kgo.Record{Topic: "franz", Value: []byte(fmt.Sprintf("franz %d", n))}, nil)
	}
	check(client.Flush(ctx))
	client.Close()
	read(ctx, os.Args[1], 60)
	read(ctx, os.Args[1], 40)
}
