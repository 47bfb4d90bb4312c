//! Every term by itself, from numbers that make it easy to work out by hand.

use super::*;

/// Nothing costs anything.
const FREE: CostModel = CostModel {
    sample_rate_hz: f64::MAX,
    converter_channels: Channels::Word(All::All),
    turn_s: 0.0,
    control_write_s: 0.0,
    control_channels: Channels::Word(All::All),
    settle_s: 0.0,
    path_length_m: 0.0,
    group_index: 1.0,
    digital_rate_flops: f64::MAX,
    adc_j: 0.0,
    tia_j: 0.0,
    dac_j: 0.0,
    modulator_j: 0.0,
    control_dac_j: 0.0,
    heater_pi_w: 0.0,
    mean_phase_rad: 0.0,
    mean_ring_phase_rad: 0.0,
    pixel_hold_w: 0.0,
    cell_write_s: 0.0,
    cell_write_j: 0.0,
    detector_min_w: 0.0,
    path_loss_db: 0.0,
    wall_plug_efficiency: 1.0,
    flop_j: 0.0,
};

/// A 784-256-256-10 chip; its controls are the published 269 322.
const SIZE: ChipSize =
    ChipSize { controls: 784 * 256 + 256 + 256 * 256 + 256 + 256 * 10 + 10, inputs: 784, cells: 0, others: None };

/// Steps and samples per step.
const STEPS: u64 = 3;
const BATCH: u64 = 600;

/// `at` on [`SIZE`].
fn encapsulated() -> Accesses {
    let samples = STEPS * BATCH;
    Accesses {
        reads: 10 * samples,
        inputs: 784 * samples,
        control_writes: STEPS * SIZE.controls as u64,
        passes: samples,
        rounds: STEPS,
        frames: samples,
        digital_flops: 7_000_000_000,
        ..Accesses::default()
    }
}

/// `pat` on [`SIZE`]: 522 reads and 512 injections per sample, in three rounds.
fn truncated() -> Accesses {
    let samples = STEPS * BATCH;
    Accesses {
        reads: 522 * samples,
        injections: 512 * samples,
        rounds: 3 * STEPS,
        frames: 3 * samples,
        ..encapsulated()
    }
}

#[track_caller]
fn near(got: f64, expected: f64) {
    assert!((got - expected).abs() <= 1e-12 * expected.abs(), "{got} is not {expected}");
}

/// The only time that `model` bills for `accesses`.
#[track_caller]
fn only_time(model: &CostModel, accesses: &Accesses, term: &str, expected: f64) {
    let Bill { time, energy } = model.bill(accesses, &SIZE);
    for (name, seconds) in Time::NAMES.into_iter().zip(time.terms()) {
        if name == term { near(seconds, expected) } else { assert!(seconds < 1e-200, "{name}: {seconds}") }
    }
    assert!(energy.total() < 1e-200);
}

/// The only energy that `model` bills for `accesses`.
#[track_caller]
fn only_energy(model: &CostModel, accesses: &Accesses, term: &str, expected: f64) {
    let Bill { energy, .. } = model.bill(accesses, &SIZE);
    for (name, joules) in Energy::NAMES.into_iter().zip(energy.terms()) {
        if name == term { near(joules, expected) } else { assert!(joules < 1e-200, "{name}: {joules}") }
    }
}

#[test]
fn controls_are_written_and_settle_once_per_setting() {
    let accesses = encapsulated();
    only_time(&CostModel { settle_s: 1e-3, ..FREE }, &accesses, "settling", 3e-3);
    only_time(&CostModel { control_write_s: 1e-3, ..FREE }, &accesses, "control writing", 3e-3);
    let few = CostModel { control_write_s: 1e-3, control_channels: Channels::Number(2.0), ..FREE };
    only_time(&few, &accesses, "control writing", 3e-3 * SIZE.controls as f64 / 2.0);
    // more converters than controls are no faster
    let many = CostModel { control_write_s: 1e-3, control_channels: Channels::Number(1e9), ..FREE };
    only_time(&many, &accesses, "control writing", 3e-3);
}

