//! Methods that light single meshes, on meshes inside convolutions and residual connections.

use crate::asyt::Bench;

#[test]
fn convolutions_of_meshes_are_lit_and_counted_and_banks_are_refused() {
    let bench = Bench::new();
    let words = |network: &'static str, more: &'static str| {
        let fixed = "--dataset digits --train-limit 60 --batch-size 20 --seed 4 --engine cpu --quiet";
        ["train", "--network", network].into_iter().chain(fixed.split(' ')).chain(more.split(' ')).collect::<Vec<_>>()
    };
    let lit = "conv:4@4x4,svd=4,stride=2,split,conv:4@3,padding=1,svd,add,svd:out";
    bench.run(words(lit, "--method subspace,in-situ --subspace-mapping 1 --epochs 2 --out run")).done();
    let summary: serde_json::Value = serde_json::from_str(&bench.read("run/summary.json")).unwrap();
    let results = summary["results"].as_array().unwrap();
    assert!(results.iter().all(|own| own["final_train_accuracy"].as_f64().unwrap() > 0.1), "{summary}");
    // 9 patches through two meshes of four tiles, 9 through those of the branch, once through the last: ahead, back, and the sum of both
    assert_eq!(results[1]["accesses"]["passes"].as_u64().unwrap(), 2 * 60 * 3 * 2 * (9 + 9 + 1));
    bench.run(["report", "run", "--quiet"]).done();

    let bank = "conv:4@4x4,svd=4,stride=2,bank:out";
    for method in ["subspace", "in-situ", "ffm"] {
        let more = ["--method", method, "--out", "none"];
        let ended = bench.run(words(bank, "--epochs 1").into_iter().chain(more));
        assert_eq!(ended.code, Some(2), "{ended:?}");
        assert!(ended.stderr.contains("matrices or weight banks") && ended.stderr.contains("svd:"), "{ended:?}");
    }
}
