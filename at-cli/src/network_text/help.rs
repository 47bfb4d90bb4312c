//! The long form of networks for people: every kind of stage with what it needs, and examples.

/// What `asyt help networks` says of the long form. A test builds every example, and finds every kind in one.
pub const STAGES: &str = "
In a settings file a network may also be a list of layers, each a list of
stages. `asyt train … --print-config --long` writes any network so. A layer is
what truncated methods read out and inject again: a linear stage and what
follows it. Light or numbers go from stage to stage; stages without a size take
it from the stage before.

  kind            keys                                     takes and gives
  mesh            modes; layout, depth, columns            fields
  singular-value  inputs, outputs; layout, tile            fields
  tiles           inputs, outputs, tile; layout, depth,    fields
                  columns
  matrix          inputs, outputs                          real numbers
  weight-bank     inputs, outputs                          real numbers
  ring-bank       inputs, outputs; channels, finesse       real numbers
  phase-change    inputs, outputs                          real numbers
  mask            rows, columns; transmission              fields
  free-space      rows, columns, pitch-um, distance-um,    fields
                  wavelength-um
  regions         rows, columns, count, side               fields to numbers
  activation      activation                               fields
  detection       detection                                fields to numbers
  modulation                                               numbers to fields
  rectifier       threshold                                real numbers
  convolution     image, outputs, kernel; stride,          images: real
                  padding, element, channels, finesse,     numbers
                  tile, detection
  residual        stages                                   what they take
  normalization   image; groups                            images
  pooling         image, size; stride, pool                images
  loop            steps; layers, held, parts, feedback     heads a layer
  own             name; an element of another program, which can train it

Keys after a semicolon can be left out, and so can threshold (0): layout is
\"rectangular\", \"triangular\", \"diamond\", \"butterfly\", \"benes\" or \"custom\",
depth the columns of a rectangular mesh, columns those of a custom one, each a
list of the pairs of modes that its interferometers join, the upper mode first;
channels the wavelengths on a bus of rings (16), finesse theirs (100).
image is the image that enters, \"CHANNELSxHEIGHTxWIDTH\", its numbers in that
order; outputs of a convolution are channels, kernel is [rows, columns], stride
is 1 (of pooling the size), padding 0, element \"weight-bank\", \"matrix\",
\"ring-bank\" (channels, finesse), \"phase-change\", or light between modulators
and detectors (detection, homodyne), \"mesh\", \"singular-value\" (tile) or
\"tiles\" (tile); stages of a residual connection lead from what it takes to what
is added to it; pool \"max\", \"average\" or \"detectors\", whose currents add up
before they are read; every sample is normalised by itself, in groups (1) of
channels.
Transmission is \"phase\", \"amplitude\" or \"complex\"; of a mask, free space and
regions, rows and columns are those of a grid of pixels, whose modes lie row by
row; count detectors are squares of side pixels.
A loop says that its layer, or so many layers (1), are crossed in steps, and
what leaves them is fed back to their first modes. Without other keys the sample
enters once. With held so many modes of it enter at every step, with parts the
next so many, always on the first modes: the state has the others. feedback is
\"analogue\" or \"converted\": as it is, or read and written at every step.