#[test]
fn conversion_takes_a_cycle_each_way_for_every_frame_or_the_values_that_share_converters() {
    let rate = |channels| CostModel { sample_rate_hz: 1e9, converter_channels: channels, ..FREE };
    let all = rate(Channels::Word(All::All));
    only_time(&all, &encapsulated(), "conversion", 1800.0 * 2.0 * 1e-9);
    only_time(&all, &truncated(), "conversion", 3.0 * 1800.0 * 2.0 * 1e-9);
    // 16 converters: 784/16 = 49 cycles in; 10 values out still take one
    only_time(&rate(Channels::Number(16.0)), &encapsulated(), "conversion", 1800.0 * (49.0 + 1.0) * 1e-9);
    // 2 converters: (784 + 512)/2 in, 522/2 out, as M and P say
    only_time(&rate(Channels::Number(2.0)), &truncated(), "conversion", 1800.0 * (648.0 + 261.0) * 1e-9);
}

#[test]
fn turns_propagation_and_digital_work_take_their_time() {
    let turn = CostModel { turn_s: 1e-4, ..FREE };
    only_time(&turn, &encapsulated(), "turns", 3e-4);
    only_time(&turn, &truncated(), "turns", 9e-4);
    // 1 cm at n_g = 4.2 is 0.14 ns; three rounds of a third of the path are no longer than one of the whole
    let path = CostModel { path_length_m: 0.01, group_index: 4.2, ..FREE };
    for accesses in [encapsulated(), truncated()] {
        only_time(&path, &accesses, "propagation", 3.0 * 0.042 / 299_792_458.0);
    }
    only_time(&CostModel { digital_rate_flops: 1e12, ..FREE }, &encapsulated(), "digital", 7e-3);
}

#[test]
fn conversions_and_digital_work_take_their_energy() {
    only_energy(&CostModel { adc_j: 2e-12, tia_j: 1e-12, ..FREE }, &truncated(), "reading", 522.0 * 1800.0 * 3e-12);
    let write = CostModel { dac_j: 1e-12, modulator_j: 0.5e-12, ..FREE };
    only_energy(&write, &encapsulated(), "writing", 784.0 * 1800.0 * 1.5e-12);
    only_energy(&write, &truncated(), "writing", (784.0 + 512.0) * 1800.0 * 1.5e-12);
    let controls = CostModel { control_dac_j: 1e-12, ..FREE };
    only_energy(&controls, &encapsulated(), "control writing", 3.0 * SIZE.controls as f64 * 1e-12);
    only_energy(&CostModel { flop_j: 5e-12, ..FREE }, &encapsulated(), "digital", 0.035);
}

#[test]
fn heaters_hold_all_the_time_and_the_laser_shines_while_signals_cross() {
    // half of P_π per control for the three settlings
    let heaters = CostModel { settle_s: 1e-3, heater_pi_w: 0.025, mean_phase_rad: std::f64::consts::FRAC_PI_2, ..FREE };
    only_energy(&heaters, &encapsulated(), "holding", SIZE.controls as f64 * 0.0125 * 3e-3);
    // 784 inputs with 10 dB above a microwatt, at 10 % efficiency: 78.4 mW for the conversion, and none for the settling
    let laser = CostModel {
        settle_s: 1.0,
        sample_rate_hz: 1e6,
        detector_min_w: 1e-6,
        path_loss_db: 10.0,
        wall_plug_efficiency: 0.1,
        ..FREE
    };
    only_energy(&laser, &encapsulated(), "laser", 784e-4 * 3600e-6);
}

#[test]
fn what_was_not_used_costs_nothing() {
    let model = CostModel::find("bench").unwrap();
    assert_eq!(model.bill(&Accesses::default(), &SIZE), Bill::default());
}

