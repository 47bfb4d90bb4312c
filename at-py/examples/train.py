"""Trains the default chip of a mesh network with three methods, and draws what comes out.

pip install matplotlib; python train.py
"""

import asyt

network = asyt.Network("mesh:64x3")
chip = asyt.Chip(network, kind="mesh", seed=7)
run = asyt.train(network, chip, "digits", method=["at-adaptive", "in-silico", "ideal"], epochs=20)

print(run)
print(run.confusion("at-adaptive"))
run.plot().figure.savefig("accuracy.png")
