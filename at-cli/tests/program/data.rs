//! `asyt data`: the list, and downloads that fail. Downloads that succeed are tested beside the code, on files whose sums
//! can be had without the network.

use crate::asyt::Bench;
use std::net::TcpListener;

#[test]
fn the_list_says_where_every_set_is() {
    let bench = Bench::new();
    let list = bench.run(["data", "list"]).done();
    assert!(list.stderr.is_empty());
    for part in ["part of asyt", "not here: asyt data fetch kmnist", "CC BY-SA"] {
        assert!(list.stdout.contains(part), "{}", list.stdout);
    }
    bench.write("tables/vowel/train.csv", "");
    bench.write("tables/vowel/test.csv", "");
    for batch in ["data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5", "test_batch"] {
        bench.write(&format!("tables/cifar-10/cifar-10-batches-py/{batch}"), "");
    }
    let list = bench.run(["data", "list", "--data-dir", "tables", "--json"]).done();
    let sets: serde_json::Value = serde_json::from_str(&list.stdout).unwrap();
    let place = |name: &str| {
        let set = sets.as_array().unwrap().iter().find(|set| set["name"] == name).unwrap();
        set["location"].as_str().map(|place| place.replace('\\', "/"))
    };
    assert_eq!(place("iris").as_deref(), Some("embedded"));
    assert_eq!(place("vowel").as_deref(), Some("tables/vowel"));
    assert_eq!(place("mnist"), None);
    assert_eq!(place("cifar-10").as_deref(), Some("tables/cifar-10"));
}

#[test]
fn names_that_cannot_be_fetched_are_wrong_usage() {
    let bench = Bench::new();
    bench.run(["data", "fetch", "minst"]).refused(2, &["did you mean mnist?"]);
    bench.run(["data", "fetch", "iris"]).refused(2, &["part of asyt"]);
    bench.run(["data", "fetch", "vowel"]).refused(2, &["--data-dir"]);
}

#[test]
fn without_a_network_one_line_says_so_and_nothing_is_left() {
    let bench = Bench::new();
    let nobody = format!("http://{}", TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap());
    let fetch = ["data", "fetch", "mnist", "--cache-dir", "cache", "--mirror", &nobody, "--mirror", &nobody];
    bench.run(fetch).refused(1, &["the network is not there", "refused", "--data-dir"]);
    assert_eq!(bench.entries("cache/mnist"), [""; 0]);
}

#[test]
fn a_mirror_without_the_files_is_named() {
    let bench = Bench::new();
    let server = tiny_http::Server::http("127.0.0.1:0").unwrap();
    let mirror = format!("http://{}", server.server_addr());
    std::thread::spawn(move || {
        for request in server.incoming_requests() {
            let status = if request.url().starts_with("/other/") { 200 } else { 404 };
            request.respond(tiny_http::Response::from_string("something else").with_status_code(status)).unwrap();
        }
    });
    let other = format!("{mirror}/other/");
    bench
        .run(["data", "fetch", "kmnist", "--json", "--mirror", &mirror, "--mirror", &other])
        .refused(1, &["train-images-idx3-ubyte.gz: http://", "404", "checksum", "--mirror"]);
    bench.run(["train", "--dataset", "kmnist"]).refused(1, &["asyt data fetch kmnist"]);
    bench
        .run(["train", "--dataset", "cifar-10"])
        .refused(1, &["asyt data fetch cifar-10", "cifar-10-binary.tar.gz", "test_batch.bin"]);
    bench
        .run(["data", "fetch", "cifar-10", "--cache-dir", "cache", "--mirror", &mirror, "--mirror", &other])
        .refused(1, &["cifar-10-binary.tar.gz: http://", "404", "bytes instead of the 170052171"]);
    assert_eq!(bench.entries("cache/cifar-10"), [""; 0]);
}

#[test]
fn the_password_of_a_mirror_is_not_printed() {
    let bench = Bench::new();
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mirror = format!("http://me:secret@{nobody}");
    let fetch = bench.run(["data", "fetch", "mnist", "--cache-dir", "cache", "--mirror", &mirror]);
    assert!(!fetch.stderr.contains("secret"), "{fetch:?}");
    fetch.refused(1, &["http://***@127.0.0.1", "refused"]);
}
