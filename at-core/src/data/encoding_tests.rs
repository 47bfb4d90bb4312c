//! What each encoding promises, in numbers.

use super::*;

fn samples(width: usize, features: &[f32]) -> Samples {
    Samples {
        features: features.to_vec().into(),
        width,
        labels: vec![0; features.len() / width],
        complex: false,
        real: None,
    }
}

#[test]
fn l2_gives_unit_vectors() {
    let encoded = Encoding::L2.encode(&samples(2, &[3., 4., 0., 0., -5., 0., 1e30, 1e30]), None).unwrap();
    let half = 0.5f32.sqrt();
    assert_eq!(encoded.signals, [0.6, 0.8, 0., 0., -1., 0., half, half]);
    assert_eq!((encoded.modes, encoded.complex, encoded.samples), (2, false, 4));
}

#[test]
fn an_image_lies_in_the_middle_of_its_grid() {
    // 2 x 3 on 5 x 7: twice as large, a dark row below, a dark column to the right
    let x = samples(6, &[1., 2., 3., 4., 5., 6.]);
    let encoded = Encoding::AmplitudeImage { rows: 5, columns: 7 }.encode(&x, Some(ImageShape::single(2, 3))).unwrap();
    let rows = [[1., 1., 2., 2., 3., 3., 0.], [4., 4., 5., 5., 6., 6., 0.]];
    let shown: Vec<f64> = [rows[0], rows[0], rows[1], rows[1], [0.; 7]].concat();
    let scale = (35.0 / shown.iter().map(|x| x * x).sum::<f64>()).sqrt();
    for (pixel, field) in encoded.signals.as_chunks::<2>().0.iter().enumerate() {
        assert!((f64::from(field[0]) - scale * shown[pixel]).abs() < 1e-6 && field[1] == 0.0, "{pixel}: {field:?}");
    }
    let encoded = Encoding::PhaseImage { rows: 5, columns: 7 }.encode(&x, Some(ImageShape::single(2, 3))).unwrap();
    let powers = encoded.signals.as_chunks::<2>().0.iter().map(|[re, im]| re.hypot(*im).round());
    assert!(powers.eq(shown.iter().map(|&x| if x > 0.0 { 1.0 } else { 0.0 })), "dark beside the image");
    assert!((encoded.signals[0] + 1.0).abs() < 1e-6, "a value of 1 is a phase of π");
}

#[test]
fn three_channels_light_one_grid_by_their_luma() {
    let x = samples(6, &[1., 0., 0., 1., 0.5, 1.]); // red [1, 0], green [0, 1], blue [0.5, 1]
    let colours = Some(ImageShape::new(3, 1, 2));
    let grey = samples(2, &[0.299 + 0.5 * 0.114, 0.587 + 0.114]);
    for encoding in ["amplitude-image:2x4", "phase-image:3x5"] {
        let encoding: Encoding = encoding.parse().unwrap();
        let [found, expected] = [(&x, colours), (&grey, Some(ImageShape::single(1, 2)))]
            .map(|(x, image)| encoding.encode(x, image).unwrap().signals);
        assert_eq!(found.len(), expected.len());
        assert!(found.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-6), "{encoding}: {found:?} {expected:?}");
    }
    let error = Encoding::AmplitudeImage { rows: 2, columns: 2 }.modes(8, Some(ImageShape::new(2, 2, 2))).unwrap_err();
    assert!(error.to_string().contains("one channel or three"), "{error}");
}

#[test]
fn signals_keep_the_shape_of_their_images_or_make_another() {
    let image = Some(ImageShape::new(3, 4, 6));
    for (encoding, shape) in [
        ("raw", "3x4x6"),
        ("l2", "3x4x6"),
        ("amplitude", "3x4x6"),
        ("phase:72", "3x4x6"),
        ("pool:2", "3x2x2"),
        ("fourier-crop:3", "3x3x3"),
        ("amplitude-image:8x9", "1x8x9"),
    ] {
        let found = encoding.parse::<Encoding>().unwrap().image(72, image);
        assert_eq!(found, Some(shape.parse().unwrap()), "{encoding}");
    }
    assert_eq!(Encoding::Amplitude { modes: Some(36) }.image(72, image), None);
    assert_eq!(Encoding::Raw.image(72, None), None);
}