A mesh, its light detected:
  network = [[
    { kind = \"mesh\", modes = 16 },
    { kind = \"detection\", detection = { kind = \"intensity\" } },
  ]]

Two layers of meshes, the first of half its columns; activations by kind:
electro-optic (tap, gain, bias), saturable (depth, saturation), mod-relu (bias),
spm (gain):
  network = [
    [{ kind = \"mesh\", modes = 8, depth = 4 },
     { kind = \"activation\", activation = { kind = \"electro-optic\", tap = 0.1, gain = 0.157, bias = 3.14159 } }],
    [{ kind = \"mesh\", modes = 8, layout = \"triangular\" },
     { kind = \"activation\", activation = { kind = \"mod-relu\", bias = 0.5 } }],
    [{ kind = \"mesh\", modes = 8 },
     { kind = \"detection\", detection = { kind = \"homodyne\", phase = 0.0 } }],
  ]

Any matrix by its singular values, and a matrix cut into tiles; detections by
kind: intensity, amplitude, balanced (half as many outputs), homodyne (phase):
  network = [
    [{ kind = \"singular-value\", inputs = 8, outputs = 12 },
     { kind = \"activation\", activation = { kind = \"saturable\", depth = 1.0, saturation = 1.0 } }],
    [{ kind = \"tiles\", inputs = 12, outputs = 8, tile = 4 },
     { kind = \"activation\", activation = { kind = \"spm\", gain = 1.0 } }],
    [{ kind = \"mesh\", modes = 8 },
     { kind = \"detection\", detection = { kind = \"balanced\" } }],
  ]

A butterfly, as in a fast Fourier transform, and a mesh of one's own whose
waveguides cross; singular values in tiles:
  network = [
    [{ kind = \"mesh\", modes = 8, layout = \"butterfly\" },
     { kind = \"activation\", activation = { kind = \"spm\", gain = 1.0 } }],
    [{ kind = \"mesh\", modes = 8, layout = \"custom\", columns = [[[0, 7]]] },
     { kind = \"singular-value\", inputs = 8, outputs = 4, tile = 4 },
     { kind = \"detection\", detection = { kind = \"intensity\" } }],
  ]

Microrings, and a crossbar of phase-change cells:
  network = [
    [{ kind = \"ring-bank\", inputs = 64, outputs = 16, channels = 32, finesse = 200.0 },
     { kind = \"rectifier\" }],
    [{ kind = \"phase-change\", inputs = 16, outputs = 10 }],
  ]

Images: patches cross one weight bank, or matrix, in turn, each a pass; what
leaves is read, rectified and pooled by a computer beside the chip, and written
again patch by patch. Errors are those of the one bank:
  network = [
    [{ kind = \"convolution\", image = \"8x8\", outputs = 4, kernel = [3, 3] },
     { kind = \"normalization\", image = \"4x6x6\", groups = 2 },
     { kind = \"rectifier\" },
     { kind = \"pooling\", image = \"4x6x6\", size = 2, pool = \"average\" }],
    [{ kind = \"convolution\", image = \"4x3x3\", outputs = 6, kernel = [2, 2] },
     { kind = \"rectifier\" },
     { kind = \"pooling\", image = \"6x2x2\", size = 2 }],
    [{ kind = \"weight-bank\", inputs = 6, outputs = 10 }],
  ]

Patches through light, and a residual connection: what enters its stages is
added to what leaves them, of light in halves:
  network = [
    [{ kind = \"convolution\", image = \"8x8\", outputs = 4, kernel = [3, 3], padding = 1, element = \"singular-value\" },
     { kind = \"rectifier\" }],
    [{ kind = \"residual\", stages = [
       { kind = \"convolution\", image = \"4x8x8\", outputs = 4, kernel = [3, 3], padding = 1 },
       { kind = \"rectifier\" },
       { kind = \"convolution\", image = \"4x8x8\", outputs = 4, kernel = [3, 3], padding = 1, element = \"phase-change\" },
     ] },
     { kind = \"rectifier\" }],
    [{ kind = \"weight-bank\", inputs = 256, outputs = 10 }],
  ]

A diffractive network of one mask, with the numbers of the first such networks:
  network = [[
    { kind = \"free-space\", rows = 16, columns = 16, pitch-um = 400.0, distance-um = 30000.0, wavelength-um = 750.0 },
    { kind = \"mask\", rows = 16, columns = 16, transmission = \"phase\" },
    { kind = \"free-space\", rows = 16, columns = 16, pitch-um = 400.0, distance-um = 30000.0, wavelength-um = 750.0 },
    { kind = \"regions\", rows = 16, columns = 16, count = 10, side = 2 },
  ]]

Numbers and light in turn: a weight bank, a modulator, a mesh, a digital matrix:
  network = [
    [{ kind = \"weight-bank\", inputs = 64, outputs = 16 },
     { kind = \"rectifier\", threshold = 0.1 }],
    [{ kind = \"modulation\" },
     { kind = \"mesh\", modes = 16 },
     { kind = \"detection\", detection = { kind = \"amplitude\" } }],
    [{ kind = \"matrix\", inputs = 16, outputs = 10 }],
  ]

Recurrent: four pixels at a time enter a bank beside twelve values that left the
step before. And eight numbers that are modulated onto light, cross two meshes
and are detected, six times:
  network = [
    [{ kind = \"loop\", steps = 16, parts = 4, feedback = \"converted\" },
     { kind = \"weight-bank\", inputs = 16, outputs = 12 },
     { kind = \"rectifier\" }],
    [{ kind = \"weight-bank\", inputs = 12, outputs = 10 }],
  ]

  network = [
    [{ kind = \"weight-bank\", inputs = 64, outputs = 8 },
     { kind = \"rectifier\" }],
    [{ kind = \"loop\", steps = 6, layers = 2 },
     { kind = \"modulation\" },
     { kind = \"mesh\", modes = 8 },
     { kind = \"activation\", activation = { kind = \"spm\", gain = 1.0 } }],
    [{ kind = \"mesh\", modes = 8 },
     { kind = \"detection\", detection = { kind = \"intensity\" } }],
    [{ kind = \"matrix\", inputs = 8, outputs = 10 }],
  ]
";