#[test]
fn presets_say_what_physics_expects_of_the_two_regimes() {
    let ratio = |name: &str| {
        let model = CostModel::find(name).unwrap();
        let digital = Accesses { digital_flops: 0, ..encapsulated() };
        let truncated = Accesses { digital_flops: 0, ..truncated() };
        model.bill(&truncated, &SIZE).energy.reading_j / model.bill(&digital, &SIZE).energy.reading_j
    };
    assert_eq!((ratio("bench").round(), ratio("integrated").round()), (52.0, 52.0));
    // a forward-only method with 20 settings per step is slowed down by settling on the bench
    let bench = CostModel::find("bench").unwrap();
    let many = Accesses { control_writes: 21 * encapsulated().control_writes, ..encapsulated() };
    let (one, many) = (bench.bill(&encapsulated(), &SIZE).time, bench.bill(&many, &SIZE).time);
    near(many.settling_s, 21.0 * one.settling_s);
}

#[test]
fn files_that_are_no_cost_model_are_refused() {
    let bench = include_str!("bench.toml");
    let message = |text: &str| CostModel::parse(text).unwrap_err();
    assert!(message("").contains("missing field"));
    assert!(message(&format!("{bench}\nadc-pj = 1.0")).contains("adc-pj"));
    assert!(message(&bench.replace("= 16 ", "= 0 ")).contains("converter-channels = 0e0"));
    assert!(message(&bench.replace("efficiency = 0.1", "efficiency = 2.0")).contains("from 1e-9 to 1e0"));
    assert!(message(&bench.replace("settle-s = 1e-3", "settle-s = -1e-3")).contains("settle-s = -1e-3"));
    assert!(message(&bench.replace("settle-s = 1e-3", "settle-s = 'long'")).contains("line "));
    let unknown = CostModel::find("benhc").unwrap_err().to_string();
    assert!(unknown.contains("benhc") && unknown.contains("bench, integrated"), "{unknown}");
    assert_ne!(CostModel::find("bench").unwrap(), CostModel::find("integrated").unwrap());
}

#[test]
fn constants_out_of_all_sense_make_no_bill_infinite() {
    let bench = serde_json::to_value(CostModel::find("bench").unwrap()).unwrap();
    let names: Vec<String> = bench.as_object().unwrap().keys().cloned().collect();
    assert_eq!(names.len(), 24);
    let most = u64::MAX;
    let accesses = Accesses {
        reads: most,
        injections: most,
        inputs: most,
        control_writes: most,
        cell_writes: most,
        passes: most,
        rounds: most,
        frames: 1,
        digital_passes: most,
        digital_backward_passes: most,
        digital_flops: most,
    };
    let mut worst = bench.clone();
    for name in &names {
        // also from a record, which is JSON
        for value in [1.7e308, -1.0] {
            let mut edited = bench.clone();
            edited[name] = value.into();
            let error = serde_json::from_value::<CostModel>(edited).unwrap_err().to_string();
            assert!(error.contains(name) && error.contains("must be from"), "{error}");
        }
        // the costliest value that is taken
        let mut exponent: i32 = if name.ends_with("rate-hz") || name.contains("channels") { -300 } else { 300 };
        if ["wall-plug-efficiency", "digital-rate-flops"].contains(&name.as_str()) {
            exponent = -300;
        }
        let costliest = (0..=300).map(|step| exponent - exponent.signum() * step).find(|&exponent| {
            let mut edited = bench.clone();
            edited[name] = 10_f64.powi(exponent).into();
            serde_json::from_value::<CostModel>(edited).is_ok()
        });
        worst[name] = 10_f64.powi(costliest.unwrap()).into();
    }
    let worst: CostModel = serde_json::from_value(worst).unwrap();
    for controls in [0, usize::MAX] {
        let bill = worst.bill(&accesses, &ChipSize { controls, inputs: usize::MAX, cells: 0, others: None });
        assert!(bill.time.total().is_finite() && bill.energy.total().is_finite(), "{bill:?}");
    }
}

