"""What splits leave of the label maps at hand: pixels to train and to test on, and their overlap.

    python benchmarks/splits.py

For each label map under $HSI_DATA and each split (10 % of each class at random, blocks, five folds,
and the official one where there is one), for patches of `--patch-size`:

- `in both`: classes that both training and test have; of folds, the fewest and the most.
- `contains`: the share of test pixels whose patch contains a training pixel.
- `shares`: the share of those whose patch shares pixels with a training patch.
- `unlearned`: the share of test pixels of classes without training pixels.
- `CPU s`: time of the processor for the split, or for all folds, whatever else the machine does.

Of folds, a row has the means.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np
from common import report
from numpy.typing import NDArray

from hsi.sampling import GivenSets, Split, split_folds, split_given, split_pixels
from hsi.scenes import list_cards, load_card
from hsi.scenes.catalogue import Card
from hsi.scenes.fetch import find_file, locate
from hsi.scenes.labels import as_labels
from hsi.scenes.official import card_ground_truth, card_maps
from hsi.scenes.readers import read_file


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--patch-size", type=int, default=25)
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    rows = []
    for name in list_cards():
        card = load_card(name)
        labels = ground_truth(card)
        if labels is None:
            print(f"{name}: no label map under $HSI_DATA")
            continue
        for kind, make in splits_of(card, labels, arguments).items():
            start = time.process_time()
            made = make()
            seconds = time.process_time() - start
            rows.append({"scene": name, "split": kind, **facts(made, labels), "CPU s": seconds})
    report("splits", rows, **vars(arguments))


def ground_truth(card: Card) -> NDArray[np.int32] | None:
    """Return the label map of a card, or None where its file is not on this machine."""
    if card.labels is None:
        assert card.official is not None
        here = all(find_file(card, file) for file in card.official.files)
        return card_ground_truth(card, card.official) if here else None
    if find_file(card, card.labels) is None:
        return None
    path = locate(card, card.labels)
    return as_labels(read_file(path, key=card.labels.key, purpose="labels").array, path=path)


def splits_of(
    card: Card, labels: NDArray[np.int32], arguments: argparse.Namespace
) -> dict[str, Callable[[], list[Split]]]:
    """Return what makes each split, by name; folds are several."""
    how = {"seed": arguments.seed, "patch_size": arguments.patch_size}
    makes: dict[str, Callable[[], list[Split]]] = {
        "random": lambda: [split_pixels(labels, method="random", **how)],
        "blocks": lambda: [split_pixels(labels, method="blocks", **how)],
        "folds": lambda: [
            split_folds(labels, folds=arguments.folds, fold=fold, **how)
            for fold in range(arguments.folds)
        ],
    }
    official = card.official
    if official is not None and all(find_file(card, file) for file in official.files):
        maps = card_maps(card, official)
        makes["official"] = lambda: [
            split_given(
                labels,
                GivenSets(maps.train, None, maps.test),
                method="official",
                name=card.name,
                adds_labels=maps.adds_labels,
                **how,
            )
        ]
    return makes


def facts(splits: list[Split], labels: NDArray[np.int32]) -> dict[str, float | int | str]:
    """Return the means over splits."""
    counts = [split.summary(labels) for split in splits]
    tested = sum(int(split.test.sum()) for split in splits)
    unlearned = sum(row.test for rows in counts for row in rows if not row.train)
    both = [sum(row.train > 0 and row.test > 0 for row in rows) for rows in counts]
    fewest, most = min(both), max(both)
    return {
        "classes": len(counts[0]),
        "in both": str(most) if fewest == most else f"{fewest}-{most}",
        "train": round(float(np.mean([split.train.sum() for split in splits]))),
        "test": round(tested / len(splits)),
        "contains": float(np.mean([split.overlap.contains for split in splits])),
        "shares": float(np.mean([split.overlap.shares for split in splits])),
        "unlearned": unlearned / tested,
    }


if __name__ == "__main__":
    main()
