//! The pictures of products, from a catalogue that may be hostile to a tile: what comes, what does not, when it is fetched, and what stays
//! of it through a restart.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what surrounds a test may stop at the first surprise as the test itself may"
)]

use std::path::PathBuf;
use std::time::Duration;

use reqwest::header::HeaderMap;
use serde_json::{Value, json};
use tilld_sandbox::finperks::{CallKind, PictureShape, ProductSwitches, Switches};
use tilld_sandbox::{Fault, Loss, QueuedFault};
use tilld_tests::shop::{Shop, client, eventually};

/// The products of the country that have a picture, in the catalogue's order.
const DRAWN: [&str; 5] = [FIRST, SECOND, "4001232100022", "4001232100039", LAST];
const FIRST: &str = "4001232232332";
const SECOND: &str = "4001232100015";
const LAST: &str = "4001232100053";
/// One that has none.
const PLAIN: &str = "4001232100046";
/// Between two pictures, and how often it is looked whether there is leisure.
const PAUSE: Duration = Duration::from_millis(500);
const LOOK: Duration = Duration::from_secs(2);
/// How long one may take.
const FETCH: Duration = Duration::from_secs(10);

fn switched(shapes: &[(&str, PictureShape)]) -> Switches {
    let own = |shape| ProductSwitches { picture: Some(shape), ..ProductSwitches::default() };
    let products = shapes.iter().map(|(product, shape)| ((*product).to_owned(), own(*shape))).collect();
    Switches { products, ..Switches::default() }
}

/// What the door says of each product's picture.
async fn shown(shop: &Shop) -> Vec<(String, Option<String>)> {
    let products = shop.get("/v1/products").await.unwrap().body["products"].as_array().unwrap().clone();
    let text = |value: &Value| value.as_str().map(str::to_owned);
    products.iter().map(|product| (text(&product["code"]).unwrap(), text(&product["picture"]))).collect()
}

async fn picture_of(shop: &Shop, product: &str) -> Option<String> {
    shown(shop).await.into_iter().find(|(code, _)| code == product)?.1
}

/// Waits until a product has a picture, and lets the pauses in between pass.
async fn comes(shop: &Shop, product: &str) -> String {
    comes_anew(shop, product, None).await
}

/// The same, for one that has had another.
async fn comes_anew(shop: &Shop, product: &str, old: Option<String>) -> String {
    eventually(async || {
        rest(shop);
        picture_of(shop, product).await.filter(|picture| Some(picture) != old.as_ref())
    })
    .await
    .unwrap_or_else(|| panic!("no picture of {product}"))
}

/// Lets a pause pass, if that is what is waited for, or the patience with one that drips.
fn rest(shop: &Shop) {
    let sleeping = shop.clock.sleeping();
    let drips = |name: &String| {
        let own = shop.finperks.switches().products.get(name).copied().unwrap_or_default();
        own.picture == Some(PictureShape::Drip)
    };
    if sleeping.contains(&PAUSE) {
        shop.clock.pass(PAUSE);
    } else if sleeping.contains(&FETCH) && asked(shop).last().is_some_and(drips) {
        shop.clock.pass(FETCH);
    }
}

/// Which pictures were asked for, by the ends of their paths.
fn asked(shop: &Shop) -> Vec<String> {
    let calls = shop.finperks.calls();
    let pictures = calls.iter().filter(|call| call.path.starts_with("/pictures/"));
    // Whoever shows a key there is refused, and so is another path.
    pictures
        .inspect(|call| assert_eq!(call.call, Some(CallKind::Picture), "{call:?}"))
        .map(|call| call.path.trim_start_matches("/pictures/").trim_end_matches(".png").to_owned())
        .collect()
}

async fn refresh(shop: &Shop) {
    let refreshed = shop.post("/v1/products/refresh", None, json!({})).await.unwrap();
    assert_eq!(refreshed.status, 200, "{}", refreshed.text);
}

/// A picture as it comes through the door.
async fn fetched(shop: &Shop, path: &str) -> (u16, HeaderMap, Vec<u8>) {
    let daemon = shop.daemon.as_ref().unwrap();
    let request = client().get(format!("http://{}{path}", daemon.address)).bearer_auth(daemon.token.reveal());
    let answer = request.send().await.unwrap();
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    (status, headers, answer.bytes().await.unwrap().to_vec())
}

fn folder(shop: &Shop) -> PathBuf {
    shop.journal_folder().join("pictures")
}

/// The files of the folder; none of them has a name from outside.
fn files(shop: &Shop) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder(shop)).into_iter().flatten().map(|file| file.unwrap().path()).collect();
    files.sort();
    for file in &files {
        let name = file.file_name().unwrap().to_str().unwrap();
        assert!(name.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f' | b'-')), "{name}");
    }
    files
}