#[test]
fn cells_that_hold_by_themselves_take_no_power() {
    let model = CostModel::find("integrated").unwrap();
    let holding = |cells| model.bill(&encapsulated(), &ChipSize { cells, ..SIZE }).energy.holding_j;
    assert!(holding(0) > 0.0 && holding(SIZE.controls) == 0.0);
    assert!((holding(SIZE.controls / 2) / holding(0) - 0.5).abs() < 1e-5);
    let network = Network::new(vec![vec![Stage::ring_bank(4, 3, 8, 50.0)], vec![Stage::phase_change(3, 2)]]).unwrap();
    let others = Some(Others { rings: 15, ..Others::default() });
    assert_eq!(ChipSize::of(&network), ChipSize { controls: 15 + 8, inputs: 4, cells: 8, others });
    assert!(ChipSize { cells: 24, ..ChipSize::of(&network) }.validate().is_err());
}

/// Heaters hold φ, rings φ_r, pixels what their panel takes; matrices, gains, cells and digital numbers nothing.
#[test]
fn only_what_is_held_takes_power() {
    let image = crate::data::ImageShape::new(1, 4, 4);
    let patches = crate::stage::Patches { image, kernel: [2, 2], stride: 1, padding: 0 };
    let space =
        crate::optics::AngularSpectrum { rows: 4, columns: 4, pitch_um: 400.0, distance_um: 1e3, wavelength_um: 750.0 };
    let mask = crate::stage::Transmission::Phase;
    let detected = Stage::detection(16, crate::network::Detection::Intensity);
    let planes = Network::new(vec![vec![Stage::free_space(space), Stage::mask(4, 4, mask), detected]]).unwrap();
    let convolutional = Network::new(vec![
        vec![
            Stage::convolution(patches, Stage::ring_bank(4, 2, 8, 50.0)),
            Stage::normalization(crate::data::ImageShape::new(2, 3, 3), 1),
        ],
        vec![Stage::weight_bank(18, 2)],
        vec![Stage::matrix(2, 2)],
    ])
    .unwrap();
    let light = [
        vec![Stage::modulation(2)],
        crate::network::singular_value_stages(2, 2, crate::optics::Layout::Rectangular).unwrap().into(),
        vec![Stage::detection(2, crate::network::Detection::Intensity)],
    ];
    let light = Network::new(vec![light.concat()]).unwrap();
    let found = |network: &Network| ChipSize::of(network).others.unwrap();
    assert_eq!(found(&planes), Others { pixels: 16, ..Others::default() });
    assert_eq!(found(&convolutional), Others { heaters: 38, rings: 10, digital: 4, ..Others::default() });
    // two meshes of θ, φ and two γ each, and two attenuators; the gain behind them is none
    assert_eq!((found(&light), light.controls()), (Others { heaters: 4 + 2 + 4, ..Others::default() }, 11));

    let model = CostModel {
        settle_s: 1.0,
        heater_pi_w: 2.0,
        mean_phase_rad: std::f64::consts::PI,
        mean_ring_phase_rad: 0.5 * std::f64::consts::PI,
        pixel_hold_w: 3.0,
        ..FREE
    };
    let holding = |network: &Network, digital: usize| {
        // one setting of all that is written
        let accesses = Accesses { control_writes: (network.controls() - digital) as u64, ..Accesses::default() };
        model.bill(&accesses, &ChipSize::of(network)).energy.holding_j
    };
    near(holding(&planes, 0), 16.0 * 3.0);
    near(holding(&convolutional, 4), (38.0 + 0.5 * 10.0) * 2.0);
    assert!(
        ChipSize { others: Some(Others { digital: 12, ..found(&light) }), ..ChipSize::of(&light) }.validate().is_err()
    );
}

#[test]
fn writing_a_cell_takes_its_time_and_energy() {
    let size = ChipSize { controls: 10, inputs: 1, cells: 4, others: Some(Others::default()) };
    let accesses = Accesses { control_writes: 8, cell_writes: 8, ..Accesses::default() };
    let writing = |channels| {
        let model = CostModel { cell_write_s: 1e-6, cell_write_j: 1e-9, control_channels: channels, ..FREE };
        let bill = model.bill(&accesses, &size);
        (bill.time.control_writing_s, bill.energy.control_writing_j)
    };
    assert_eq!(writing(Channels::Word(All::All)), (2.0 * 1e-6, 8.0 * 1e-9));
    assert_eq!(writing(Channels::Number(2.0)), (4.0 * 1e-6, 8.0 * 1e-9));
}