#[test]
fn a_grid_coarser_than_its_image_takes_means() {
    let x = samples(6, &[1., 2., 3., 4., 5., 9.]);
    let encoded = Encoding::AmplitudeImage { rows: 1, columns: 3 }.encode(&x, Some(ImageShape::single(2, 3))).unwrap();
    let scale = (3.0 / (2.5_f32.powi(2) + 3.5_f32.powi(2) + 36.0)).sqrt();
    for (field, mean) in encoded.signals.as_chunks::<2>().0.iter().zip([2.5, 3.5, 6.0]) {
        assert!((field[0] - scale * mean).abs() < 1e-6, "{field:?} for {mean}");
    }
    let error = Encoding::AmplitudeImage { rows: 1, columns: 3 }.encode(&x, None).unwrap_err().to_string();
    assert!(error.contains("amplitude-image:1x3 of samples that are no images"), "{error}");
    assert!("amplitude-image:3".parse::<Encoding>().unwrap_err().to_string().contains("ROWSxCOLUMNS"));
    assert_eq!("phase-image:3x4".parse::<Encoding>().unwrap().to_string(), "phase-image:3x4");
}

#[test]
fn raw_is_the_features_and_complex_on_demand() {
    let encoded = Encoding::Raw.encode(&samples(2, &[3., 4.]), None).unwrap();
    assert_eq!(encoded.signals, [3., 4.]);
    let complex = encoded.into_complex();
    assert_eq!((complex.signals.as_slice(), complex.modes), (&[3., 0., 4., 0.][..], 2));
    assert_eq!(complex.clone().into_complex(), complex);
}

#[test]
fn the_constant_part_of_an_8x8_crop_is_at_4_4() {
    let mut features = vec![1.0; 28 * 28];
    features.extend(vec![0.0; 28 * 28]);
    let encoded =
        Encoding::FourierCrop { size: 8 }.encode(&samples(784, &features), Some(ImageShape::single(28, 28))).unwrap();
    assert_eq!((encoded.modes, encoded.complex, encoded.samples), (64, true, 2));
    for (index, field) in encoded.signals.as_chunks::<2>().0.iter().enumerate() {
        let expected = if index == 4 * 8 + 4 { 64.0 } else { 0.0 };
        assert!((field[0] - expected).abs() < 1e-4 && field[1].abs() < 1e-4, "{index}: {field:?}");
    }
}

#[test]
fn a_horizontal_wave_moves_along_a_row_of_the_crop() {
    // cos(2π c / 8) lies at column frequency ±1: modes [4, 3] and [4, 5] of an 8x8 crop
    let wave: Vec<f32> = (0..64).map(|i| (PI * (i % 8) as f64 / 4.0).cos() as f32).collect();
    let encoded =
        Encoding::FourierCrop { size: 8 }.encode(&samples(64, &wave), Some(ImageShape::single(8, 8))).unwrap();
    let bright: Vec<usize> = (0..64).filter(|&mode| encoded.signals[2 * mode].abs() > 1.0).collect();
    assert_eq!(bright, [4 * 8 + 3, 4 * 8 + 5]);
}

#[test]
fn the_magnitudes_of_a_crop_sum_to_its_modes() {
    let pixels: Vec<f32> = (0..30).map(|i| (i % 7) as f32 / 6.0).collect();
    let encoded =
        Encoding::FourierCrop { size: 3 }.encode(&samples(30, &pixels), Some(ImageShape::single(5, 6))).unwrap();
    let sum: f32 = encoded.signals.as_chunks::<2>().0.iter().map(|[re, im]| re.hypot(*im)).sum();
    assert!((sum - 9.0).abs() < 1e-5);
}

