#!/usr/bin/env python3
"""Write corpora/baskets.txt: the purchases of 2,000 customers of an invented shop.

    scripts/make_baskets.py            write the file
    scripts/make_baskets.py --check    fail if the file differs from what would be written

Each line is a basket. Each customer shops for one purpose (breakfast, a barbecue, a baby, cleaning
or a party) and buys some products for it and two everyday products. The purpose is not stated.
"""

from __future__ import annotations

import argparse
import random
import sys
from pathlib import Path

CORPORA = Path(__file__).resolve().parent.parent / "corpora"
PURPOSES = {
    "breakfast": "coffee muesli jam honey butter eggs orange_juice croissants yoghurt",
    "barbecue": "charcoal sausages steak ketchup mustard firelighters buns coleslaw marinade",
    "baby": "nappies wipes baby_food formula_milk dummies talcum_powder bibs rusks",
    "cleaning": "bleach sponges mop bin_bags washing_powder floor_cleaner gloves brush",
    "party": "crisps beer balloons paper_plates lemonade peanuts ice_cubes candles",
}
EVERYDAY = "milk bread bananas apples water salt tissues chocolate carrots rice"


def baskets() -> str:
    draw = random.Random(1)
    lines = []
    for _ in range(2_000):
        products = PURPOSES[draw.choice(list(PURPOSES))].split()
        basket = draw.sample(products, draw.randint(2, 6)) + draw.sample(EVERYDAY.split(), 2)
        draw.shuffle(basket)
        lines.append(" ".join(basket) + "\n")
    return "".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare without writing")
    parser.add_argument("--output", type=Path, default=CORPORA, help="folder to write to")
    options = parser.parse_args()
    path = options.output / "baskets.txt"
    if not options.check:
        path.write_text(baskets(), encoding="utf-8")
    elif not path.exists() or path.read_text(encoding="utf-8") != baskets():
        sys.exit(f"{path} is out of date. Run scripts/make_baskets.py.")


if __name__ == "__main__":
    main()
