use std::collections::BTreeSet;
use std::path::Path;

use axum::body::{Body, to_bytes};
use axum::http::Request;
use tower::ServiceExt;

use super::*;

async fn ask(method: &str, path: &str, headers: &[(&str, &str)]) -> (StatusCode, HeaderMap, Vec<u8>) {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = routes().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let (parts, body) = response.into_parts();
    (parts.status, parts.headers, to_bytes(body, usize::MAX).await.unwrap().to_vec())
}

fn found(folder: &Path, below: &str, into: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let path = format!("{below}{}", entry.file_name().to_str().unwrap());
        if entry.file_type().unwrap().is_dir() {
            found(&entry.path(), &format!("{path}/"), into);
        } else {
            into.insert(path);
        }
    }
}

#[test]
fn every_file_of_the_folder_is_served_and_is_of_a_known_type() {
    let mut there = BTreeSet::new();
    found(&Path::new(env!("CARGO_MANIFEST_DIR")).join("files"), "", &mut there);
    let listed: BTreeSet<String> = FILES.iter().map(|file| file.path.to_owned()).collect();
    assert_eq!(there, listed, "shelf.rs has a line for each file");
    assert_eq!(listed.len(), FILES.len(), "a file stands there twice");
    for file in FILES {
        assert_ne!(file.media_type(), "application/octet-stream", "{}", file.path);
    }
}

#[tokio::test]
async fn a_page_and_all_that_it_consists_of_are_at_their_places() {
    for (path, file, kind) in [
        ("/", "counter.html", "text/html; charset=utf-8"),
        ("/manager", "manager.html", "text/html; charset=utf-8"),
        ("/pages/style.css", "style.css", "text/css; charset=utf-8"),
    ] {
        let (status, headers, bytes) = ask("GET", path, &[]).await;
        assert_eq!((status, headers["content-type"].to_str().unwrap()), (StatusCode::OK, kind), "{path}");
        assert_eq!(bytes, FILES.iter().find(|one| one.path == file).unwrap().bytes, "{path}");
        let (status, headers, bytes) = ask("HEAD", path, &[]).await;
        assert_eq!((status, bytes.len()), (StatusCode::OK, 0), "{path}");
        assert!(headers.contains_key("etag"), "{path}");
    }
    for path in
        ["/pages", "/pages/", "/pages/../lib.rs", "/pages/%2e%2e/lib.rs", "/pages/lib.rs", "/counter.html"]
    {
        assert_eq!(ask("GET", path, &[]).await.0, StatusCode::NOT_FOUND, "{path}");
    }
    assert_eq!(ask("POST", "/", &[]).await.0, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn every_answer_shuts_the_page_in() {
    for file in FILES {
        for headers in [&[][..], &[("if-none-match", "*")]] {
            let (_, headers, _) = ask("GET", &format!("/pages/{}", file.path), headers).await;
            for (name, value) in [
                (
                    "content-security-policy",
                    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; font-src 'self'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'; require-trusted-types-for 'script'",
                ),
                ("cache-control", "no-cache"),
                ("referrer-policy", "no-referrer"),
                ("x-content-type-options", "nosniff"),
                ("cross-origin-opener-policy", "same-origin"),
                ("cross-origin-resource-policy", "same-origin"),
            ] {
                assert_eq!(headers[name], value, "{}", file.path);
            }
            let policy = headers["permissions-policy"].to_str().unwrap();
            assert!(policy.split(", ").all(|feature| feature.ends_with("=()")), "{policy}");
        }
    }
}

#[tokio::test]
async fn what_a_browser_has_is_not_sent_again() {
    let (_, headers, _) = ask("GET", "/", &[]).await;
    let tag = headers["etag"].to_str().unwrap().to_owned();
    assert!(tag.starts_with('"') && tag.ends_with('"'), "a strong tag: {tag}");
    for (given, expected) in [
        (tag.clone(), StatusCode::NOT_MODIFIED),
        (format!("W/{tag}"), StatusCode::NOT_MODIFIED),
        (format!("\"other\", {tag}"), StatusCode::NOT_MODIFIED),
        ("*".to_owned(), StatusCode::NOT_MODIFIED),
        ("\"other\"".to_owned(), StatusCode::OK),
        (tag.trim_matches('"').to_owned(), StatusCode::OK),
        (String::new(), StatusCode::OK),
    ] {
        let (status, headers, bytes) = ask("GET", "/", &[("if-none-match", &given)]).await;
        assert_eq!(status, expected, "{given}");
        assert_eq!(headers["etag"].to_str().unwrap(), tag);
        assert_eq!(bytes.is_empty(), expected == StatusCode::NOT_MODIFIED);
    }
    let (_, other, _) = ask("GET", "/manager", &[]).await;
    assert_ne!(other["etag"].to_str().unwrap(), tag, "another file has another tag");
}

#[tokio::test]
async fn who_takes_gzip_gets_the_same_bytes_packed_under_a_tag_of_their_own() {
    use std::io::Read as _;
    let (_, plain, bytes) = ask("GET", "/pages/style.css", &[]).await;
    assert!(!plain.contains_key("content-encoding"));
    for (accepted, packed) in [
        ("gzip", true),
        ("deflate, GZIP;q=0.5, br", true),
        ("gzip;q=0", false),
        ("gzip; q=0.000", false),
        ("br, deflate", false),
        ("", false),
    ] {
        let asked = [("accept-encoding", accepted)];
        let (status, headers, body) = ask("GET", "/pages/style.css", &asked).await;
        assert_eq!(status, StatusCode::OK, "{accepted}");
        assert_eq!(headers["vary"], "accept-encoding", "{accepted}");
        assert_eq!(headers.contains_key("content-encoding"), packed, "{accepted}");
        assert_eq!(headers["etag"] != plain["etag"], packed, "{accepted}");
        if packed {
            let mut unpacked = Vec::new();
            flate2::read::GzDecoder::new(body.as_slice()).read_to_end(&mut unpacked).unwrap();
            assert_eq!(unpacked, bytes, "{accepted}");
            assert!(body.len() < bytes.len() / 2, "{accepted}");
            let tag = headers["etag"].to_str().unwrap();
            let again = [("accept-encoding", accepted), ("if-none-match", tag)];
            assert_eq!(ask("GET", "/pages/style.css", &again).await.0, StatusCode::NOT_MODIFIED);
        } else {
            assert_eq!(body, bytes, "{accepted}");
        }
    }
}
