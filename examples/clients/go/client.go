// Makes a call (`./run.sh call bob`), or answers one (`./run.sh answer`): REST by the generated client, events by long-poll, a data channel
// by pion.
package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"slices"
	"time"

	. "example.com/signalpost/generated"
	"github.com/google/uuid"
	"github.com/pion/webrtc/v4"
)

type event struct {
	Type string
	Data struct { // What this program reads. Other members are ignored.
		CallId, Sdp, Reason string
		From                struct{ User string }
		Offer, Answer       struct{ Sdp string }
		Candidates          []webrtc.ICECandidateInit
	}
}

var ctx = context.Background()

// A poll is answered after 25 s if there is no event.
var api = must(NewClient(cmp.Or(os.Getenv("SIGNALPOST_URL"), "http://127.0.0.1:8080"), WithHTTPClient(&http.Client{Timeout: 40 * time.Second}),
	WithRequestEditorFn(func(_ context.Context, request *http.Request) error {
		request.Header.Set("Authorization", "Bearer "+os.Getenv("SIGNALPOST_TOKEN"))
		return nil
	})))

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// Repeats a request until there is a reply. That does no harm, because a call has an id that its caller chose.
func request[T any](send func() (*http.Response, error)) (reply T) {
	response, err := send()
	for err != nil || response.StatusCode == 429 || response.StatusCode == 503 {
		time.Sleep(time.Second)
		response, err = send()
	}
	defer response.Body.Close()
	if response.StatusCode >= 300 {
		panic(string(must(io.ReadAll(response.Body))))
	}
	must(0, json.NewDecoder(response.Body).Decode(&reply))
	return reply
}

// Passes on all events after the cursor, each once and in order, until isLast returns true.
func receive(cursor string, isLast func(event) bool) {
	for {
		polled := request[struct {
			Events []event
			Cursor string
		}](func() (*http.Response, error) { return api.PollEvents(ctx, &PollEventsParams{Cursor: &cursor}) })
		if slices.ContainsFunc(polled.Events, isLast) {
			return
		}
		cursor = polled.Cursor
	}
}

// Hangs up when the program is interrupted, and when the function that it returns is called.
func hangUpLater(callId string) func() {
	hangUp := func() (*http.Response, error) { return api.HangUpCall(ctx, callId, nil, HangUpCallRequest{}) }
	interrupted, _ := signal.NotifyContext(ctx, os.Interrupt)
	context.AfterFunc(interrupted, func() { request[CallReply](hangUp); os.Exit(130) })
	return func() { request[CallReply](hangUp) }
}

func newConnection() *webrtc.PeerConnection {
	return must(webrtc.NewPeerConnection(request[webrtc.Configuration](func() (*http.Response, error) { return api.ListIceServers(ctx, nil) })))
}

// The description with all candidates.
func gather(connection *webrtc.PeerConnection, description webrtc.SessionDescription) string {
	gathered := webrtc.GatheringCompletePromise(connection)
	must(0, connection.SetLocalDescription(description))
	<-gathered
	return connection.LocalDescription().SDP
}

func makeCall(user string) {
	connection, callId, echo, answered := newConnection(), uuid.NewString(), make(chan string, 1), make(chan string, 1)
	channel := must(connection.CreateDataChannel("echo", nil))
	channel.OnOpen(func() { _ = channel.SendText("hello") })
	channel.OnMessage(func(message webrtc.DataChannelMessage) { echo <- string(message.Data) })
	offer := &OfferDescription{Sdp: gather(connection, must(connection.CreateOffer(nil)))}
	hangUp, body := hangUpLater(callId), CreateCallRequest{To: user, CallId: &callId, Offer: offer}
	created := request[CreateCallReply](func() (*http.Response, error) { return api.CreateCall(ctx, nil, body) })
	defer hangUp()
	go receive(created.Cursor, func(received event) bool {
		data, answer := received.Data, received.Data.Answer.Sdp
		switch {
		case data.CallId != callId: // Of another call of this user.
			return false
		case received.Type == "call.ended":
			panic("ended: " + data.Reason)
		case received.Type == "call.accepted":
			fmt.Println("accepted")
		case received.Type == "signal.answer": // If it did not come with the accept.
			answer = data.Sdp
		}
		if answer != "" {
			answered <- answer
			must(0, connection.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer}))
		}
		for _, candidate := range data.Candidates { // With its description, or after it.
			must(0, connection.AddICECandidate(candidate))
		}
		return false
	})
	<-answered
	if os.Getenv("MEDIA") != "none" {
		fmt.Println("echo:", <-echo)
	}
	fmt.Println("ended: hangup")
}

func answerCall() {
	snapshot, callId := request[Snapshot](func() (*http.Response, error) { return api.GetSnapshot(ctx, nil) }), ""
	connection := newConnection()
	fmt.Println("ready")
	receive(snapshot.Cursor, func(received event) bool {
		data := received.Data
		if received.Type == "call.incoming" && callId == "" {
			callId = data.CallId
			hangUpLater(callId)
			fmt.Println("incoming from", data.From.User)
			connection.OnDataChannel(func(channel *webrtc.DataChannel) {
				channel.OnMessage(func(message webrtc.DataChannelMessage) { _ = channel.SendText(string(message.Data)) })
			})
			must(0, connection.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: data.Offer.Sdp}))
			answer := AnswerDescription{Sdp: gather(connection, must(connection.CreateAnswer(nil)))}
			body := AcceptCallRequest{Answer: &answer}
			request[AcceptCallReply](func() (*http.Response, error) { return api.AcceptCall(ctx, callId, nil, body) })
		}
		if data.CallId != callId {
			return false
		}
		for _, candidate := range data.Candidates { // With its description, or after it.
			must(0, connection.AddICECandidate(candidate))
		}
		if received.Type == "call.ended" {
			fmt.Println("ended:", data.Reason)
		}
		return received.Type == "call.ended"
	})
}

func main() {
	if len(os.Args) == 3 {
		makeCall(os.Args[2])
	} else {
		answerCall()
	}
}
