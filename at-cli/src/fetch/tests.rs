//! Downloads from a server on this machine, with files made for the purpose.

use super::*;
use std::io::Read;
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

/// `hello` and `world` under their sums.
const FILES: [PublishedFile; 2] = [
    PublishedFile { name: "first.gz", md5: "5d41402abc4b2a76b9719d911017c592", bytes: 5 },
    PublishedFile { name: "second.gz", md5: "7d793037a0760186574b0282f2f435e7", bytes: 5 },
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

/// A server that speaks to everybody who comes as `answer` does, on a thread of its own, until either has enough.
fn speaking(answer: impl Fn(&mut TcpStream) -> std::io::Result<()> + Clone + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, answer) = (stream.unwrap(), answer.clone());
            thread::spawn(move || {
                let mut request = [0; 1024];
                let _ = stream.read(&mut request);
                let _ = answer(&mut stream);
            });
        }
    });
    address
}

/// Patience that a test can wait for. Nothing is expected of how long a mirror takes that keeps them.
const IMPATIENT: Patience = Patience {
    connect: Duration::from_secs(10),
    silence: Duration::from_millis(1500),
    window: Duration::from_secs(1),
    least: 1000,
    whole: Duration::from_secs(60),
};

/// What comes of a file of a hundred thousand bytes that only the last of `mirrors` gives, and of the mirrors before.
fn large(mirrors: &[String], limits: &Patience) -> Vec<String> {
    let body = vec![7_u8; 100_000];
    let md5: &'static str = md5_hex(&body).leak();
    let file = PublishedFile { name: "large.gz", md5, bytes: 100_000 };
    let whole = speaking(|stream| {
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n")?;
        stream.write_all(&[7; 100_000])
    });
    let mirrors: Vec<String> = mirrors.iter().cloned().chain([whole.clone()]).collect();
    let folder = tempfile::tempdir().unwrap();
    let mut refused = Vec::new();
    let fetched = fetch(&[file], &mirrors, folder.path(), limits, &mut |event| {
        if let Event::Ready(_, reasons) = event {
            refused.extend_from_slice(reasons);
        }
    });
    let fetched = fetched.unwrap();
    assert!(refused.len() < mirrors.len());
    assert_eq!(fetched[0].from, Some(format!("{}/large.gz", mirrors[refused.len()])));
    assert_eq!(std::fs::read(folder.path().join("large.gz")).unwrap(), body);
    refused
}

#[test]
fn a_mirror_that_dribbles_or_stalls_does_not_keep_the_next_one_waiting() {
    let head = "HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n";
    let every = |pause: u64, text: &'static str, then: &'static str| {
        speaking(move |stream| {
            stream.write_all(text.as_bytes())?;
            loop {
                thread::sleep(Duration::from_millis(pause));
                stream.write_all(then.as_bytes())?;
            }
        })
    };
    let stalling = |text: &'static str| {
        speaking(move |stream| {
            stream.write_all(text.as_bytes())?;
            thread::sleep(Duration::from_secs(60));
            Ok(())
        })
    };
    let cases = [
        (every(50, head, "7"), "too slow"),
        (every(50, "HTTP/1.1 200 OK\r\n", "x: y\r\n"), "in time"),
        (every(50, "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", "1\r\n7\r\n"), "too slow"),
        (every(50, "HTTP/1.1 200 OK\r\n\r\n", "7"), "too slow"),
        (stalling(head), "broke off after 0 of 100000 bytes"),
        (stalling("HTTP/1.1 200 OK\r\n\r\n7777"), "broke off after 4 of 100000 bytes"),
        (stalling(""), "in time"),
    ];
    for (mirror, part) in cases {
        let refused = large(&[mirror], &IMPATIENT);
        assert!(refused.len() == 1 && refused[0].contains(part), "{refused:?} is not about {part}");
    }
    // fast enough, and yet not done in the time of a whole file
    let steady = every(20, head, "77777777777777777777777777777777777777777777777777");
    let refused = large(&[steady], &Patience { whole: Duration::from_secs(4), least: 10, ..IMPATIENT });
    assert!(refused.len() == 1 && refused[0].contains("broke off"), "{refused:?}");
}

#[test]
fn a_mirror_that_goes_on_after_the_data_is_not_listened_to() {
    let endless = |head: &'static str, byte: u8| {
        speaking(move |stream| {
            stream.write_all(head.as_bytes())?;
            loop {
                stream.write_all(&[byte; 1000])?;
            }
        })
    };
    // what comes first is the file
    assert_eq!(large(&[endless("HTTP/1.1 200 OK\r\n\r\n", 7)], &Patience::default()), [""; 0]);
    let held_open = speaking(|stream| {
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
        stream.write_all(&[7; 100_000])?;
        thread::sleep(Duration::from_secs(60));
        Ok(())
    });
    assert_eq!(large(&[held_open], &Patience::default()), [""; 0]);
    // what comes is another
    let refused = large(&[endless("HTTP/1.1 200 OK\r\n\r\n", 8)], &Patience::default());
    assert!(refused[0].contains("checksum"), "{refused:?}");
    let announced = endless("HTTP/1.1 200 OK\r\ncontent-length: 9000000000000\r\n\r\n", 7);
    let refused = large(&[announced], &Patience::default());
    assert!(refused[0].contains("9000000000000 bytes instead of the 100000"), "{refused:?}");
}

#[test]
fn the_password_of_an_address_is_never_told() {
    let folder = tempfile::tempdir().unwrap();
    let with = |address: String| address.replace("http://", "http://me:secret@");
    let broken = "http://me:se/secret@host".to_string();
    let mirrors = [with(serve(|_| (404, ""))), with(refusing()), broken, with(good())];
    let mut told = Vec::new();
    let fetched = fetch(&FILES, &mirrors, folder.path(), &IMPATIENT, &mut |event| match event {
        Event::Asking(url) => told.push(url.to_string()),
        Event::Received(..) => {}
        Event::Ready(file, reasons) => told.extend(reasons.iter().cloned().chain(file.from.clone())),
    });
    assert_eq!(fetched.unwrap().len(), 2);
    let error =
        format!("{:#}", fetch(&FILES, &mirrors[..3], &folder.path().join("new"), &IMPATIENT, &mut |_| {}).unwrap_err());
    for text in told.iter().chain([&error]) {
        assert!(!text.contains("secret") && text.contains("***@"), "{text}");
    }
}

/// An address at which nobody listens.
fn refusing() -> String {
    format!("http://{}", TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap())
}

pub fn run(mirrors: &[String], folder: &Path) -> Result<Vec<Fetched>> {
    fetch(&FILES, mirrors, folder, &Patience::default(), &mut |_| {})
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
    let fetched = fetch(&FILES, &mirrors, folder.path(), &Patience::default(), &mut |event| {
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
