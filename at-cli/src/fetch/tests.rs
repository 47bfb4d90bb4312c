//! Downloads from a server on this machine, with files made for the purpose.

use super::*;
use std::io::Read;
use std::net::{TcpListener, TcpStream};
use std::thread;

/// `hello` and `world` under their sums.
const FILES: [PublishedFile; 2] = [
    PublishedFile { name: "first.gz", md5: "5d41402abc4b2a76b9719d911017c592" },
    PublishedFile { name: "second.gz", md5: "7d793037a0760186574b0282f2f435e7" },
];

/// A server that lives as long as the test program; `answer` gives status and body of a path.
fn serve(answer: impl Fn(&str) -> (u16, &'static str) + Send + 'static) -> String {
    let server = tiny_http::Server::http("127.0.0.1:0").unwrap();
    let address = format!("http://{}/data", server.server_addr());
    thread::spawn(move || {
        for request in server.incoming_requests() {
            let (status, body) = answer(request.url());
            request.respond(tiny_http::Response::from_string(body).with_status_code(status)).unwrap();
        }
    });
    address
}

pub fn good() -> String {
    serve(|path| match path {
        "/data/first.gz" => (200, "hello"),
        "/data/second.gz" => (200, "world"),
        _ => (404, "nothing"),
    })
}

/// A server that promises more bytes than it gives.
fn truncating() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream: TcpStream = stream.unwrap();
            let mut request = [0; 1024];
            let _ = stream.read(&mut request);
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhel");
        }
    });
    address
}

/// An address at which nobody listens.
fn refusing() -> String {
    format!("http://{}", TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap())
}

pub fn run(mirrors: &[String], folder: &Path) -> Result<Vec<Fetched>> {
    fetch(&FILES, mirrors, folder, &mut |_| {})
}

#[test]
fn files_arrive_whole_and_are_fetched_once() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("cache/toy");
    let mirrors = [good() + "/"];
    let fetched = run(&mirrors, &folder).unwrap();
    assert_eq!(fetched[1].from.as_deref(), Some(format!("{}second.gz", mirrors[0]).as_str()));
    assert_eq!(std::fs::read(folder.join("first.gz")).unwrap(), b"hello");
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 2);
    // nobody is asked for what is there
    let again = run(&[refusing()], &folder).unwrap();
    assert!(again.iter().all(|file| file.from.is_none()));
    // a damaged file is fetched again
    std::fs::write(folder.join("second.gz"), "wor").unwrap();
    assert!(run(&[refusing()], &folder).is_err());
    assert_eq!(std::fs::read(folder.join("second.gz")).unwrap(), b"wor");
    assert!(run(&mirrors, &folder).unwrap()[1].from.is_some());
    assert_eq!(std::fs::read(folder.join("second.gz")).unwrap(), b"world");
}

#[test]
fn the_next_mirror_helps_out() {
    let folder = tempfile::tempdir().unwrap();
    let wrong = serve(|_| (200, "<html>please log in</html>"));
    let mirrors = [refusing(), serve(|_| (404, "")), wrong, truncating(), good()];
    let mut refused = Vec::new();
    let fetched = fetch(&FILES, &mirrors, folder.path(), &mut |event| {
        if let Event::Ready(_, reasons) = event {
            refused.extend_from_slice(reasons);
        }
    });
    assert!(fetched.unwrap().iter().all(|file| file.from.as_ref().unwrap().starts_with(&mirrors[4])));
    assert_eq!(refused.len(), 8, "{refused:?}");
    for (reason, part) in refused.iter().zip(["refused", "404", "checksum", "broke off"]) {
        assert!(reason.contains(part), "{reason} is not about {part}");
    }
}

#[test]
fn what_no_mirror_gives_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let half = serve(|path| if path.ends_with("first.gz") { (200, "hello") } else { (200, "wrold") });
    for (mirrors, part) in [
        (vec![serve(|_| (404, "")), serve(|_| (500, ""))], "first.gz: http://"),
        (vec![truncating()], "broke off after 3"),
        (vec![refusing()], "the network is not there"),
        (vec!["no address".to_string()], "no address/first.gz"),
        (vec![], "--mirror"),
        (vec![half], "instead of 7d793037a0760186574b0282f2f435e7"),
    ] {
        let before = std::fs::read_dir(folder.path()).unwrap().count();
        let error = format!("{:#}", run(&mirrors, folder.path()).unwrap_err());
        assert!(error.contains(part) && error.contains("--mirror") && error.lines().count() == 1, "{error}");
        let whole = part.starts_with("instead");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), before + usize::from(whole), "{error}");
    }
    assert!(folder.path().join("first.gz").exists());
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let error = format!("{:#}", run(&[refusing()], &file.join("cache")).unwrap_err());
    assert!(error.contains("--cache-dir") && error.contains("cache"), "{error}");
}
