//! The floor: a worker that makes round trips and does nothing else. `/4/3/2/1` makes four D1 batches that read, three
//! Durable Object calls, two requests upstream and one D1 batch that writes, one after the other; `/` is an empty worker.
#![cfg(target_arch = "wasm32")]

use serde::Deserialize;
use worker::{Context, DurableObject, Env, Fetch, Request, Response, State, Url, durable_object, event, wasm_bindgen};

#[derive(Deserialize)]
struct Row {
    name: String,
}

#[event(fetch)]
async fn answer(request: Request, env: Env, _: Context) -> worker::Result<Response> {
    let path = request.path();
    let mut counts = path.split('/').skip(1).map(|count| count.parse().unwrap_or(0_u32));
    let (reads, objects, fetches, writes) = (counts.next(), counts.next(), counts.next(), counts.next());
    let mut length = 0;
    for _ in 0..reads.unwrap_or(0) {
        let read = env.d1("DB")?.prepare("SELECT name FROM floor WHERE id = ?1").bind(&[1.into()])?;
        let results = env.d1("DB")?.batch(vec![read]).await?;
        length += results[0].results::<Row>()?[0].name.len();
    }
    for _ in 0..objects.unwrap_or(0) {
        let object = env.durable_object("COUNTER")?.get_by_name("one")?;
        length += object.fetch_with_str("https://counter/").await?.text().await?.len();
    }
    for _ in 0..fetches.unwrap_or(0) {
        let url = Url::parse(&env.var("UPSTREAM")?.to_string())?;
        length += Fetch::Url(url).send().await?.bytes().await?.len();
    }
    for _ in 0..writes.unwrap_or(0) {
        let write = env.d1("DB")?.prepare("UPDATE floor SET times = times + 1 WHERE id = ?1").bind(&[1.into()])?;
        length += env.d1("DB")?.batch(vec![write]).await?.len();
    }
    Response::ok(length.to_string())
}

#[durable_object(fetch)]
pub struct Counter {
    state: State,
}

impl DurableObject for Counter {
    fn new(state: State, _: Env) -> Self {
        Self { state }
    }

    async fn fetch(&self, _: Request) -> worker::Result<Response> {
        let count = self.state.storage().get::<u32>("count").await?.unwrap_or(0) + 1;
        self.state.storage().put("count", count).await?;
        Response::ok(count.to_string())
    }
}
