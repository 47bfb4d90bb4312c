//! `benches/gpu.sh` and its table: the one call that measures a GPU runs with every case on software Vulkan, and judges by the numbers.

use at_gpu::MeshVariant;
use at_gpu::testing::require_gpu;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn benches() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("benches")
}

fn text(output: &Output) -> String {
    [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned()).concat()
}

/// The examples that were built with this test: those of the profile that it was built in.
fn programs() -> PathBuf {
    let folder = std::env::current_exe().unwrap().ancestors().nth(2).unwrap().join("examples");
    for program in ["measure_meshes", "measure_chips"] {
        let there = folder.join(format!("{program}{}", std::env::consts::EXE_SUFFIX)).exists();
        assert!(there, "{program} is not built: cargo test --workspace does, or cargo build --workspace --examples");
    }
    folder
}

#[test]
fn the_tiny_call_measures_every_case_on_any_adapter() {
    if require_gpu().is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("gpu.jsonl");
    let mut command = Command::new("bash");
    command.arg(benches().join("gpu.sh")).args(["--tiny", "--programs"]).arg(programs()).arg("--out").arg(&out);
    let ended = command.output().unwrap();
    let said = text(&ended);
    assert_eq!(ended.status.code(), Some(0), "{said}");
    assert!(!said.contains("error"), "{said}");

    let lines = std::fs::read_to_string(&out).unwrap();
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(lines[1]["matrix_gflops"].as_f64() > Some(0.0) && lines[1]["copy_gbytes"].as_f64() > Some(0.0), "{said}");
    let costs = lines.iter().find(|line| line["case"] == "mesh costs").unwrap();
    assert!(costs["processors"].as_f64() >= Some(1.0) && costs["product_flops"].as_f64() > Some(0.0), "{costs}");
    let of = |case: &str, modes: u64| -> Vec<&Value> {
        lines.iter().filter(|line| line["case"] == case && line["modes"] == modes).collect()
    };
    let took = |line: &Value| line["seconds"].as_f64() > Some(0.0);
    for modes in [8, 16, 32] {
        let steps = of("AT step, three meshes", modes);
        assert!(steps.len() == 1 && took(steps[0]), "{said}");
        let [first, last] = ["first_loss", "last_loss"].map(|key| steps[0][key].as_f64().unwrap());
        assert!(last < first, "{modes} modes do not train: {said}");
        let learned = of("at-adaptive step, three meshes", modes);
        let phases: Vec<&str> = learned.iter().map(|line| line["phase"].as_str().unwrap()).collect();
        assert!(phases == ["training", "measuring"] && learned.iter().all(|line| took(line)), "{said}");
        let products = of("products of a mesh", modes);
        assert!(products.len() == 2 && products.iter().all(|line| took(line)), "{said}");
        let depths: Vec<u64> = of("memory", modes).iter().map(|line| line["depth"].as_u64().unwrap()).collect();
        assert_eq!(depths, [modes / 4, modes / 2, modes]);

        let meshes = of("one mesh, forward and gradient", modes);
        for chosen in ["chosen", "chosen_by_default"] {
            assert_eq!(meshes.iter().filter(|line| line[chosen] == true && took(line)).count(), 1, "{said}");
        }
        for variant in MeshVariant::ALL {
            let own: Vec<_> = meshes.iter().filter(|line| line["variant"] == format!("{variant:?}")).collect();
            assert!(own.len() == 1 && (took(own[0]) || own[0]["impossible"].is_string()), "{variant:?}: {said}");
        }
    }
    for modes in [8, 16] {
        let chips = of("chips at once", modes);
        let gpu = chips.iter().find(|line| line["engine"].as_str().unwrap().starts_with("gpu")).unwrap();
        assert!(gpu["chips"] == 50 && gpu["ratio"].as_f64() > Some(0.0), "{said}");
    }
    let left_out = lines.iter().any(|line| line["note"] == "no torch: comparisons left out");
    for case in ["torch adjoint, complex64", "torch dense layer, complex64"] {
        assert_eq!(of(case, 32).len(), usize::from(!left_out), "{case}: {said}");
    }
}

/// What becomes of a line.
type Change<'a> = &'a dyn Fn(&mut Value);

