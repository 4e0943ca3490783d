// Prints what the client of github.com/r3labs/sse receives: a line of JSON for its version, for each event, and for what may explain a failure.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"runtime/debug"
	"time"

	"github.com/r3labs/sse/v2"
	"gopkg.in/cenkalti/backoff.v1"
)

// By default the client refuses events of more than 64 KiB. A mailbox has no larger event than this.
const maxEventBytes = 2 << 20

type event struct {
	Event string          `json:"event"`
	ID    string          `json:"id"`
	Data  json.RawMessage `json:"data"`
}

func printLine(line any) {
	text, err := json.Marshal(line)
	if err != nil {
		panic(err)
	}
	fmt.Println(string(text))
}

func printNote(note string) {
	printLine(map[string]string{"note": note})
}

func version() string {
	info, _ := debug.ReadBuildInfo()
	for _, module := range info.Deps {
		if module.Path == "github.com/r3labs/sse/v2" {
			return module.Version
		}
	}
	return "unknown"
}

func main() {
	printLine(map[string]string{"version": version()})
	client := sse.NewClient(os.Getenv("STREAM_URL"), sse.ClientMaxBufferSize(maxEventBytes))
	client.Headers["Authorization"] = "Bearer " + os.Getenv("TOKEN")
	// By default the client gives up when its connection breaks more than 15 minutes after it subscribed, and waits longer each
	// time, up to a minute.
	retry := backoff.NewExponentialBackOff()
	retry.MaxElapsedTime = 0
	retry.MaxInterval = 4 * time.Second
	client.ReconnectStrategy = retry
	client.ReconnectNotify = func(err error, wait time.Duration) {
		printNote(fmt.Sprintf("%v, reconnects in %v", err, wait))
	}
	err := client.SubscribeRaw(func(message *sse.Event) {
		// The beginning of an event in which the connection broke. The whole event follows.
		if !json.Valid(message.Data) {
			printNote("incomplete event")
			return
		}
		printLine(event{string(message.Event), string(message.ID), message.Data})
	})
	printNote(fmt.Sprintf("ended: %v", err))
}
