//! Makes a call (`./run.sh call bob`), or answers one (`./run.sh answer`): REST by the generated client, events by long-poll, a data channel
//! by webrtc-rs.
use reqwest::header::{HeaderMap, AUTHORIZATION};
use serde_json::{from_value, Value};
use signalpost_client::{types, ByteStream, Client, ClientInfo, Error, ResponseValue};
use std::{env, future::Future, sync::Arc, sync::OnceLock, time::Duration};
use tokio::{sync::mpsc, time::sleep};
use webrtc::data_channel::{data_channel_message::DataChannelMessage, RTCDataChannel};
use webrtc::peer_connection::{configuration::RTCConfiguration, sdp::session_description::RTCSessionDescription, RTCPeerConnection};
use webrtc::{api::APIBuilder, ice_transport::ice_server::RTCIceServer};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// The call that we are in.
static CALL_ID: OnceLock<String> = OnceLock::new();

/// Repeats a request until there is a reply. That does no harm, because a call has an id that its caller chose.
async fn request<T, F: Future<Output = std::result::Result<ResponseValue<T>, Error<ByteStream>>>>(send: impl Fn() -> F) -> Result<T> {
    loop {
        match send().await {
            Ok(reply) => return Ok(reply.into_inner()),
            Err(error) if error.is_retryable() => sleep(Duration::from_secs(1)).await,
            Err(error) => return Err(error.to_string().into()),
        }
    }
}

