// Makes a call (`./run.sh call bob`), or answers one (`./run.sh answer`): REST by the generated client, events by long-poll. Signaling only:
// its descriptions are always the same, and no media flows.
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.UUID;
import java.util.function.Predicate;
import org.openapitools.client.ApiClient;
import org.openapitools.client.ApiException;
import org.openapitools.client.api.CallsApi;
import org.openapitools.client.api.EventsApi;
import org.openapitools.client.model.AcceptCallRequest;
import org.openapitools.client.model.AnswerDescription;
import org.openapitools.client.model.CreateCallRequest;
import org.openapitools.client.model.HangUpCallRequest;
import org.openapitools.client.model.OfferDescription;
import org.openapitools.client.model.Snapshot;

public class Client {
  static final String URL = System.getenv().getOrDefault("SIGNALPOST_URL", "http://127.0.0.1:8080");
  static final String AUTHORIZATION = "Bearer " + System.getenv("SIGNALPOST_TOKEN");
  static final String DEVICE = System.getenv().getOrDefault("DEVICE", "java");
  static final ObjectMapper JSON = new ObjectMapper();
  static final ApiClient API = new ApiClient();
  static final CallsApi CALLS;
  static final EventsApi EVENTS;
  /** The call to hang up when the program is interrupted. */
  static volatile String active;

  static {
    API.updateBaseUri(URL);
    API.setReadTimeout(Duration.ofSeconds(10));
    API.setRequestInterceptor(builder -> builder.header("Authorization", AUTHORIZATION));
    CALLS = new CallsApi(API);
    EVENTS = new EventsApi(API);
  }

  /** A request that may be repeated, because a call has an id that its caller chose. */
  interface Request<Reply> {
    Reply send() throws ApiException;
  }

  /** Repeats a request until there is a reply. */
  static <Reply> Reply repeat(Request<Reply> request) throws ApiException, InterruptedException {
    while (true) {
      try {
        return request.send();
      } catch (ApiException problem) {
        // 0: there was no reply.
        if (problem.getCode() != 0 && problem.getCode() != 429 && problem.getCode() != 503) throw problem;
        Thread.sleep(1000);
      }
    }
  }

  /** Passes on all events after the cursor, each once and in order, although the connection breaks, until `isLast` returns true. */
  static void receive(String cursor, Predicate<JsonNode> isLast) throws InterruptedException, IOException {
    HttpClient http = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    while (true) {
      // The reply comes after 25 s if there is no event. As JSON, because what `data` has depends on the type.
      HttpRequest request = HttpRequest.newBuilder(URI.create(URL + "/v1/events/poll?cursor=" + cursor))
          .headers("Authorization", AUTHORIZATION, "X-Device-Id", DEVICE).timeout(Duration.ofSeconds(40)).build();
      try {
        HttpResponse<String> reply = http.send(request, BodyHandlers.ofString());
        JsonNode body = JSON.readTree(reply.body());
        if (reply.statusCode() != 200 && !body.path("retryable").asBoolean()) throw new IllegalStateException(reply.body());
        for (JsonNode event : body.path("events")) if (isLast.test(event)) return;
        cursor = body.path("cursor").asText(cursor);
        if (reply.statusCode() != 200) Thread.sleep(1000);
      } catch (IOException broken) {
        Thread.sleep(1000);
      }
    }
  }

  static void call(String user) throws Exception {
    String callId = UUID.randomUUID().toString();
    CreateCallRequest body = new CreateCallRequest().to(user).callId(callId).offer(new OfferDescription().sdp(sdp("actpass")));
    active = callId;
    String cursor = repeat(() -> CALLS.createCall(body, null, DEVICE)).getCursor();
    receive(cursor, event -> {
      JsonNode data = event.get("data");
      if (!callId.equals(data.path("callId").asText())) return false;
      String type = event.get("type").asText();
      if (type.equals("call.ended")) throw new IllegalStateException("ended: " + data.get("reason").asText());
      if (type.equals("call.accepted")) System.out.println("accepted");
      // The answer comes with the accept, or after it.
      return type.equals("signal.answer") || type.equals("call.accepted") && data.has("answer");
    });
    hangUp();
    System.out.println("ended: hangup");
  }

  static void hangUp() throws ApiException, InterruptedException {
    if (active != null) repeat(() -> CALLS.hangUpCall(active, null, DEVICE, new HangUpCallRequest()));
    active = null;
  }

  static void answer() throws Exception {
    Snapshot snapshot = repeat(() -> EVENTS.getSnapshot(DEVICE));
    System.out.println("ready");
    receive(snapshot.getCursor(), event -> {
      JsonNode data = event.get("data");
      switch (event.get("type").asText()) {
        case "call.incoming" -> {
          if (active != null) return false;
          active = data.get("callId").asText();
          System.out.println("incoming from " + data.get("from").get("user").asText());
          AcceptCallRequest body = new AcceptCallRequest().answer(new AnswerDescription().sdp(sdp("active")));
          try {
            repeat(() -> CALLS.acceptCall(active, DEVICE, body));
          } catch (ApiException | InterruptedException problem) {
            throw new IllegalStateException(problem);
          }
        }
        case "call.ended" -> {
          if (!data.get("callId").asText().equals(active)) return false;
          active = null;
          System.out.println("ended: " + data.get("reason").asText());
          return true;
        }
        default -> {} // Other events, and those of later versions.
      }
      return false;
    });
  }

  /** A description of a data channel that is not used. */
  static String sdp(String setup) {
    return String.join("\r\n", "v=0", "o=- 1 2 IN IP4 127.0.0.1", "s=-", "t=0 0",
        "m=application 9 UDP/DTLS/SCTP webrtc-datachannel", "c=IN IP4 0.0.0.0", "a=ice-ufrag:java", "a=ice-pwd:x9cml/YzichV2+XlhiMu8g",
        "a=fingerprint:sha-256 " + "D1:".repeat(31) + "D1", "a=setup:" + setup, "a=mid:0", "a=sctp-port:5000", "");
  }

  public static void main(String[] arguments) throws Exception {
    Runtime.getRuntime().addShutdownHook(new Thread(() -> {
      try {
        hangUp();
      } catch (ApiException | InterruptedException ended) {
        // It has ended, or was refused.
      }
    }));
    if (arguments.length == 2 && arguments[0].equals("call")) call(arguments[1]);
    else answer();
    System.exit(0);
  }
}
