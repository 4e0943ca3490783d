import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.Stream;

/**
 * The HttpClient of the JDK. Each request offers HTTP/2 with `Upgrade: h2c`. It prints a line of JSON for its version, for
 * each event, and for what may explain a failure.
 */
public class JdkHttpClient {
    private static final HttpClient CLIENT = HttpClient.newHttpClient();

    private static String lastId = "";
    private static long retryMs = 1000;

    public static void main(String[] args) throws InterruptedException {
        System.out.println("{\"version\":\"" + System.getProperty("java.version") + "\"}");
        while (!isComplete()) Thread.sleep(retryMs);
    }

    /** Reads one stream. True: its body is complete, so the server does not want the client back. */
    private static boolean isComplete() throws InterruptedException {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(System.getenv("STREAM_URL")))
            .header("Accept", "text/event-stream")
            .header("Authorization", "Bearer " + System.getenv("TOKEN"));
        if (!lastId.isEmpty()) request.header("Last-Event-ID", lastId);
        try {
            HttpResponse<Stream<String>> response = CLIENT.send(request.build(), BodyHandlers.ofLines());
            if (response.statusCode() != 200) throw new IOException("status " + response.statusCode());
            Map<String, String> fields = new HashMap<>();
            response.body().forEach(line -> read(line, fields));
            return true;
        } catch (IOException | UncheckedIOException error) {
            System.out.println("{\"note\":\"" + error.toString().replace('"', '\'') + "\"}");
            return false;
        }
    }

    /** A blank line ends an event. One that the end of the body cuts short is dropped. */
    private static void read(String line, Map<String, String> fields) {
        int colon = line.indexOf(": ");
        if (colon > 0) fields.put(line.substring(0, colon), line.substring(colon + 2));
        if (!line.isEmpty() || fields.isEmpty()) return;
        String id = fields.getOrDefault("id", "");
        // The data is JSON on one line.
        System.out.println("{\"event\":\"" + fields.get("event") + "\",\"id\":\"" + id + "\",\"data\":" + fields.get("data") + "}");
        if (!id.isEmpty()) lastId = id;
        if (fields.containsKey("retry")) retryMs = Long.parseLong(fields.get("retry"));
        fields.clear();
    }
}