#[tokio::test(flavor = "multi_thread")]
async fn products_get_the_pictures_that_they_name_and_a_page_may_keep_them_and_nothing_else() {
    let shop = Shop::open_with_pictures(Switches::default()).await;
    comes(&shop, LAST).await;
    let shown = shown(&shop).await;
    for (product, picture) in &shown {
        assert_eq!(picture.is_some(), DRAWN.contains(&product.as_str()), "{product}");
    }
    assert_eq!(asked(&shop), DRAWN, "each once, one after another, and none of what is not sold here");
    assert_eq!(shop.get("/v1/health").await.unwrap().body["products"]["pictures"], 5);

    let path = picture_of(&shop, FIRST).await.unwrap();
    let (status, headers, bytes) = fetched(&shop, &path).await;
    assert!(status == 200 && bytes.starts_with(b"\x89PNG\r\n\x1a\n"), "{status}");
    for (name, value) in [
        ("content-type", "image/png"),
        ("x-content-type-options", "nosniff"),
        ("content-security-policy", "default-src 'none'; frame-ancestors 'none'; sandbox"),
        ("cross-origin-resource-policy", "same-origin"),
        ("cache-control", "private, max-age=31536000, immutable"),
    ] {
        assert_eq!(headers[name], value, "{name}");
    }
    for wrong in
        ["/v1/products/pictures/x", "/v1/products/pictures/..%2f..%2fapi.token", "/v1/products/pictures/%ff"]
    {
        let (status, headers, _) = fetched(&shop, wrong).await;
        assert_eq!((status, &headers["cache-control"]), (404, &"no-store".parse().unwrap()), "{wrong}");
    }
    let stranger =
        client().get(format!("http://{}{path}", shop.daemon.as_ref().unwrap().address)).send().await;
    assert_eq!(stranger.unwrap().status().as_u16(), 401);

    // What is there is not asked for again.
    refresh(&shop).await;
    refresh(&shop).await;
    assert_eq!(asked(&shop).len(), 5);
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_picture_for_a_page_is_not_taken_and_nobody_is_led_elsewhere() {
    use PictureShape::{Drawn, Drip, Elsewhere, Gone, Html, Redirect, Svg, TooLarge, TooWide};
    for shapes in [
        [
            (FIRST, Redirect),
            (SECOND, TooLarge),
            ("4001232100022", TooWide),
            ("4001232100039", Html),
            (PLAIN, Svg),
            (LAST, Drawn),
        ],
        [
            (FIRST, Drip),
            (SECOND, Elsewhere),
            ("4001232100022", Gone),
            ("4001232100039", PictureShape::None),
            (PLAIN, Html),
            (LAST, Drawn),
        ],
    ] {
        let shop = Shop::open_with_pictures(switched(&shapes)).await;
        // The last one comes after all others were refused.
        let last = comes(&shop, LAST).await;
        for (product, shape) in shapes {
            assert_eq!(picture_of(&shop, product).await.is_some(), shape == Drawn, "{shape:?}");
            let nowhere = matches!(shape, Elsewhere | PictureShape::None);
            assert_eq!(asked(&shop).contains(&product.to_owned()), !nowhere, "{shape:?}");
        }
        assert!(!asked(&shop).contains(&"followed".to_owned()));
        assert_eq!(files(&shop).len(), 1);
        // What was refused is left alone when the catalogue is fetched again; what only did not come is tried.
        let before = asked(&shop).len();
        shop.finperks.switch(|switches| {
            switches.products.get_mut(LAST).unwrap().picture = Some(PictureShape::DrawnAnew);
        });
        refresh(&shop).await;
        comes_anew(&shop, LAST, Some(last)).await;
        let anew = format!("{LAST}-anew");
        let mut wanted: Vec<&str> =
            shapes.iter().filter(|(_, shape)| *shape == Drip).map(|(it, _)| *it).collect();
        wanted.push(&anew);
        assert_eq!(asked(&shop)[before..], wanted);
        shop.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_till_that_starts_without_a_line_shows_the_pictures_that_it_has() {
    let mut shop = Shop::open_with_pictures(Switches::default()).await;
    comes(&shop, LAST).await;
    let before = shown(&shop).await;
    shop.crash().await;
    let fault = Fault::DropRequest { how: Loss::Reset };
    for call in [CallKind::Products, CallKind::Picture] {
        shop.finperks
            .fault(QueuedFault { call: Some(call), after: 0, count: 1000, fault: fault.clone() })
            .unwrap();
    }
    shop.start().await;
    assert_eq!(shown(&shop).await, before);
    let known = shop.get("/v1/health").await.unwrap().body["products"]["count"].clone();
    assert_eq!(known, before.len(), "health");
    let (status, ..) = fetched(&shop, before[0].1.as_ref().unwrap()).await;
    assert_eq!((status, asked(&shop).len()), (200, 5));
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_that_is_replaced_or_no_longer_named_is_removed() {
    let mut shop = Shop::open_with_pictures(Switches::default()).await;
    comes(&shop, LAST).await;
    let (old, number) = (picture_of(&shop, FIRST).await.unwrap(), files(&shop).len());
    shop.finperks.switch(|switches| {
        *switches = switched(&[(FIRST, PictureShape::DrawnAnew), (SECOND, PictureShape::None)]);
    });
    refresh(&shop).await;
    let new = comes_anew(&shop, FIRST, Some(old.clone())).await;
    assert_eq!((fetched(&shop, &new).await.0, fetched(&shop, &old).await.0), (200, 404));
    assert_eq!(picture_of(&shop, SECOND).await, None);
    assert_eq!(files(&shop).len(), number - 1);

    // Without the setting nothing is shown and nothing stays.
    shop.crash().await;
    shop.of_finperks("");
    shop.start().await;
    assert!(shown(&shop).await.iter().all(|(_, picture)| picture.is_none()));
    assert_eq!(files(&shop).len(), 0);
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_torn_is_not_shown_and_comes_again_with_the_next_catalogue() {
    let shop = Shop::open_with_pictures(Switches::default()).await;
    comes(&shop, LAST).await;
    for file in files(&shop) {
        let bytes = std::fs::read(&file).unwrap();
        std::fs::write(&file, &bytes[..bytes.len() / 2]).unwrap();
    }
    let path = picture_of(&shop, FIRST).await.unwrap();
    assert_eq!(fetched(&shop, &path).await.0, 404);
    assert_eq!(picture_of(&shop, FIRST).await, None);
    refresh(&shop).await;
    assert_eq!(comes(&shop, FIRST).await, path);
    assert_eq!(fetched(&shop, &path).await.0, 200);
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_pictures_cannot_be_kept_everything_else_goes_on() {
    let none = DRAWN.map(|product| (product, PictureShape::None));
    let shop = Shop::open_with_pictures(switched(&none)).await;
    std::fs::write(folder(&shop), "in the way").unwrap();
    shop.finperks.switch(|switches| *switches = Switches::default());
    refresh(&shop).await;
    eventually(async || (asked(&shop) == [FIRST]).then_some(())).await.expect("it is tried");
    // Not the next one: it waits for an hour.
    eventually(async || shop.clock.sleeping().contains(&Duration::from_hours(1)).then_some(()))
        .await
        .unwrap();
    assert_eq!(picture_of(&shop, FIRST).await, None);
    assert_eq!(shop.get("/v1/health").await.unwrap().body["sells"], true);
    std::fs::remove_file(folder(&shop)).unwrap();
    shop.clock.pass(Duration::from_hours(1));
    comes(&shop, LAST).await;
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_picture_is_fetched_while_somebody_stands_at_the_counter_or_the_line_is_down() {
    let none = DRAWN.map(|product| (product, PictureShape::None));
    let shop = Shop::open_with_pictures(switched(&none)).await;
    let cards =
        json!([{ "product": FIRST, "kind": "por", "face_value": { "amount": "50.00", "currency": "EUR" } }]);
    let sale = shop.post("/v1/sales", Some("k1"), json!({ "receipt": "R1", "cards": cards })).await.unwrap();
    assert_eq!(sale.status, 201, "{}", sale.text);
    shop.finperks.switch(|switches| *switches = Switches::default());
    refresh(&shop).await;
    for _ in 0..3 {
        looked(&shop).await;
        assert_eq!(asked(&shop).len(), 0);
        shop.clock.pass(LOOK);
    }
    let id = sale.body["id"].as_str().unwrap();
    let cancelled = shop.post(&format!("/v1/sales/{id}/cancel"), Some("k2"), json!({})).await.unwrap();
    assert_eq!(cancelled.status, 200, "{}", cancelled.text);
    looked(&shop).await;
    shop.clock.pass(LOOK);
    eventually(async || picture_of(&shop, FIRST).await).await.expect("nobody stands there any more");

    eventually(async || shop.clock.sleeping().contains(&PAUSE).then_some(())).await.unwrap();
    let fault = Fault::DropRequest { how: Loss::Reset };
    shop.finperks.fault(QueuedFault::next(CallKind::Balances, fault)).unwrap();
    assert_eq!(shop.get("/v1/balances").await.unwrap().status, 503);
    shop.clock.pass(PAUSE);
    for _ in 0..3 {
        looked(&shop).await;
        assert_eq!(asked(&shop), [FIRST]);
        shop.clock.pass(LOOK);
    }
    assert_eq!(shop.get("/v1/balances").await.unwrap().status, 200);
    looked(&shop).await;
    shop.clock.pass(LOOK);
    comes(&shop, LAST).await;
    shop.close().await;
}

/// Returns when it was looked in vain whether there is leisure.
async fn looked(shop: &Shop) {
    eventually(async || shop.clock.sleeping().contains(&LOOK).then_some(()))
        .await
        .expect("it waits for leisure");
}
