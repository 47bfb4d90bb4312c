# The commands that people use; `make check` is what must pass before a change is handed in.
.PHONY: check format lint lint-ranks docs test golden record-golden gallery picture gpu examples packages deny advisories oldest bench python train

# The oldest Rust that is declared.
OLDEST := $(shell sed -n 's/^rust-version = "\([0-9.]*\)".*/\1/p' Cargo.toml)

check:          ## everything that the gate demands
	.ci/run

format:         ## the one way in which code is laid out
	cargo fmt --all

lint:
	cargo clippy --workspace --all-targets --locked -- -D warnings

lint-ranks:     ## the same with MPI, which must be there
	cargo clippy --workspace --all-targets --features at-cli/mpi --locked -- -D warnings

docs:
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked

test:
	cargo test --workspace --locked

golden:         ## have numbers moved?
	cargo test --workspace --locked --test golden

record-golden:  ## they were meant to: record them anew, and say why in the commit
	AT_RECORD_GOLDEN=1 cargo test --workspace --locked --test golden

gallery:        ## every kind of picture once, as SVG, PNG and PDF in target/gallery, for people to look at
	AT_GALLERY=$(CURDIR)/target/gallery cargo test --workspace --locked --test program no_text_of_any_picture

picture:        ## the pictures of the README
	rm -rf target/picture target/picture-mesh
	cargo run --release -p at-cli -- train --quiet --out target/picture
	cargo run --release -p at-cli -- train --quiet --network mesh:16x3 --epochs 30 --out target/picture-mesh
	cp target/picture/accuracy.svg docs/accuracy.svg
	cp target/picture-mesh/figures/cost-integrated.svg docs/cost.svg
	cp target/picture-mesh/figures/stage-1-power.svg docs/power.svg

gpu:            ## tests with a GPU required, real or software Vulkan
	AT_REQUIRE_GPU=1 cargo test --workspace --locked

examples:       ## at-core as a library
	for example in at-core/examples/*.rs; do cargo run --locked --example $$(basename $$example .rs) || exit 1; done

packages:       ## every crate that is published, built from its package alone; nothing is uploaded
	CARGO_TARGET_DIR=$(CURDIR)/target cargo package --workspace --exclude at-tests --exclude at-benches --exclude at-py --locked --allow-dirty --config Cargo.toml

deny:           ## licences, sources and bans of dependencies; needs cargo-deny (cargo install cargo-deny, or a package of it)
	cargo deny --locked check licenses bans sources

advisories:     ## known faults of dependencies; fetches their database
	cargo deny --locked check advisories

oldest:         ## a check with the declared oldest Rust; rustup fetches it
	cargo +$(OLDEST) check --workspace --all-targets --locked --target-dir target/oldest

bench:
	cargo bench -p at-benches

python:         ## the Python package into the active virtual environment (pip install maturin)
	maturin develop --release -m at-py/Cargo.toml

train:          ## the first command of the README
	cargo run --release -p at-cli -- train