#[test]
fn amplitudes_have_mean_power_one() {
    let x = samples(4, &[1., 2., 3., 4., 0., 0., 0., 0.]);
    for (modes, shape) in [(None, vec![1., 2., 3., 4.]), (Some(2), vec![1.5, 3.5]), (Some(3), vec![1., 2., 3.5])] {
        let encoded = Encoding::Amplitude { modes }.encode(&x, None).unwrap();
        let (fields, _) = encoded.signals.as_chunks::<2>();
        let (first, dark) = fields.split_at(encoded.modes);
        let power: f32 = first.iter().map(|[re, _]| re * re).sum();
        assert!((power / encoded.modes as f32 - 1.0).abs() < 1e-6);
        assert!(
            first.iter().zip(&shape).all(|([re, im], x)| (re / first[0][0] - x / shape[0]).abs() < 1e-6 && *im == 0.0)
        );
        assert!(dark.iter().all(|field| *field == [0.0; 2]));
    }
    let padded = Encoding::Amplitude { modes: Some(6) }.encode(&x, None).unwrap();
    assert_eq!(padded.signals[8..12], [0.0; 4]);
}

#[test]
fn phases_have_power_one_everywhere() {
    let encoded = Encoding::Phase { modes: Some(4) }.encode(&samples(3, &[0., 0.5, 1.]), None).unwrap();
    for (got, expected) in encoded.signals.iter().zip([1., 0., 0., 1., -1., 0., 1., 0.]) {
        assert!((got - expected).abs() < 1e-7);
    }
}

#[test]
fn what_cannot_be_encoded_is_refused() {
    let x = samples(4, &[1., 2., 3., 4.]);
    let crop = |size| Encoding::FourierCrop { size };
    assert!(crop(2).encode(&x, None).unwrap_err().to_string().contains("no images"));
    assert!(crop(3).encode(&x, Some(ImageShape::single(2, 2))).unwrap_err().to_string().contains("1 to 2"));
    assert!(crop(0).encode(&x, Some(ImageShape::single(2, 2))).is_err());
    assert!(Encoding::Raw.encode(&x, Some(ImageShape::single(2, 3))).is_err());
    assert!(Encoding::Phase { modes: Some(0) }.encode(&x, None).is_err());
    let broken = Samples { features: vec![1.0; 5].into(), ..x };
    assert!(Encoding::L2.encode(&broken, None).is_err());
}

#[test]
fn text_and_json_read_back() {
    for text in ["raw", "l2", "fourier-crop:8", "pool:4", "amplitude", "amplitude:16", "phase", "phase:4"] {
        let encoding: Encoding = text.parse().unwrap();
        assert_eq!(encoding.to_string(), text);
        let json = serde_json::to_string(&encoding).unwrap();
        assert_eq!(serde_json::from_str::<Encoding>(&json).unwrap(), encoding);
    }
    assert_eq!(serde_json::to_string(&Encoding::FourierCrop { size: 8 }).unwrap(), r#"{"fourier-crop":{"size":8}}"#);
    for text in ["", "fourier-crop", "pool", "l2:3", "amplitude:-1", "amplitude:", "polar"] {
        assert!(text.parse::<Encoding>().is_err());
    }
}

#[test]
fn complex_features_keep_their_phases_or_are_refused() {
    let x = Samples { width: 2, complex: true, ..samples(4, &[3., 4., 0., -12., 0., 0., 0., 0.]) };
    let encode = |encoding: Encoding| encoding.encode(&x, None).unwrap();
    let raw = encode(Encoding::Raw);
    assert_eq!((raw.complex, raw.modes, &raw.signals[..]), (true, 2, x.features.held()));
    let close = |encoding: Encoding, expected: &[f32]| {
        let signals = encode(encoding).signals;
        assert_eq!(signals.len(), expected.len(), "{encoding}");
        assert!(signals.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6), "{encoding}: {signals:?}");
    };
    close(Encoding::L2, &[3. / 13., 4. / 13., 0., -12. / 13., 0., 0., 0., 0.]);
    // mean power 1, and 0 where the sample is dark
    let factor = 2f32.sqrt() / 13.;
    close(Encoding::Amplitude { modes: None }, &[3. * factor, 4. * factor, 0., -12. * factor, 0., 0., 0., 0.]);
    let norm = 73f32.sqrt(); // of the mean, 1.5 - 4i
    close(Encoding::Amplitude { modes: Some(1) }, &[3. / norm, -8. / norm, 0., 0.]);
    for encoding in [Encoding::Phase { modes: None }, Encoding::FourierCrop { size: 1 }, Encoding::Pool { size: 1 }] {
        let error = encoding.encode(&x, Some(ImageShape::single(1, 2))).unwrap_err().to_string();
        assert!(error.contains("these are complex; choose raw, l2 or amplitude"), "{error}");
    }
}

