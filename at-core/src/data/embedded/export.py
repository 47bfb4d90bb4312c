"""Writes digits.u8 and iris.csv from scikit-learn into the folder given as argument."""
import csv, sys
from pathlib import Path
from sklearn.datasets import load_digits, load_iris
here = Path(sys.argv[1])
digits = load_digits()
with open(here / "digits.u8", "wb") as f:
    for pixels, label in zip(digits.data, digits.target):
        f.write(bytes(int(p) for p in pixels) + bytes([int(label)]))
iris = load_iris()
with open(here / "iris.csv", "w", newline="") as f:
    w = csv.writer(f, lineterminator="\n")
    w.writerow(["sepal_length_cm", "sepal_width_cm", "petal_length_cm", "petal_width_cm", "class"])
    for x, y in zip(iris.data, iris.target):
        w.writerow([f"{v:.1f}" for v in x] + [int(y)])
