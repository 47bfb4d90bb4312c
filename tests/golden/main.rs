//! What must not move: chips as drawn and at work, readouts and gradients, ten steps of every method with what they read and
//! write, and what is written to files, on the CPU in both precisions, bit for bit.
//!
//! The numbers are in `golden/numbers`, one file per test and instruction set; `golden/README.md` says what they hold and how
//! they are recorded anew. Everything that a number depends on is said here or in `at_tests`, and no default of the library.

mod chips;
mod engines;
mod files;
mod kinds;
mod methods;
mod platform;
mod record;

use record::Record;

/// The numbers of `work`, which must not depend on the number of threads.
fn on_one_thread_and_on_three(work: impl Fn() -> Record + Send + Sync) -> Record {
    let [one, three] = [1, 3].map(|threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads can be had");
        pool.install(&work)
    });
    assert_eq!(one.differences(&three, true), Vec::<String>::new(), "the number of threads changes results");
    one
}

#[test]
fn chips_are_drawn_as_they_were() {
    on_one_thread_and_on_three(chips::drawn).check("chips");
}

#[test]
fn chips_at_work_give_what_they_gave() {
    on_one_thread_and_on_three(chips::at_work).check("chips-at-work");
}

#[test]
fn engines_give_the_readouts_and_gradients_that_they_gave() {
    on_one_thread_and_on_three(engines::all).check("engines");
}

#[test]
fn ten_steps_of_every_method_end_where_they_ended_and_cost_what_they_cost() {
    on_one_thread_and_on_three(methods::all).check("methods");
}

#[test]
fn files_hold_the_arrays_that_they_held() {
    on_one_thread_and_on_three(files::all).check("files");
}

#[test]
fn a_number_that_moves_by_one_bit_is_seen() {
    let record = |value: f64| {
        let mut record = Record::default();
        record.double("same", &[0.25]);
        record.double("moved", &[1.0, value]);
        record
    };
    let [was, is] = [record(2.0), record(2.0_f64.next_up())];
    let differences = was.differences(&is, true);
    assert!(matches!(&differences[..], [one] if one.contains("moved")), "{differences:?}");
    assert!(was.differences(&is, false).is_empty(), "another instruction set may round otherwise");
    let far = record(2.001);
    assert_eq!(was.differences(&far, false).len(), 1, "but not go elsewhere");
    let order = |values: [f64; 3]| {
        let mut record = Record::default();
        record.double("order", &values);
        record
    };
    assert_eq!(order([1.0, 2.0, 3.0]).differences(&order([2.0, 1.0, 3.0]), false).len(), 1, "nor change places");
}