/// Two images of three channels of 4x6.
fn colours() -> (Samples, ImageShape) {
    let pixels: Vec<f32> = (0..144).map(|i| ((i * i + 5 * i) % 13) as f32 / 12.0).collect();
    (samples(72, &pixels), ImageShape { channels: 3, height: 4, width: 6 })
}

#[test]
fn every_channel_is_cropped_by_itself_and_colours_keep_their_ratios() {
    let (x, image) = colours();
    let crop = Encoding::FourierCrop { size: 3 };
    let all = crop.encode(&x, Some(image)).unwrap();
    assert_eq!((all.modes, all.samples), (27, 2));
    let sum: f32 = all.signals[..54].as_chunks::<2>().0.iter().map(|[re, im]| re.hypot(*im)).sum();
    assert!((sum - 27.0).abs() < 1e-4, "{sum}");
    for channel in 0..3 {
        let own = samples(24, &x.features.held()[24 * channel..][..24]);
        let alone = crop.encode(&own, Some(ImageShape::single(4, 6))).unwrap().signals;
        let together = &all.signals[18 * channel..][..18];
        // the same spectrum but for one factor, real and positive
        let at = (0..18).max_by(|a, b| alone[*a].abs().total_cmp(&alone[*b].abs())).unwrap();
        let factor = together[at] / alone[at];
        assert!(factor > 0.0);
        assert!(together.iter().zip(&alone).all(|(together, alone)| (together - factor * alone).abs() < 1e-5));
    }
}

#[test]
fn areas_of_every_channel_are_pooled_and_no_mode_mixes_channels() {
    let (x, image) = colours();
    let pooled = Encoding::Pool { size: 2 }.encode(&x, Some(image)).unwrap();
    assert_eq!((pooled.modes, pooled.complex), (12, true));
    let power: f32 = pooled.signals[..24].iter().map(|part| part * part).sum();
    assert!((power / 12.0 - 1.0).abs() < 1e-6);
    let area = |channel: usize, row: usize, column: usize| -> f32 {
        let pixel = |at: usize| x.features.held()[24 * channel + (2 * row + at / 3) * 6 + 3 * column + at % 3];
        (0..6).map(pixel).sum::<f32>() / 6.0
    };
    for (channel, row, column) in [(0, 0, 1), (1, 1, 0), (2, 1, 1)] {
        let ratio = pooled.signals[2 * (4 * channel + 2 * row + column)] / pooled.signals[0];
        assert!((ratio - area(channel, row, column) / area(0, 0, 0)).abs() < 1e-5);
    }
    let shares = Encoding::Amplitude { modes: Some(6) }.encode(&x, Some(image)).unwrap();
    let half = |at: usize| x.features.held()[12 * at..][..12].iter().sum::<f32>();
    assert!((shares.signals[2 * 5] / shares.signals[0] - half(5) / half(0)).abs() < 1e-5);
    for (modes, nearest) in [(7, "6 or 9"), (2, "3 or 6")] {
        for encoding in [Encoding::Amplitude { modes: Some(modes) }, Encoding::Phase { modes: Some(modes) }] {
            let error = encoding.encode(&x, Some(image)).unwrap_err().to_string();
            assert!(error.contains("3 channels") && error.contains(nearest), "{error}");
        }
    }
    assert!(
        Encoding::Pool { size: 5 }
            .encode(&x, Some(image))
            .unwrap_err()
            .to_string()
            .contains("1 to 4 for images of 3x4x6")
    );
}