/// What a large GPU could have given, where `change` has been at every line.
fn judged(change: impl Fn(&mut Value)) -> Option<Output> {
    if !Command::new("python3").arg("--version").output().is_ok_and(|ended| ended.status.success()) {
        eprintln!("skipped: python3 is not there");
        return None;
    }
    let sizes = [256_u64, 1024, 4096, 8192];
    let mut lines = vec![
        json!({"commit": "0", "date": "2000-01-01", "modes": sizes, "batch": 1024, "chips_modes": [16], "torch_modes": [1024]}),
        json!({"device": "one", "driver": "own", "software": false, "matrix_gflops": 40e3, "copy_gbytes": 4e3}),
        json!({"case": "mesh costs", "dispatch_seconds": 4e-6}),
        json!({"case": "torch matrix product, f32", "seconds": 1.0, "tflops": 50.0, "torch": "2", "torch_device": "one"}),
        json!({"case": "torch adjoint, complex64", "modes": 1024, "seconds": 0.5}),
        json!({"case": "torch dense layer, complex64", "modes": 1024, "seconds": 0.1}),
        json!({"case": "chips at once", "engine": "gpu f32", "modes": 16, "samples": 400, "chips": 50, "in_turn_s": 0.6,
            "at_once_s": 0.1, "ratio": 6.0, "dispatches_in_turn": 650, "dispatches_at_once": 13}),
    ];
    for modes in sizes {
        let seconds = 1e-8 * (modes * modes) as f64;
        let step = json!({"modes": modes, "batch": 1024, "seconds": seconds, "tflops": 15.0, "of_matrix_product": 0.4,
            "allocated_bytes": 1, "first_loss": 2.0, "last_loss": 1.0});
        let mut case = |name: &str, more: Value| {
            let mut line = step.clone();
            let own = line.as_object_mut().unwrap();
            own.insert("case".to_string(), json!(name));
            own.extend(more.as_object().unwrap().clone());
            lines.push(line);
        };
        case("AT step, three meshes", json!({}));
        case("at-adaptive step, three meshes", json!({"phase": "training"}));
        case("at-adaptive step, three meshes", json!({"phase": "measuring"}));
        case("products of a mesh", json!({"variant": "Blocks", "tflops": 35.0}));
        case("memory", json!({"depth": modes, "beyond_one_sample": 1}));
        for variant in MeshVariant::ALL {
            let chosen = variant == MeshVariant::Blocks;
            case(
                "one mesh, forward and gradient",
                json!({"variant": format!("{variant:?}"), "chosen": chosen, "chosen_by_default": chosen,
                    "seconds": seconds, "expected_seconds": seconds}),
            );
        }
    }
    lines.iter_mut().for_each(change);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gpu.jsonl");
    let text: String = lines.iter().filter(|line| !line.is_null()).map(|line| format!("{line}\n")).collect();
    std::fs::write(&path, text).unwrap();
    Some(Command::new("python3").arg(benches().join("gpu_table.py")).arg(&path).output().unwrap())
}

#[test]
fn goals_are_judged_by_the_numbers_and_a_case_that_failed_or_is_missing_fails_the_call() {
    let goals = |ended: &Output| -> Vec<(String, String)> {
        let said = text(ended);
        let goals = said.split("\nGoals\n").nth(1).unwrap_or_else(|| panic!("{said}"));
        let verdict =
            |line: &str| line.rsplit_once(": ").map(|(goal, verdict)| (goal.to_string(), verdict.to_string()));
        goals.lines().map_while(verdict).map(|(goal, said)| (goal, said.split(" (").next().unwrap().into())).collect()
    };
    let Some(good) = judged(|_| ()) else { return };
    assert_eq!(good.status.code(), Some(0), "{}", text(&good));
    assert_eq!(goals(&good).len(), 7);
    assert!(goals(&good).iter().all(|(_, verdict)| verdict == "met"), "{}", text(&good));

    let is = |line: &Value, case: &str, modes: u64| line["case"] == case && line["modes"] == modes;
    let (step, mesh) = ("AT step, three meshes", "one mesh, forward and gradient");
    // one number each, and the only goal that it fails
    let spoiled: [(&str, Change); 7] = [
        ("25 %", &|line| {
            if is(line, step, 1024) {
                line["tflops"] = json!(12.0)
            }
        }),
        ("three 4096", &|line| {
            if is(line, step, 4096) {
                line["last_loss"] = json!(2.5)
            }
        }),
        ("8192 modes", &|line| {
            if is(line, mesh, 8192) && line["chosen"] == true {
                line.as_object_mut().unwrap().remove("seconds");
                line["error"] = json!("lost");
            }
        }),
        ("20 times", &|line| {
            if is(line, "torch adjoint, complex64", 1024) {
                line["seconds"] = json!(0.2)
            }
        }),
        ("fifty", &|line| {
            if line["case"] == "chips at once" {
                line["ratio"] = json!(4.9)
            }
        }),
        ("time of a step", &|line| {
            if is(line, step, 4096) {
                line["seconds"] = json!(0.3)
            }
        }),
        ("products", &|line| {
            if line.get("device").is_some() {
                line["matrix_gflops"] = json!(29e3)
            }
        }),
    ];
    for (goal, change) in spoiled {
        let ended = judged(change).unwrap();
        for (name, verdict) in goals(&ended) {
            let expected = if name.starts_with(goal) { "not met" } else { "met" };
            assert_eq!(verdict, expected, "{name} where {goal} fails: {}", text(&ended));
        }
        assert_eq!(ended.status.code(), Some(i32::from(goal == "8192 modes")), "{}", text(&ended));
    }

    let missing = judged(|line| {
        if is(line, step, 1024) {
            *line = Value::Null
        }
    })
    .unwrap();
    assert_eq!(missing.status.code(), Some(1));
    assert!(text(&missing).contains("MISSING: AT step, three meshes, {'modes': 1024}"), "{}", text(&missing));
    let unmeasured = &goals(&missing)[0];
    assert!(unmeasured.0.starts_with("25 %") && unmeasured.1 == "not measured", "{}", text(&missing));
}
