//! Forests and what is none, long trees, branches.

use super::*;

fn check(items: &[(i64, Option<i64>)], expected: &str, detached: usize) {
    let items = items.iter().map(|(id, parent)| match json!({ "id": id, "parent_id": parent }) {
        Value::Object(item) => item,
        _ => Item::new(),
    });
    let forest = Forest::plant(items.collect());
    assert_eq!(forest.detached, detached, "detached in {expected}");
    assert_eq!(draw(&forest.grow().0), expected);
}

fn draw(items: &[Value]) -> String {
    let draw_one = |item: &Value| match item["children"].as_array() {
        Some(children) => format!("{}({})", item["id"], draw(children)),
        None => item["id"].to_string(),
    };
    items.iter().map(draw_one).collect::<Vec<_>>().join(" ")
}

#[test]
fn items_hang_under_their_parents_in_order() {
    check(&[], "", 0);
    check(&[(1, None), (2, Some(1)), (3, Some(1)), (4, Some(2)), (5, None)], "1(2(4) 3) 5", 0);
    check(&[(4, Some(2)), (2, Some(1)), (1, None)], "1(2(4))", 0);
}

#[test]
fn every_item_appears_once_even_if_upstream_gives_no_forest() {
    check(&[(1, None), (2, Some(9)), (3, Some(2))], "1 2(3)", 1);
    check(&[(1, Some(1))], "1", 1);
    check(&[(1, Some(2)), (2, Some(1)), (3, Some(2)), (4, None)], "4 1(2(3))", 1);
    check(&[(1, None), (1, None), (2, Some(1))], "1(2) 1", 0);
    check(&[(3, Some(2)), (2, Some(9))], "2(3)", 1);
}

#[test]
fn depth_is_bounded() {
    let chain: Vec<(i64, Option<i64>)> = (1..=100_000).map(|id| (id, (id > 1).then_some(id - 1))).collect();
    let items = chain.iter().map(|(id, parent)| json!({ "id": id, "parent_id": parent })).collect::<Vec<_>>();
    let items: Vec<Item> = items.into_iter().filter_map(|item| body::object(item, "item").ok()).collect();
    let forest = Forest::plant(items);
    assert_eq!(forest.detached, 100_000 / DEPTH_MAX - 1);
    assert_eq!(forest.under.iter().filter(|under| under.is_none()).count(), 100_000 / DEPTH_MAX);
}

#[test]
fn siblings_are_sorted_by_position() {
    let items = json!([{ "id": 1, "position": 2 }, { "id": 2 }, { "id": 3, "display_order": 1 }]);
    let page = json!({ "id": 7, "name": "Acme" });
    let variables = crate::catalog::Variables::new();
    let subject = Subject {
        variables: &variables,
        page: Some(&page),
        uri: "x://hierarchy",
        parts: &Value::Null,
        now: crate::model::timestamp::Timestamp::from_seconds(0),
    };
    let shown = tree(&subject, vec![json!([]), items]).expect("the answers have the promised shape");
    let ids: Vec<&Value> = shown["tree"].as_array().expect("a list").iter().map(|item| &item["id"]).collect();
    assert_eq!(ids, [3, 1, 2]);
    assert_eq!((&shown["page"]["name"], &shown["total"]), (&json!("Acme"), &json!(3)));
}

fn shown(items: Vec<Value>, under_id: Option<&str>) -> Result<Value, DocumentError> {
    let page = json!({ "id": 7, "name": "Acme" });
    let variables = under_id.map(|id| ("under_id".to_owned(), id.to_owned())).into_iter().collect();
    let subject = Subject {
        variables: &variables,
        page: Some(&page),
        uri: "x://hierarchy",
        parts: &Value::Null,
        now: crate::model::timestamp::Timestamp::from_seconds(0),
    };
    tree(&subject, vec![Value::Null, items.into()])
}

#[test]
fn a_long_tree_is_shown_from_the_top_down_and_says_what_is_left_out() {
    let pad = "x".repeat(90);
    let mut items: Vec<Value> = (1..=20).map(|id| json!({ "id": id, "name": pad })).collect();
    items.extend((21..=2000).map(|id| json!({ "id": id, "name": pad, "parent_id": id % 20 + 1 })));
    let cut = shown(items.clone(), None).expect("a body");
    assert!(cut.to_string().len() < 20_000 && cut["truncated"] == true && cut["total"] == 2000, "{cut}");
    let tops = cut["tree"].as_array().expect("a list");
    assert_eq!(tops.len(), 20);
    let left_out: u64 = tops.iter().filter_map(|top| top["children_left_out"].as_u64()).sum();
    assert_eq!(Some(left_out), cut["returned"].as_u64().map(|returned| 2000 - returned));
    assert!(cut["next"].as_str().is_some_and(|next| next.starts_with("x://hierarchy?under_id=")), "{cut}");
    let branch = shown(items, Some("7")).expect("a body");
    assert_eq!(
        (&branch["tree"][0]["id"], &branch["total"], &branch["truncated"]),
        (&json!(7), &json!(100), &json!(false))
    );
}

#[test]
fn a_branch_of_an_item_that_is_not_there_is_absent() {
    assert_eq!(shown(vec![json!({ "id": 1 })], Some("2")), Err(DocumentError::Absent));
}
