//! The floor: a worker that makes round trips and does nothing else. `/r/off/w` makes a D1 batch that reads, then a Durable Object call and
//! two requests upstream at once, then a D1 batch that writes; `/` is an empty worker.
#![cfg(target_arch = "wasm32")]

use futures_util::future::try_join_all;
use serde::Deserialize;
use worker::{Context, DurableObject, Env, Fetch, Request, Response, State, Url, durable_object, event, wasm_bindgen};

#[derive(Deserialize)]
struct Row {
    name: String,
}

#[event(fetch)]
async fn answer(request: Request, env: Env, _: Context) -> worker::Result<Response> {
    let mut length = 0;
    for step in request.path().split('/') {
        length += try_join_all(step.chars().map(|trip| make(&env, trip))).await?.into_iter().sum::<usize>();
    }
    Response::ok(length.to_string())
}

/// Makes one trip; the length of what came back.
async fn make(env: &Env, trip: char) -> worker::Result<usize> {
    Ok(match trip {
        'r' => {
            let read = env.d1("DB")?.prepare("SELECT name FROM floor WHERE id = ?1").bind(&[1.into()])?;
            env.d1("DB")?.batch(vec![read]).await?[0].results::<Row>()?[0].name.len()
        }
        'w' => {
            let write = env.d1("DB")?.prepare("UPDATE floor SET times = times + 1 WHERE id = ?1").bind(&[1.into()])?;
            env.d1("DB")?.batch(vec![write]).await?.len()
        }
        'o' => {
            let object = env.durable_object("COUNTER")?.get_by_name("one")?;
            object.fetch_with_str("https://counter/").await?.text().await?.len()
        }
        _ => Fetch::Url(Url::parse(&env.var("UPSTREAM")?.to_string())?).send().await?.bytes().await?.len(),
    })
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