/// The next events. Each comes once and in order, also after a break. As JSON, because what `data` has depends on the type.
async fn poll(api: &Client, cursor: &mut String) -> Result<Vec<Value>> {
    loop {
        let request = api.client().get(format!("{}/v1/events/poll", api.baseurl())).query(&[("cursor", &cursor)]);
        let reply: reqwest::Result<Value> = async { request.send().await?.error_for_status()?.json().await }.await;
        match reply {
            Ok(mut body) => {
                *cursor = text(&body["cursor"]);
                return Ok(from_value(body["events"].take())?);
            }
            Err(error) if error.status().is_some_and(|status| status != 429 && status != 503) => return Err(error.into()),
            Err(_) => sleep(Duration::from_secs(1)).await,
        }
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().into()
}

async fn connect(api: &Client) -> Result<RTCPeerConnection> {
    let servers =
        request(|| api.list_ice_servers().send()).await?.ice_servers.into_iter().map(|types::IceServer { urls, username, credential }| {
            RTCIceServer { urls, username: username.unwrap_or_default(), credential: credential.unwrap_or_default() }
        });
    let configuration = RTCConfiguration { ice_servers: servers.collect(), ..Default::default() };
    Ok(APIBuilder::new().build().new_peer_connection(configuration).await?)
}

/// Returns the description with all candidates of this side.
async fn gather(connection: &RTCPeerConnection, description: RTCSessionDescription) -> Result<String> {
    let mut gathered = connection.gathering_complete_promise().await;
    connection.set_local_description(description).await?;
    gathered.recv().await;
    Ok(connection.local_description().await.ok_or("it was set")?.sdp)
}

fn send_hello(channel: Arc<RTCDataChannel>, echo: mpsc::Sender<String>) {
    channel.on_message(Box::new(move |message: DataChannelMessage| {
        let _ = echo.try_send(String::from_utf8_lossy(&message.data).into());
        Box::pin(async {})
    }));
    let sender = channel.clone();
    channel.on_open(Box::new(move || Box::pin(async move { drop(sender.send_text("hello").await) })));
}

fn send_back(channel: Arc<RTCDataChannel>) {
    let sender = channel.clone();
    channel.on_message(Box::new(move |message: DataChannelMessage| {
        let sender = sender.clone();
        Box::pin(async move { drop(sender.send_text(String::from_utf8_lossy(&message.data)).await) })
    }));
}

async fn make_call(api: &Client, user: &str) -> Result<()> {
    let (connection, (send_echo, mut echo)) = (connect(api).await?, mpsc::channel(1));
    send_hello(connection.create_data_channel("echo", None).await?, send_echo);
    let sdp = gather(&connection, connection.create_offer(None).await?).await?;
    let offer = types::OfferDescription { sdp: sdp.parse()?, type_: None };
    let call_id = CALL_ID.get_or_init(|| uuid::Uuid::new_v4().to_string());
    let body = types::CreateCallRequest::builder().to(user).call_id(call_id.parse::<types::CallId>()?).offer(offer);
    let created = request(|| api.create_call().body(body.clone()).send()).await?;
    let (mut cursor, mut is_done) = (created.cursor.to_string(), false);
    while !is_done {
        let events = tokio::select! {
            events = poll(api, &mut cursor) => events?,
            Some(text) = echo.recv() => {
                println!("echo: {text}");
                break;
            }
        };
        for event in events.iter().filter(|event| event["data"]["callId"] == **call_id) {
            let (data, kind) = (&event["data"], text(&event["type"]));
            match kind.as_str() {
                "call.ended" => return Err(format!("ended: {}", text(&data["reason"])).into()),
                "call.accepted" => println!("accepted"),
                _ => {}
            }
            // The answer comes with the accept, or after it.
            let answer = if kind == "signal.answer" { &data["sdp"] } else { &data["answer"]["sdp"] };
            if answer.is_string() {
                is_done = env::var("MEDIA").as_deref() == Ok("none");
                connection.set_remote_description(RTCSessionDescription::answer(text(answer))?).await?;
            }
            // Candidates come with the description, or after it.
            for candidate in data["candidates"].as_array().into_iter().flatten() {
                connection.add_ice_candidate(from_value(candidate.clone())?).await?;
            }
        }
    }
    request(|| api.hang_up_call().call_id(call_id.as_str()).send()).await?;
    println!("ended: hangup");
    Ok(())
}

async fn answer_call(api: &Client) -> Result<()> {
    let mut cursor = request(|| api.get_snapshot().send()).await?.cursor.to_string();
    let connection = connect(api).await?;
    connection.on_data_channel(Box::new(|channel| Box::pin(async { send_back(channel) })));
    println!("ready");
    loop {
        for event in poll(api, &mut cursor).await? {
            let data = &event["data"];
            if event["type"] == "call.incoming" && CALL_ID.get().is_none() {
                let call_id = CALL_ID.get_or_init(|| text(&data["callId"]));
                println!("incoming from {}", text(&data["from"]["user"]));
                connection.set_remote_description(RTCSessionDescription::offer(text(&data["offer"]["sdp"]))?).await?;
                let sdp = gather(&connection, connection.create_answer(None).await?).await?;
                let body = types::AcceptCallRequest::builder().answer(types::AnswerDescription { sdp: sdp.parse()?, type_: None });
                request(|| api.accept_call().call_id(call_id.as_str()).body(body.clone()).send()).await?;
            }
            if CALL_ID.get() == Some(&text(&data["callId"])) {
                for candidate in data["candidates"].as_array().into_iter().flatten() {
                    connection.add_ice_candidate(from_value(candidate.clone())?).await?;
                }
                if event["type"] == "call.ended" {
                    println!("ended: {}", text(&data["reason"]));
                    return Ok(());
                }
            }
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let headers = HeaderMap::from_iter([(AUTHORIZATION, format!("Bearer {}", env::var("SIGNALPOST_TOKEN")?).parse()?)]);
    // A poll is answered after 25 s if there is no event.
    let http = reqwest::Client::builder().default_headers(headers).timeout(Duration::from_secs(40)).build()?;
    let api = Client::new_with_client(&env::var("SIGNALPOST_URL").unwrap_or("http://127.0.0.1:8080".into()), http);
    let call = async {
        match env::args().nth(2) {
            Some(user) => make_call(&api, &user).await,
            None => answer_call(&api).await,
        }
    };
    tokio::select! {
        outcome = call => outcome,
        _ = tokio::signal::ctrl_c() => match CALL_ID.get() {
            Some(call_id) => request(|| api.hang_up_call().call_id(call_id.as_str()).send()).await.map(drop),
            None => Ok(()),
        }
    }
}
