# The commands that people use; `make check` is what must pass before a change is handed in.
.PHONY: check format lint docs test golden record-golden gpu bench train

check:          ## everything that the gate demands
	.ci/run

format:         ## the one way in which code is laid out
	cargo fmt --all

lint:
	cargo clippy --workspace --all-targets --locked -- -D warnings

docs:
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked

test:
	cargo test --workspace --locked

golden:         ## have numbers moved?
	cargo test --workspace --locked --test golden

record-golden:  ## they were meant to: record them anew, and say why in the commit
	AT_RECORD_GOLDEN=1 cargo test --workspace --locked --test golden

gpu:            ## tests with a GPU required, real or software Vulkan
	AT_REQUIRE_GPU=1 cargo test --workspace --locked

bench:
	cargo bench -p at-benches

train:          ## the first command of the README
	cargo run --release -p at-cli -- train
