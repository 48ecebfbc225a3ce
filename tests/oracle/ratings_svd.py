"""Test RMSE of scikit-surprise's SVD, tuned, on ratings generated with known factors.

Needs Python 3.11 and scikit-surprise 1.1.5. Writes <folder>/train.csv and <folder>/test.csv (user_id, item_id, rating)
unless they are there, tunes SVD by 3-fold cross-validation on train.csv alone, and prints what it scores on test.csv.
Without scikit-surprise, `--generate` writes the files and stops.

    python tests/oracle/ratings_svd.py /tmp/ratings [--generate]

The generator uses nothing but integer arithmetic, sums and products, so that tests/it/quality.rs makes the same bytes;
the checksums printed here are compared there.
"""

import hashlib
import math
import pathlib
import sys

USERS, ITEMS, RATINGS, RANK = 2_000, 1_000, 100_000, 8
# Deviations of the user's and the item's bias, of one factor (eight products of two have the deviation 0.6), and of noise.
USER_BIAS, ITEM_BIAS, FACTOR, NOISE = 0.4, 0.5, 0.46, 0.5
MASK = (1 << 64) - 1


class Random:
    """SplitMix64; a normal deviate is the sum of twelve uniform ones less six."""

    def __init__(self, seed: int) -> None:
        self.state = seed

    def bits(self) -> int:
        self.state = (self.state + 0x9E3779B97F4A7C15) & MASK
        mixed = self.state
        mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & MASK
        return mixed ^ (mixed >> 31)

    def uniform(self) -> float:
        return (self.bits() >> 11) * 2.0**-53

    def normal(self) -> float:
        total = -6.0
        for _ in range(12):
            total += self.uniform()
        return total


def generate(folder: pathlib.Path) -> None:
    """Ratings with mean 3.5, biases, factors and noise; a tenth is held out at random."""
    random = Random(42)
    user_bias = [USER_BIAS * random.normal() for _ in range(USERS)]
    item_bias = [ITEM_BIAS * random.normal() for _ in range(ITEMS)]
    user_factors = [[FACTOR * random.normal() for _ in range(RANK)] for _ in range(USERS)]
    item_factors = [[FACTOR * random.normal() for _ in range(RANK)] for _ in range(ITEMS)]
    texts = {"train": ["user_id,item_id,rating\n"], "test": ["user_id,item_id,rating\n"]}
    seen, noise = set(), []
    while len(seen) < RATINGS:
        pair = random.bits() % (USERS * ITEMS)
        if pair in seen:
            continue
        seen.add(pair)
        user, item = divmod(pair, ITEMS)
        signal = 3.5 + user_bias[user] + item_bias[item]
        for left, right in zip(user_factors[user], item_factors[item]):
            signal += left * right
        rating = signal + NOISE * random.normal()
        part = "test" if random.bits() % 10 == 0 else "train"
        texts[part].append(f"{user},{item},{rating:.4f}\n")
        if part == "test":
            noise.append(rating - signal)
    folder.mkdir(parents=True, exist_ok=True)
    for name, lines in texts.items():
        (folder / f"{name}.csv").write_text("".join(lines), newline="")
    print(f"noise floor on test: {math.sqrt(sum(error * error for error in noise) / len(noise)):.4f}")


def tune(folder: pathlib.Path) -> None:
    """A search of one option after the other, each time keeping the best value."""
    from surprise import SVD, Dataset, Reader, accuracy
    from surprise.model_selection import KFold

    reader = Reader(line_format="user item rating", sep=",", skip_lines=1, rating_scale=(-100, 100))
    train = Dataset.load_from_file(str(folder / "train.csv"), reader)
    test = Dataset.load_from_file(str(folder / "test.csv"), reader)
    tried = {}

    def score(options: dict) -> float:
        key = tuple(sorted(options.items()))
        if key not in tried:
            folds = KFold(3, random_state=42).split(train)
            scores = [accuracy.rmse(SVD(**options).fit(fold).test(rest), verbose=False) for fold, rest in folds]
            tried[key] = sum(scores) / len(scores)
            print(f"{tried[key]:.4f} {options}", flush=True)
        return tried[key]

    # Where a coarser search ended.
    best = dict(n_factors=8, n_epochs=160, lr_all=0.03, reg_all=0.1, random_state=42)
    grid = dict(
        lr_all=(0.005, 0.015, 0.03, 0.06),
        n_epochs=(80, 160, 320),
        reg_all=(0.04, 0.06, 0.08, 0.1, 0.14, 0.2),
        n_factors=(4, 8, 16),
    )
    for name, values in grid.items():
        best = min(({**best, name: value} for value in values), key=score)
    model = SVD(**best).fit(train.build_full_trainset())
    rmse = accuracy.rmse(model.test(test.build_full_trainset().build_testset()), verbose=False)
    print(f"chosen by cross-validation: {best} at {score(best):.4f}")
    print(f"test RMSE: {rmse:.4f}")


def main() -> None:
    folder = pathlib.Path(sys.argv[1])
    if not (folder / "train.csv").exists():
        generate(folder)
    for name in ("train", "test"):
        print(f"SHA-256 of {name}.csv: {hashlib.sha256((folder / f'{name}.csv').read_bytes()).hexdigest()}")
    if "--generate" not in sys.argv[2:]:
        tune(folder)


if __name__ == "__main__":
    main()
